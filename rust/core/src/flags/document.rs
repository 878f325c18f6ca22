//! The validated rules as they come in.
//!
//! The reader of rule files has already checked every value and said where each problem is; this shape is what passes
//! between it and the evaluator. Percentages are whole numbers of millionths.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::decision::Stage;

/// A whole rule file, with what the process adds to it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Names these rules; decisions carry it.
    pub revision: String,
    /// A newer file exists and could not be used.
    #[serde(default)]
    pub stale: bool,
    /// The kill switch of all flags.
    #[serde(default)]
    pub disabled: bool,
    /// The attribute that is hashed when the caller names no unit.
    pub unit: String,
    /// Named conditions.
    #[serde(default)]
    pub segments: BTreeMap<String, Condition>,
    /// The flags by name.
    pub flags: BTreeMap<String, Flag>,
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
    /// Hashed before the unit; the flag's name by default.
    pub salt: Option<String>,
    /// The attribute that is hashed instead of the caller's unit.
    pub unit: Option<String>,
    /// In the order they are tried.
    pub rules: Vec<Rule>,
    /// What happens when no rule matches.
    pub otherwise: Option<Action>,
    /// How many of a million shadowable calls are compared; `None` when the flag has no `shadow`.
    pub shadow: Option<u32>,
    /// What the environment demands.
    pub forced: Option<Override>,
    /// Why the feature was stopped at run time.
    pub blocked: Option<String>,
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
