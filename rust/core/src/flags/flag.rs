//! One compiled flag.

use super::bucket::{BUCKETS, Salt};
use super::call::{Call, Path};
use super::condition::Condition;
use super::decision::{Detail, Implementation, Reason, Stage};
use super::document::{Guard, Hash};
use super::hash::{self, Hasher};

/// A flag, ready to decide.
#[derive(Debug)]
pub struct Flag {
    /// The flag's name.
    pub name: Box<str>,
    /// The line that declares it, 0 when it came from memory.
    pub line: u32,
    /// How far the feature has come.
    pub stage: Stage,
    /// Who is hashed, and with what.
    pub hashed: Hashed,
    /// What other flags must serve first.
    pub requires: Box<[Requirement]>,
    /// The part of a layer this flag may serve candidates to.
    pub slot: Option<Box<Slot>>,
    /// In the order they are tried.
    pub rules: Box<[Rule]>,
    /// Whether the rules are asked at all; a kill switch, a pinned stage or an override decides without them.
    pub ruled: bool,
    /// What happens when no rule matches or none is asked.
    pub otherwise: Action,
    /// The line of `otherwise`, 0 when there is none or it came from memory.
    pub otherwise_line: u32,
    /// The reason given then.
    pub reason: Reason,
    /// Its detail.
    pub detail: Detail,
    /// Of the calls Python answers, how many of a million are compared.
    pub shadow_share: u32,
    /// Whether the answer comes from the file, and so can be stale.
    pub from_file: bool,
    /// When the candidate is taken out of service.
    pub guard: Option<Box<Guard>>,
}

/// Who is hashed, and with what.
#[derive(Debug)]
pub struct Hashed {
    /// Hashed before the unit.
    pub salt: Salt,
    /// Another engine's hash, with the same salt, where the flag asks for one.
    pub hasher: Option<Box<Hasher>>,
    /// Where the unit comes from.
    pub unit: UnitSource,
}

/// Where a unit comes from.
#[derive(Debug, Clone)]
pub enum UnitSource {
    /// The unit the caller named, or else this attribute.
    Explicit(Path),
    /// This attribute, whatever the caller named.
    Attribute(Path),
}

/// Another flag's answer that a flag depends on.
#[derive(Debug)]
pub struct Requirement {
    /// The position of the other flag.
    pub flag: usize,
    /// What it must serve.
    pub serves: Implementation,
    /// What a decision says when it does not.
    pub detail: Detail,
}

/// A flag's part of a layer.
#[derive(Debug)]
pub struct Slot {
    /// The layer's name.
    pub layer: Box<str>,
    /// Who is hashed there, and with what.
    pub hashed: Hashed,
    /// The first bucket.
    pub begin: u32,
    /// The first bucket that is no longer its own.
    pub end: u32,
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
    /// The same by a hash of its own: that of an engine which divides variants otherwise than it draws percentages.
    Variants(Box<Hasher>, Box<[Share]>),
    /// A share that follows the clock.
    Ramp(Box<Ramp>),
}

/// An implementation's part of a split.
#[derive(Debug)]
pub struct Share {
    /// Who answers.
    pub serve: Implementation,
    /// The first bucket that is no longer its own.
    pub end: u32,
}

/// A candidate's share as a function of time.
#[derive(Debug)]
pub struct Ramp {
    /// Who answers the share.
    pub serve: Implementation,
    /// Who is hashed, and with what.
    pub hashed: Hashed,
    /// Since when (Unix milliseconds) how many of a million units, in the order of time.
    pub steps: Box<[(i64, u32)]>,
}

// Added to a flag's salt, so that not always the same units are the first to meet a candidate that was stopped.
const RETRY: &str = "/retry";

impl Flag {
    /// Whether there is a call that a candidate answers.
    #[must_use]
    pub fn may_serve_candidate(&self) -> bool {
        (self.ruled && !self.rules.is_empty()) || !matches!(self.otherwise, Action::Serve(Implementation::Python))
    }

    /// Of a million calls that Python answers at a stage, how many are compared.
    #[must_use]
    #[inline]
    pub fn compared_share(&self, stage: Stage) -> u32 {
        if matches!(stage, Stage::Shadow | Stage::Canary) { self.shadow_share } else { 0 }
    }

    /// Whether the flag is switched off whatever the call, so that nothing is left to be stopped.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        !self.ruled && self.reason == Reason::Disabled && self.detail != Detail::LeaseEnded
    }
}

impl Hashed {
    /// The bucket that chooses who tries a stopped candidate again; `None` when the call has no unit.
    pub fn retry_bucket<C: Call>(&self, call: &C) -> Option<u32> {
        let salt = Salt::new(&[self.salt.text(), RETRY].concat());
        self.unit.with(call, |unit| unit.map(|unit| salt.bucket(unit)))
    }

    /// The call's bucket; `None` when it has no unit.
    #[inline(always)]
    pub fn bucket<C: Call>(&self, call: &C) -> Option<u32> {
        self.unit.with(call, |unit| {
            unit.map(|unit| match &self.hasher {
                None => self.salt.bucket(unit),
                Some(hasher) => hasher.bucket(unit),
            })
        })
    }

    /// The call's bucket by another hash.
    pub fn bucket_by<C: Call>(&self, hasher: &Hasher, call: &C) -> Option<u32> {
        self.unit.with(call, |unit| unit.map(|unit| hasher.bucket(unit)))
    }
}

impl UnitSource {
    /// Hands over the call's unit.
    #[inline(always)]
    pub fn with<C: Call, R>(&self, call: &C, then: impl FnOnce(Option<&str>) -> R) -> R {
        let path = match self {
            Self::Explicit(path) => match call.unit() {
                Some(unit) if !unit.is_empty() => return then(Some(unit)),
                _ => path,
            },
            Self::Attribute(path) => path,
        };
        call.look(path, |value| value.with_unit(then))
    }

    /// The attribute that is looked at.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Explicit(path) | Self::Attribute(path) => path,
        }
    }
}

impl Ramp {
    /// How many of a million units the candidate answers at a moment in Unix milliseconds.
    #[must_use]
    pub fn share(&self, now: i64) -> u32 {
        self.step(now).map_or(0, |step| self.steps[step].1)
    }

    /// The step that is in force at a moment; `None` before the first one.
    #[must_use]
    pub fn step(&self, now: i64) -> Option<usize> {
        self.steps.iter().rposition(|(at, _)| *at <= now)
    }
}

impl Action {
    /// A split of one candidate against Python; 0 and 100 % need no unit.
    #[must_use]
    pub fn percent(millionths: u32) -> Self {
        Self::split(Hash::Xxh3, &[(Implementation::Rust, millionths)])
    }

    /// A split in the order its hash lays it out. One with one possible answer is no split.
    #[must_use]
    pub fn split(hash: Hash, parts: &[(Implementation, u32)]) -> Self {
        let laid_out = hash::shares(hash, parts);
        let shares: Box<[Share]> =
            laid_out.iter().map(|(serve, end)| Share { serve: serve.clone(), end: *end }).collect();
        match &*shares {
            [] => Self::Serve(Implementation::Python),
            [only] if only.end == BUCKETS => Self::Serve(only.serve.clone()),
            _ => Self::Split(shares),
        }
    }

    /// Whether Python can never answer.
    #[must_use]
    pub fn only_candidates(&self) -> bool {
        match self {
            Self::Serve(serve) => *serve != Implementation::Python,
            Self::Split(shares) | Self::Variants(_, shares) => {
                shares.last().is_some_and(|share| share.end == BUCKETS)
                    && shares.iter().all(|share| share.serve != Implementation::Python)
            }
            Self::Ramp(_) => false,
        }
    }

    /// Whether a candidate can answer.
    #[must_use]
    pub fn some_candidate(&self) -> bool {
        match self {
            Self::Serve(serve) => *serve != Implementation::Python,
            Self::Split(_) | Self::Variants(..) => true,
            Self::Ramp(ramp) => ramp.serve != Implementation::Python && ramp.steps.iter().any(|(_, share)| *share > 0),
        }
    }
}
