//! The validated rules as they come in.
//!
//! The reader of rule files has already checked every value and said where each problem is; this shape is what passes
//! between it and the evaluator. Percentages are whole numbers of millionths.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::decision::{Implementation, Stage};

/// A whole rule file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Document {
    /// Names these rules; decisions carry it.
    pub revision: String,
    /// The attribute that is hashed when the caller names no unit.
    pub unit: String,
    /// Named conditions.
    pub segments: BTreeMap<String, Condition>,
    /// Named spaces of buckets that their flags share without overlapping.
    pub layers: BTreeMap<String, Layer>,
    /// The flags by name.
    pub flags: BTreeMap<String, Flag>,
}

/// What the process adds to the rules, by flag where it concerns one.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Process {
    /// A newer file exists and could not be used.
    pub stale: bool,
    /// The kill switch of all flags.
    pub disabled: bool,
    /// What the environment demands; such a flag need not be declared.
    pub forced: BTreeMap<String, Override>,
    /// Why declared or forced flags were stopped at run time.
    pub blocked: BTreeMap<String, String>,
    /// Nothing has been heard for too long from where a candidate may be taken back: none answers.
    pub lease_ended: bool,
    /// The step of its plan that a flag has reached.
    pub steps: BTreeMap<String, usize>,
}

/// A space of buckets. A unit has one bucket in it, and so belongs to at most one of its flags.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// The line that declares it, 0 when it came from memory.
    #[serde(default)]
    pub line: u32,
    /// Hashed before the unit.
    pub salt: String,
    /// The attribute that is hashed instead of the caller's unit.
    #[serde(default)]
    pub unit: Option<String>,
    /// Each flag's buckets: the first, and the first that is no longer its own. They never overlap.
    pub slots: BTreeMap<String, (u32, u32)>,
}

/// One flag.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flag {
    /// The line that declares it, 0 when it came from memory.
    pub line: u32,
    /// `enabled: false`.
    pub killed: bool,
    /// The stage written in the file.
    pub stage: Option<Stage>,
    /// The implementation that is compared and promoted, where it is not `rust`.
    pub candidate: Option<String>,
    /// Hashed before the unit; the flag's name by default.
    pub salt: Option<String>,
    /// The attribute that is hashed instead of the caller's unit.
    pub unit: Option<String>,
    /// How a unit becomes a bucket.
    pub hash: Hash,
    /// The layer whose slot limits the units of this flag.
    pub layer: Option<String>,
    /// What other flags must serve, for the same call, before this one serves a candidate. Free of circles.
    pub requires: Vec<Requirement>,
    /// In the order they are tried.
    pub rules: Vec<Rule>,
    /// What happens when no rule matches.
    pub otherwise: Option<Action>,
    /// The line of `otherwise`, 0 when there is none or it came from memory.
    pub otherwise_line: u32,
    /// How many of a million shadowable calls are compared; `None` when the flag has no `shadow`.
    pub shadow: Option<u32>,
    /// When the candidate is taken out of service.
    pub guard: Option<Guard>,
    /// The steps of its rollout; the default ones when it names none.
    pub plan: Option<Box<Plan>>,
}

/// The steps by which a candidate takes over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The gate takes the next step; otherwise a person does.
    pub is_automatic: bool,
    /// In rising order, the first one a share of 0.
    pub steps: Box<[PlanStep]>,
}

/// One step of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanStep {
    /// How many of a million units the candidate answers.
    pub share: u32,
    /// How long the step lasts at least, in milliseconds; `None`: as long as the gate says.
    pub bake_ms: Option<u64>,
}

impl Flag {
    /// The implementation that is compared and promoted.
    #[must_use]
    pub fn candidate(&self) -> Implementation {
        self.candidate.as_deref().map_or(Implementation::Rust, Implementation::from)
    }
}

impl Default for Plan {
    fn default() -> Self {
        let steps = [0, 10_000, 50_000, 250_000, 500_000, 1_000_000].map(|share| PlanStep { share, bake_ms: None });
        Self { is_automatic: false, steps: steps.into() }
    }
}

impl Plan {
    /// The share of a step. One that is not in the plan is taken for the first: a plan that was shortened serves nothing.
    #[must_use]
    pub fn share(&self, step: usize) -> u32 {
        self.steps.get(step).map_or(0, |step| step.share)
    }
}

/// Another flag's answer that a flag depends on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// The other flag.
    pub flag: String,
    /// The implementation it must serve.
    pub serves: String,
}

/// How a unit becomes a bucket: our own hash, or that of the engine a team comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    /// XXH3-64.
    #[default]
    Xxh3,
    /// Unleash's.
    Unleash,
    /// `GrowthBook`'s, version 2.
    Growthbook2,
    /// flagd's `fractional`, version 2.
    Flagd2,
}

/// When a candidate is taken out of service, measured against the control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// How far back calls count, in milliseconds.
    pub window_ms: u64,
    /// How many calls of each side the window needs before anything is concluded.
    pub min_calls: u32,
    /// By how many millionths the candidate's error rate may exceed the control's; `None`: errors are not judged.
    pub error_rate_over: Option<u32>,
    /// How many thousandths of the control's p99 the candidate's may reach; `None`: latency is not judged.
    pub latency_ratio: Option<u32>,
    /// How long the candidate stays out, in milliseconds.
    pub hold_ms: u64,
    /// How many of a million units try it again after that.
    pub retry: u32,
    /// Who else is told.
    pub scope: Scope,
}

/// How far a stop reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// This process alone.
    Process,
    /// Every process of this host that uses the same rule file.
    #[default]
    Host,
    /// Every process that uses the same ledger.
    Fleet,
}

/// One rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Unique within its flag.
    pub name: String,
    /// The line it begins on, 0 when it came from memory.
    #[serde(default)]
    pub line: u32,
    /// When it applies.
    pub when: Condition,
    /// What it does.
    pub then: Action,
}

/// What a rule, or the end of the rules, does.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// This implementation answers.
    Serve(String),
    /// Each implementation answers its millionths of the units; in the order of the file, adding up to a million.
    Split(Vec<(String, u32)>),
    /// A share that follows the clock.
    Ramp(Ramp),
}

/// A candidate's share as a function of time: 0 before the first step, the last step's for ever after it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// Who answers the share.
    pub serve: String,
    /// Hashed before the unit, instead of the flag's salt.
    #[serde(default)]
    pub salt: Option<String>,
    /// The attribute that is hashed, instead of the flag's unit.
    #[serde(default)]
    pub unit: Option<String>,
    /// Since when (Unix milliseconds) how many millionths, in the order of time.
    pub steps: Vec<(i64, u32)>,
}

/// A word from the environment.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Override {
    /// Python answers and nothing is compared.
    Python,
    /// The candidate answers.
    Rust,
    /// Python answers and calls are compared.
    Shadow,
    /// The candidate answers this many of a million units.
    Percent(u32),
}

/// What a rule asks of a call.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Every part holds.
    All(Vec<Condition>),
    /// At least one part holds.
    Any(Vec<Condition>),
    /// The part does not hold.
    Not(Box<Condition>),
    /// The named condition holds.
    Segment(String),
    /// The attribute passes the test.
    Attr(String, Test),
}

/// What an attribute is tested for.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Equal, of the same kind.
    Equals(Scalar),
    /// Equal to one of these.
    In(Vec<Scalar>),
    /// A text with this part, or a list with this element.
    Contains(Scalar),
    /// A text that begins so.
    StartsWith(String),
    /// A text that ends so.
    EndsWith(String),
    /// A text in which this regular expression is found.
    Matches(String),
    /// A greater number.
    Gt(Number),
    /// A number at least as great.
    Gte(Number),
    /// A smaller number.
    Lt(Number),
    /// A number at most as great.
    Lte(Number),
    /// Present (or, when false, absent).
    Exists(bool),
    /// A text that is a version within this range, such as ">=2.4.0, <3".
    Semver(String),
    /// A time before this one, in Unix milliseconds.
    Before(i64),
    /// A time after this one, in Unix milliseconds.
    After(i64),
    /// A text that is an address within one of these networks.
    Cidr(Vec<String>),
}

/// A value in a rule file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
}

/// A number in a rule file. Whole numbers are kept whole, so that ids beyond 2^53 stay different.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
}
