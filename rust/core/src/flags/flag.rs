//! One compiled flag: which implementation serves a call.

use super::bucket::{BUCKETS, Salt};
use super::call::{Call, Path};
use super::condition::Condition;
use super::decision::{Decision, Detail, Implementation, Reason, Stage};
use super::standing::Standing;

/// A flag, ready to decide.
#[derive(Debug)]
pub struct Flag {
    /// The flag's name.
    pub name: Box<str>,
    /// The line that declares it, 0 when it came from memory.
    pub line: u32,
    /// How far the feature has come.
    pub stage: Stage,
    /// Hashed before the unit.
    pub salt: Salt,
    /// Where the unit comes from.
    pub unit: UnitSource,
    /// In the order they are tried.
    pub rules: Box<[Rule]>,
    /// Whether the rules are asked at all; a kill switch, a pinned stage or an override decides without them.
    pub ruled: bool,
    /// What happens when no rule matches or none is asked.
    pub otherwise: Action,
    /// The reason given then.
    pub reason: Reason,
    /// Its detail.
    pub detail: Detail,
    /// Of the calls Python answers, how many of a million are compared.
    pub shadow_share: u32,
    /// Whether the answer comes from the file, and so can be stale.
    pub from_file: bool,
}

/// Where a flag's unit comes from.
#[derive(Debug)]
pub enum UnitSource {
    /// The unit the caller named, or else this attribute.
    Explicit(Path),
    /// This attribute, whatever the caller named.
    Attribute(Path),
}

/// One compiled rule.
#[derive(Debug)]
pub struct Rule {
    /// Unique within its flag.
    pub name: Box<str>,
    /// The line it begins on, 0 when it came from memory.
    pub line: u32,
    /// When it applies.
    pub when: Condition,
    /// What it does.
    pub then: Action,
}

/// What a rule, or the end of the rules, does.
#[derive(Debug)]
pub enum Action {
    /// This implementation answers, whatever the unit.
    Serve(Implementation),
    /// The first share whose end lies above the bucket answers; Python answers the buckets above them all.
    Split(Box<[Share]>),
}

/// A candidate's part of a split.
#[derive(Debug)]
pub struct Share {
    /// Who answers.
    pub serve: Implementation,
    /// The first bucket that is no longer its own.
    pub end: u32,
}

/// Who answers a call, and what that hung on. Borrowed, so that a caller who needs no reason pays for none.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// Who answers.
    pub serve: &'a Implementation,
    rule: Option<usize>,
    draw: Draw,
}

#[derive(Debug, Clone, Copy)]
enum Draw {
    NotNeeded,
    MissingUnit,
    Drawn { bucket: u32, threshold: u32 },
}

/// Who answers when nothing else is said.
pub static CONTROL: Implementation = Implementation::Python;

impl Flag {
    /// Chooses who answers. Pure: the same flag and call give the same choice.
    pub fn choose<C: Call>(&self, call: &C) -> Choice<'_> {
        let rule = if self.ruled { self.rules.iter().position(|rule| rule.when.holds(call)) } else { None };
        let (serve, draw) = match rule.map_or(&self.otherwise, |index| &self.rules[index].then) {
            Action::Serve(serve) => (serve, Draw::NotNeeded),
            Action::Split(shares) => self.draw(shares, call),
        };
        Choice { serve, rule, draw }
    }

    /// Chooses, and says why.
    pub fn decide<C: Call>(&self, call: &C) -> Decision {
        let choice = self.choose(call);
        let (reason, detail) = self.why(&choice);
        let (bucket, threshold) = match choice.draw {
            Draw::Drawn { bucket, threshold } => (Some(bucket), Some(threshold)),
            _ => (None, None),
        };
        let shadow = self.shadow_share > 0
            && matches!(self.stage, Stage::Shadow | Stage::Canary)
            && *choice.serve == Implementation::Python;
        Decision {
            stage: self.stage,
            serve: choice.serve.clone(),
            shadow,
            shadow_share: if shadow { self.shadow_share } else { 0 },
            reason,
            detail,
            rule: choice.rule,
            bucket,
            threshold,
        }
    }

    /// Decides for a flag that is stopped, or tried again.
    pub fn decide_standing<C: Call>(&self, call: &C, standing: Standing) -> Decision {
        match standing {
            Standing::Stopped(cause) | Standing::Retrying(cause, _) if !self.is_let_through(call, standing) => {
                let detail = Detail::Stopped(cause);
                let rest = Decision { stage: self.stage, ..Decision::NOT_FOUND };
                Decision { reason: Reason::Disabled, detail, ..rest }
            }
            _ => self.decide(call),
        }
    }

    /// Whether a call is among those that a standing lets through.
    pub fn is_let_through<C: Call>(&self, call: &C, standing: Standing) -> bool {
        match standing {
            Standing::Running => true,
            Standing::Stopped(_) => false,
            Standing::Retrying(_, share) => share >= BUCKETS || self.bucket(call).is_some_and(|bucket| bucket < share),
        }
    }

    /// The call's bucket; `None` when it has no unit.
    pub fn bucket<C: Call>(&self, call: &C) -> Option<u32> {
        let path = match &self.unit {
            UnitSource::Explicit(path) => match call.unit() {
                Some(unit) if !unit.is_empty() => return Some(self.salt.bucket(unit)),
                _ => path,
            },
            UnitSource::Attribute(path) => path,
        };
        call.look(path, |value| value.with_unit(|unit| unit.map(|unit| self.salt.bucket(unit))))
    }

    fn draw<'a, C: Call>(&self, shares: &'a [Share], call: &C) -> (&'a Implementation, Draw) {
        let Some(bucket) = self.bucket(call) else {
            return (&CONTROL, Draw::MissingUnit);
        };
        let share = shares.iter().find(|share| bucket < share.end);
        let threshold = share.or(shares.last()).map_or(0, |share| share.end);
        let serve = share.map_or(&CONTROL, |share| &share.serve);
        (serve, Draw::Drawn { bucket, threshold })
    }

    fn why(&self, choice: &Choice<'_>) -> (Reason, Detail) {
        match (choice.draw, choice.rule) {
            (Draw::MissingUnit, _) => (Reason::Default, Detail::MissingUnit),
            (Draw::Drawn { .. }, Some(_)) => (Reason::Split, Detail::None),
            (Draw::Drawn { .. }, None) => (Reason::Split, self.detail.clone()),
            (Draw::NotNeeded, Some(_)) => (Reason::TargetingMatch, Detail::None),
            (Draw::NotNeeded, None) => (self.reason, self.detail.clone()),
        }
    }
}

impl Action {
    /// A split of one candidate against Python; 0 and 100 % need no unit.
    #[must_use]
    pub fn percent(millionths: u32) -> Self {
        Self::split(&[(Implementation::Rust, millionths)])
    }

    /// A split in the order given. Python's own part is whatever the candidates leave, always above them, so that a
    /// growing candidate only ever adds units. A split with one possible answer is no split.
    #[must_use]
    pub fn split(parts: &[(Implementation, u32)]) -> Self {
        let mut end = 0_u32;
        let mut shares = Vec::new();
        for (serve, millionths) in parts {
            if *millionths > 0 && *serve != Implementation::Python {
                end = BUCKETS.min(end.saturating_add(*millionths));
                shares.push(Share { serve: serve.clone(), end });
            }
        }
        match shares.as_slice() {
            [] => Self::Serve(Implementation::Python),
            [only] if only.end == BUCKETS => Self::Serve(only.serve.clone()),
            _ => Self::Split(shares.into_boxed_slice()),
        }
    }

    /// Whether Python can never answer.
    #[must_use]
    pub fn only_candidates(&self) -> bool {
        match self {
            Self::Serve(serve) => *serve != Implementation::Python,
            Self::Split(shares) => shares.last().is_some_and(|share| share.end == BUCKETS),
        }
    }

    /// Whether a candidate can answer.
    #[must_use]
    pub fn some_candidate(&self) -> bool {
        !matches!(self, Self::Serve(Implementation::Python))
    }
}
