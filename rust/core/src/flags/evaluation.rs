//! The one evaluator: which implementation serves a call, and why.
//!
//! Whatever can overrule a flag's rules is heard in this order, the strongest first: the kill switch of all flags, a block;
//! what was stopped at run time; the environment, `enabled: false`, a stage pinned to off or shadow; what the flag requires
//! of others, the slot of its layer; and then the rules. What does not depend on the call or the moment is settled when a
//! snapshot is compiled (`course`).

use smallvec::SmallVec;

use super::bucket::BUCKETS;
use super::call::Call;
use super::decision::{Decision, Detail, Implementation, Outline, Reason, Stage};
use super::flag::{Action, Flag, Ramp, Share};
use super::standing::{Cause, Standing};

/// Who answers when nothing else is said.
pub static CONTROL: Implementation = Implementation::Python;

/// Who answers a call, and what that hung on. Borrowed, so that a caller who needs no reason pays for none.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'s> {
    /// Who answers.
    pub serve: &'s Implementation,
    /// The position of the rule that matched.
    pub rule: Option<usize>,
    /// Whether the rules were asked.
    pub asked: bool,
    draw: Draw,
    hindrance: Hindrance,
    stage: Option<Stage>,
}

#[derive(Debug, Clone, Copy)]
enum Draw {
    NotNeeded,
    MissingUnit,
    Drawn { bucket: u32, threshold: u32 },
}

/// What kept a flag from asking its rules, or a candidate from serving.
#[derive(Debug, Clone, Copy)]
enum Hindrance {
    None,
    Stopped(Cause),
    Prerequisite(usize),
    LayerExcluded,
    LayerWithoutUnit,
}

/// The evaluation of one call against the flags of a snapshot.
#[derive(Debug)]
pub struct Evaluation<'s, 'c, C> {
    flags: &'s [Flag],
    call: &'c C,
    /// What required flags were found to serve, so that many ways to one flag ask it once.
    known: Known<'s>,
}

/// As many flags as most require take no memory of their own.
type Known<'s> = SmallVec<[(usize, &'s Implementation); 4]>;

impl<'s, 'c, C: Call> Evaluation<'s, 'c, C> {
    /// Begins the evaluation of a call.
    pub fn new(flags: &'s [Flag], call: &'c C) -> Self {
        Self { flags, call, known: Known::new() }
    }

    /// Chooses who answers. Pure: the same flags, call, time and standings give the same choice.
    // Always inline, as is what it calls where nothing is rare: a caller who reads a part of the choice then has no more of it made.
    #[inline(always)]
    pub fn choose(&mut self, position: usize) -> Choice<'s> {
        let flag = &self.flags[position];
        match self.call.standing(position) {
            Standing::Running => self.choose_running(flag),
            standing => self.choose_hampered(flag, standing),
        }
    }

    /// Chooses, and says why.
    pub fn decide(&mut self, position: usize) -> Decision {
        let choice = self.choose(position);
        let flag = &self.flags[position];
        let (reason, detail) = choice.why(flag);
        let (bucket, threshold) = match choice.draw {
            Draw::Drawn { bucket, threshold } => (Some(bucket), Some(threshold)),
            _ => (None, None),
        };
        let shadow_share = choice.shadow_share(flag);
        Decision {
            stage: choice.stage(flag),
            serve: choice.serve.clone(),
            shadow: shadow_share > 0,
            shadow_share,
            reason,
            detail,
            rule: choice.rule,
            bucket,
            threshold,
        }
    }

    /// Chooses, and says as much of it as routing the call takes.
    #[inline(always)]
    pub fn outline(&mut self, position: usize) -> Outline {
        let choice = self.choose(position);
        let flag = &self.flags[position];
        Outline {
            serve: choice.serve.clone(),
            is_live: matches!(choice.stage(flag), Stage::Canary | Stage::On),
            shadow_share: choice.shadow_share(flag),
        }
    }

    /// What a flag serves, asked once per evaluation.
    #[inline(never)]
    pub fn serves(&mut self, position: usize) -> &'s Implementation {
        if let Some((_, serve)) = self.known.iter().find(|(known, _)| *known == position) {
            return serve;
        }
        let serve = self.choose(position).serve;
        self.known.push((position, serve));
        serve
    }

    #[cold]
    fn choose_hampered(&mut self, flag: &'s Flag, standing: Standing) -> Choice<'s> {
        match standing {
            Standing::Stopped(cause) if !flag.is_disabled() => Choice::stopped(cause),
            Standing::Retrying(cause, share) if share < BUCKETS => self.retry(flag, cause, share),
            _ => self.choose_running(flag),
        }
    }

    #[inline(always)]
    fn choose_running(&mut self, flag: &'s Flag) -> Choice<'s> {
        if !flag.ruled {
            return self.act(flag, None);
        }
        match self.hindrance(flag) {
            Hindrance::None => self.act(flag, flag.rules.iter().position(|rule| rule.when.holds(self.call))),
            hindrance => Choice::hindered(hindrance, None),
        }
    }

    #[inline(always)]
    fn hindrance(&mut self, flag: &'s Flag) -> Hindrance {
        if flag.requires.is_empty() && flag.slot.is_none() { Hindrance::None } else { self.sought_hindrance(flag) }
    }

    #[inline(never)]
    fn sought_hindrance(&mut self, flag: &'s Flag) -> Hindrance {
        if let Some(unmet) = flag.requires.iter().position(|it| *self.serves(it.flag) != it.serves) {
            return Hindrance::Prerequisite(unmet);
        }
        let Some(slot) = &flag.slot else { return Hindrance::None };
        match slot.hashed.bucket(self.call) {
            None => Hindrance::LayerWithoutUnit,
            Some(bucket) if bucket < slot.begin || bucket >= slot.end => Hindrance::LayerExcluded,
            Some(_) => Hindrance::None,
        }
    }

    /// A candidate that was stopped is tried again by a share of the units, which are always the same ones.
    fn retry(&mut self, flag: &'s Flag, cause: Cause, share: u32) -> Choice<'s> {
        let choice = Choice { stage: Some(Stage::Canary), ..self.choose_running(flag) };
        let again = || flag.hashed.retry_bucket(self.call).is_some_and(|bucket| bucket < share);
        if *choice.serve == Implementation::Python || again() {
            return choice;
        }
        Choice { serve: &CONTROL, hindrance: Hindrance::Stopped(cause), ..choice }
    }

    #[inline(always)]
    fn act(&self, flag: &'s Flag, rule: Option<usize>) -> Choice<'s> {
        let (serve, draw) = match rule.map_or(&flag.otherwise, |index| &flag.rules[index].then) {
            Action::Serve(serve) => (serve, Draw::NotNeeded),
            Action::Split(shares) => drawn(shares, flag.hashed.bucket(self.call)),
            Action::Variants(hasher, shares) => drawn(shares, flag.hashed.bucket_by(hasher, self.call)),
            Action::Ramp(ramp) => self.climb(ramp),
        };
        Choice { serve, rule, asked: flag.ruled, draw, hindrance: Hindrance::None, stage: None }
    }

    #[inline(never)]
    fn climb(&self, ramp: &'s Ramp) -> (&'s Implementation, Draw) {
        match ramp.share(self.call.now()) {
            0 => (&CONTROL, Draw::NotNeeded),
            BUCKETS.. => (&ramp.serve, Draw::NotNeeded),
            threshold => match ramp.hashed.bucket(self.call) {
                None => (&CONTROL, Draw::MissingUnit),
                Some(bucket) => {
                    let serve = if bucket < threshold { &ramp.serve } else { &CONTROL };
                    (serve, Draw::Drawn { bucket, threshold })
                }
            },
        }
    }
}

impl Choice<'_> {
    fn stopped(cause: Cause) -> Self {
        let stage = if cause == Cause::Paused { Stage::Paused } else { Stage::Blocked };
        Self::hindered(Hindrance::Stopped(cause), Some(stage))
    }

    fn hindered(hindrance: Hindrance, stage: Option<Stage>) -> Self {
        Self { serve: &CONTROL, rule: None, asked: false, draw: Draw::NotNeeded, hindrance, stage }
    }

    fn serves_control(&self) -> bool {
        matches!(self.serve, Implementation::Python)
    }

    fn stage(&self, flag: &Flag) -> Stage {
        self.stage.unwrap_or(flag.stage)
    }

    /// Of a million such calls, how many are compared.
    fn shadow_share(&self, flag: &Flag) -> u32 {
        if self.serves_control() { flag.compared_share(self.stage(flag)) } else { 0 }
    }

    fn why(&self, flag: &Flag) -> (Reason, Detail) {
        match (self.hindrance, self.draw, self.rule) {
            (Hindrance::Stopped(cause), ..) => (Reason::Disabled, Detail::Stopped(cause)),
            (Hindrance::Prerequisite(unmet), ..) => (Reason::Disabled, flag.requires[unmet].detail.clone()),
            (Hindrance::LayerExcluded, ..) => (Reason::Default, Detail::LayerExcluded),
            (Hindrance::LayerWithoutUnit, ..) | (Hindrance::None, Draw::MissingUnit, _) => {
                (Reason::Default, Detail::MissingUnit)
            }
            (Hindrance::None, Draw::Drawn { .. }, Some(_)) => (Reason::Split, Detail::None),
            (Hindrance::None, Draw::Drawn { .. }, None) => (Reason::Split, flag.detail.clone()),
            (Hindrance::None, Draw::NotNeeded, Some(_)) => (Reason::TargetingMatch, Detail::None),
            (Hindrance::None, Draw::NotNeeded, None) => (flag.reason, flag.detail.clone()),
        }
    }
}

fn drawn(shares: &[Share], bucket: Option<u32>) -> (&Implementation, Draw) {
    let Some(bucket) = bucket else {
        return (&CONTROL, Draw::MissingUnit);
    };
    let share = shares.iter().find(|share| bucket < share.end);
    let threshold = share.or(shares.last()).map_or(0, |share| share.end);
    (share.map_or(&CONTROL, |share| &share.serve), Draw::Drawn { bucket, threshold })
}
