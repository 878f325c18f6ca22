//! The same evaluation, rule by rule, for people.

use serde::Serialize;

use super::call::Call;
use super::decision::Decision;
use super::flag::{Action, Flag, Rule, UnitSource};
use super::snapshot::Snapshot;

/// What a flag would do, in words and numbers.
#[derive(Debug, Serialize)]
pub struct Description<'a> {
    flag: &'a str,
    line: u32,
    stage: &'static str,
    salt: &'a str,
    unit: UnitView<'a>,
    consults_rules: bool,
    rules: Vec<RuleView<'a>>,
    otherwise: ActionView<'a>,
}

/// Why a call was decided as it was.
#[derive(Debug, Serialize)]
pub struct Explanation<'a> {
    #[serde(flatten)]
    description: Description<'a>,
    revision: &'a str,
    bucket: Option<u32>,
    decision: DecisionView,
}

#[derive(Debug, Serialize)]
struct UnitView<'a> {
    attribute: &'a str,
    explicit_first: bool,
}

#[derive(Debug, Serialize)]
struct RuleView<'a> {
    name: &'a str,
    line: u32,
    when: String,
    #[serde(flatten)]
    then: ActionView<'a>,
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
enum ActionView<'a> {
    Serve(&'a str),
    Thresholds(Vec<(&'a str, u32)>),
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
        Some(Description::of(&self.flags[self.position(name)?]))
    }

    /// Decides one call and says, rule by rule, why.
    pub fn explain<C: Call>(&self, name: &str, call: &C) -> Option<Explanation<'_>> {
        let position = self.position(name)?;
        let flag = &self.flags[position];
        let decision = self.decide(Some(position), call);
        let mut description = Description::of(flag);
        for (index, view) in description.rules.iter_mut().enumerate() {
            view.judge(&flag.rules[index], verdict(flag, index, decision.rule), call);
        }
        let bucket = flag.bucket(call);
        Some(Explanation { description, revision: &self.revision, bucket, decision: DecisionView::of(flag, &decision) })
    }
}

fn verdict(flag: &Flag, index: usize, matched: Option<usize>) -> Verdict {
    match matched {
        Some(rule) if index == rule => Verdict::Matched,
        Some(rule) if index > rule => Verdict::NotReached,
        _ if flag.ruled => Verdict::NotMatched,
        _ => Verdict::NotReached,
    }
}

impl<'a> Description<'a> {
    fn of(flag: &'a Flag) -> Self {
        let unit = match &flag.unit {
            UnitSource::Explicit(path) => UnitView { attribute: &path.text, explicit_first: true },
            UnitSource::Attribute(path) => UnitView { attribute: &path.text, explicit_first: false },
        };
        Self {
            flag: &flag.name,
            line: flag.line,
            stage: flag.stage.name(),
            salt: flag.salt.text(),
            unit,
            consults_rules: flag.ruled,
            rules: flag.rules.iter().map(RuleView::of).collect(),
            otherwise: ActionView::of(&flag.otherwise),
        }
    }
}

impl<'a> RuleView<'a> {
    fn of(rule: &'a Rule) -> Self {
        let then = ActionView::of(&rule.then);
        Self { name: &rule.name, line: rule.line, when: rule.when.to_string(), then, verdict: None, because: None }
    }

    fn judge<C: Call>(&mut self, rule: &Rule, verdict: Verdict, call: &C) {
        self.verdict = Some(verdict);
        if matches!(verdict, Verdict::NotMatched) {
            self.because = Some(rule.when.obstacle(call).to_string());
        }
    }
}

impl<'a> ActionView<'a> {
    fn of(action: &'a Action) -> Self {
        match action {
            Action::Serve(serve) => Self::Serve(serve.name()),
            Action::Split(shares) => {
                Self::Thresholds(shares.iter().map(|share| (share.serve.name(), share.end)).collect())
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
