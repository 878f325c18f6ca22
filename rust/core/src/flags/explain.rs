//! The same evaluation, rule by rule, for people.
//!
//! Both views are written as JSON. What only an explanation knows is absent from a description.

use serde::Serialize;

use super::call::Call;
use super::decision::Decision;
use super::evaluation::Evaluation;
use super::flag::{Action, Flag, Ramp, Requirement, Rule, Slot, UnitSource};
use super::moment;
use super::snapshot::Snapshot;
use super::standing::Standing;

/// What a flag would do, in words and numbers.
#[derive(Debug, Serialize)]
pub struct Description<'s> {
    flag: &'s str,
    line: u32,
    stage: &'static str,
    salt: &'s str,
    unit: UnitView<'s>,
    consults_rules: bool,
    requires: Vec<RequirementView<'s>>,
    layer: Option<LayerView<'s>>,
    rules: Vec<RuleView<'s>>,
    otherwise: ActionView<'s>,
    otherwise_line: u32,
}

/// Why a call was decided as it was.
#[derive(Debug, Serialize)]
pub struct Explanation<'s> {
    #[serde(flatten)]
    description: Description<'s>,
    revision: &'s str,
    bucket: Option<u32>,
    standing: StandingView,
    decision: DecisionView,
}

#[derive(Debug, Serialize)]
struct UnitView<'s> {
    attribute: &'s str,
    explicit_first: bool,
}

#[derive(Debug, Serialize)]
struct RequirementView<'s> {
    flag: &'s str,
    serves: &'s str,
    /// What the other flag serves for this call, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<DecisionView>,
}

#[derive(Debug, Serialize)]
struct LayerView<'s> {
    name: &'s str,
    salt: &'s str,
    unit: UnitView<'s>,
    begin: u32,
    end: u32,
    /// The unit's bucket in the layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<u32>,
}

#[derive(Debug, Serialize)]
struct RuleView<'s> {
    name: &'s str,
    line: u32,
    when: String,
    /// No call can match.
    #[serde(skip_serializing_if = "is_false")]
    never: bool,
    #[serde(flatten)]
    then: ActionView<'s>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Matched,
    NotMatched,
    NotReached,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum ActionView<'s> {
    Serve(&'s str),
    Thresholds(Vec<(&'s str, u32)>),
    Ramp(RampView<'s>),
}

#[derive(Debug, Serialize)]
struct RampView<'s> {
    serve: &'s str,
    salt: &'s str,
    unit: UnitView<'s>,
    /// Since when, and how many of a million units.
    steps: Vec<(String, u32)>,
    /// The position of the step in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<u32>,
}

/// How a flag stands: running, stopped, or retrying after a stop.
#[derive(Debug, Serialize)]
struct StandingView {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    /// How many of a million units try the candidate again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<u32>,
}

#[derive(Debug, Serialize)]
struct DecisionView {
    stage: &'static str,
    serve: String,
    shadow: bool,
    reason: &'static str,
    detail: String,
    rule: Option<String>,
    bucket: Option<u32>,
    threshold: Option<u32>,
}

impl Snapshot {
    /// Describes the flag with this name.
    #[must_use]
    pub fn describe(&self, name: &str) -> Option<Description<'_>> {
        Some(self.description(self.position(name)?))
    }

    /// Decides one call and says, rule by rule, why.
    pub fn explain<C: Call>(&self, name: &str, call: &C) -> Option<Explanation<'_>> {
        let position = self.position(name)?;
        let flag = &self.flags[position];
        let decision = self.decide(Some(position), call);
        let asked = Evaluation::new(&self.flags, call).choose(position).asked;
        let mut description = self.description(position);
        for (view, rule) in description.rules.iter_mut().zip(&flag.rules) {
            view.then.observe(&rule.then, call);
        }
        for (index, view) in description.rules.iter_mut().enumerate() {
            view.judge(&flag.rules[index], verdict(asked, index, decision.rule), call);
        }
        description.otherwise.observe(&flag.otherwise, call);
        for (view, required) in description.requires.iter_mut().zip(&flag.requires) {
            view.found = Some(self.decided(required.flag, call));
        }
        if let (Some(view), Some(slot)) = (&mut description.layer, &flag.slot) {
            view.bucket = slot.hashed.bucket(call);
        }
        Some(Explanation {
            description,
            revision: &self.revision,
            bucket: flag.hashed.bucket(call),
            standing: StandingView::of(call.standing(position)),
            decision: DecisionView::of(flag, &decision),
        })
    }

    fn decided<C: Call>(&self, position: usize, call: &C) -> DecisionView {
        DecisionView::of(&self.flags[position], &self.decide(Some(position), call))
    }

    fn description(&self, position: usize) -> Description<'_> {
        let flag = &self.flags[position];
        let requires = flag.requires.iter().map(|required| self.requirement(required));
        Description {
            flag: &flag.name,
            line: flag.line,
            stage: flag.stage.name(),
            salt: flag.hashed.salt.text(),
            unit: UnitView::of(&flag.hashed.unit),
            consults_rules: flag.ruled,
            requires: requires.collect(),
            layer: flag.slot.as_deref().map(LayerView::of),
            rules: flag.rules.iter().map(RuleView::of).collect(),
            otherwise: ActionView::of(&flag.otherwise),
            otherwise_line: flag.otherwise_line,
        }
    }

    fn requirement<'s>(&'s self, required: &'s Requirement) -> RequirementView<'s> {
        RequirementView { flag: &self.flags[required.flag].name, serves: required.serves.name(), found: None }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(truth: &bool) -> bool {
    !truth
}

fn verdict(asked: bool, index: usize, matched: Option<usize>) -> Verdict {
    match matched {
        Some(rule) if index == rule => Verdict::Matched,
        Some(rule) if index > rule => Verdict::NotReached,
        _ if asked => Verdict::NotMatched,
        _ => Verdict::NotReached,
    }
}

impl<'s> UnitView<'s> {
    fn of(unit: &'s UnitSource) -> Self {
        Self { attribute: &unit.path().text, explicit_first: matches!(unit, UnitSource::Explicit(_)) }
    }
}

impl<'s> LayerView<'s> {
    fn of(slot: &'s Slot) -> Self {
        Self {
            name: &slot.layer,
            salt: slot.hashed.salt.text(),
            unit: UnitView::of(&slot.hashed.unit),
            begin: slot.begin,
            end: slot.end,
            bucket: None,
        }
    }
}

impl<'s> RuleView<'s> {
    fn of(rule: &'s Rule) -> Self {
        let then = ActionView::of(&rule.then);
        let (when, never) = (rule.when.to_string(), rule.when.never_holds());
        Self { name: &rule.name, line: rule.line, when, never, then, verdict: None, because: None }
    }

    fn judge<C: Call>(&mut self, rule: &Rule, verdict: Verdict, call: &C) {
        self.verdict = Some(verdict);
        if matches!(verdict, Verdict::NotMatched) {
            self.because = Some(rule.when.obstacle(call).to_string());
        }
    }
}

impl<'s> ActionView<'s> {
    fn of(action: &'s Action) -> Self {
        match action {
            Action::Serve(serve) => Self::Serve(serve.name()),
            Action::Split(shares) | Action::Variants(_, shares) => {
                Self::Thresholds(shares.iter().map(|share| (share.serve.name(), share.end)).collect())
            }
            Action::Ramp(ramp) => Self::Ramp(RampView::of(ramp)),
        }
    }

    /// Adds what the call and its moment tell.
    fn observe<C: Call>(&mut self, action: &Action, call: &C) {
        if let (Self::Ramp(view), Action::Ramp(ramp)) = (self, action) {
            view.current = ramp.step(call.now());
            view.bucket = ramp.hashed.bucket(call);
        }
    }
}

impl<'s> RampView<'s> {
    fn of(ramp: &'s Ramp) -> Self {
        Self {
            serve: ramp.serve.name(),
            salt: ramp.hashed.salt.text(),
            unit: UnitView::of(&ramp.hashed.unit),
            steps: ramp.steps.iter().map(|(at, share)| (moment::shown(*at), *share)).collect(),
            current: None,
            bucket: None,
        }
    }
}

impl StandingView {
    fn of(standing: Standing) -> Self {
        match standing {
            Standing::Running => Self { state: "running", cause: None, retry: None },
            Standing::Stopped(cause) => Self { state: "stopped", cause: Some(cause.name()), retry: None },
            Standing::Retrying(cause, share) => {
                Self { state: "retrying", cause: Some(cause.name()), retry: Some(share) }
            }
        }
    }
}

impl DecisionView {
    fn of(flag: &Flag, decision: &Decision) -> Self {
        Self {
            stage: decision.stage.name(),
            serve: decision.serve.name().to_owned(),
            shadow: decision.shadow,
            reason: decision.reason.name(),
            detail: decision.detail.name().to_owned(),
            rule: decision.rule.map(|index| flag.rules[index].name.to_string()),
            bucket: decision.bucket,
            threshold: decision.threshold,
        }
    }
}
