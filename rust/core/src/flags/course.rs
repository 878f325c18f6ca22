//! What a flag does once everything that can overrule its rules has been heard, strongest first: the kill switch of all
//! flags, a block, a lease that has ended, the environment, the flag's own kill switch, a pinned stage.

use super::bucket::BUCKETS;
use super::decision::{Detail, Implementation, Reason, Stage};
use super::document::{self, Hash, Override, Process};
use super::flag::{Action, Rule};

/// The part of a compiled flag that depends on more than its rules.
pub(super) struct Course {
    pub(super) stage: Stage,
    pub(super) ruled: bool,
    pub(super) otherwise: Action,
    pub(super) reason: Reason,
    pub(super) detail: Detail,
    pub(super) shadow_share: u32,
    pub(super) from_file: bool,
}

impl Course {
    /// The course of a flag in a process.
    pub(super) fn of(
        process: &Process,
        name: &str,
        flag: &document::Flag,
        rules: &[Rule],
        otherwise: Option<Action>,
    ) -> Self {
        let forced = process.forced.get(name).copied();
        let course = match (process.blocked.get(name), forced) {
            _ if process.disabled => Self::stopped(Stage::Off, Detail::Killed, false),
            (Some(detail), _) => Self::stopped(Stage::Blocked, Detail::Blocked(detail.as_str().into()), false),
            (None, Some(word)) => Self::forced(word, flag),
            (None, None) if flag.killed => Self::stopped(Stage::Off, Detail::Killed, true),
            (None, None) => match flag.stage {
                Some(stage @ (Stage::Off | Stage::Shadow | Stage::Blocked | Stage::Paused)) => Self::pinned(stage),
                None if otherwise.is_none() => match step(process, name, flag) {
                    Some(step) => Self::by_plan(step, flag, rules),
                    None => Self::by_rules(None, flag, rules, None),
                },
                pin => Self::by_rules(pin, flag, rules, otherwise),
            },
        };
        let is_live = matches!(course.stage, Stage::Canary | Stage::On);
        let course = if process.lease_ended && is_live { Self::unheard() } else { course };
        Self { shadow_share: shadow_share(flag, forced), ..course }
    }

    /// Python answers, and calls are compared, until word comes from where the candidate may be taken back.
    fn unheard() -> Self {
        Self::stopped(Stage::Shadow, Detail::LeaseEnded, false)
    }

    fn constant(stage: Stage, reason: Reason, detail: Detail, from_file: bool) -> Self {
        let otherwise = Action::Serve(Implementation::Python);
        Self { stage, ruled: false, otherwise, reason, detail, shadow_share: 0, from_file }
    }

    fn stopped(stage: Stage, detail: Detail, from_file: bool) -> Self {
        Self::constant(stage, Reason::Disabled, detail, from_file)
    }

    fn pinned(stage: Stage) -> Self {
        Self::constant(stage, Reason::Static, Detail::Pinned(stage), true)
    }

    fn forced(word: Override, flag: &document::Flag) -> Self {
        let (stage, reason, otherwise) = match word {
            Override::Python => (Stage::Off, Reason::Disabled, Action::percent(0)),
            Override::Shadow => (Stage::Shadow, Reason::Static, Action::percent(0)),
            Override::Rust => (Stage::On, Reason::Static, Action::percent(BUCKETS)),
            Override::Percent(share @ BUCKETS..) => {
                (Stage::On, Reason::Static, share_of(flag.candidate(), Hash::Xxh3, share))
            }
            Override::Percent(share) => (Stage::Canary, Reason::Static, share_of(flag.candidate(), Hash::Xxh3, share)),
        };
        Self { otherwise, ..Self::constant(stage, reason, Detail::EnvOverride, false) }
    }

    /// The plan says what `otherwise` would: its share of the units, and the rest is compared.
    fn by_plan((step, share): (usize, u32), flag: &document::Flag, rules: &[Rule]) -> Self {
        let course = Self::by_rules(None, flag, rules, Some(share_of(flag.candidate(), flag.hash, share)));
        let stage = if course.stage == Stage::Off { Stage::Shadow } else { course.stage };
        Self { stage, detail: Detail::Step(format!("step:{step}").into()), ..course }
    }

    fn by_rules(pin: Option<Stage>, flag: &document::Flag, rules: &[Rule], otherwise: Option<Action>) -> Self {
        let open_end = if pin == Some(Stage::On) { flag.candidate() } else { Implementation::Python };
        let (reason, detail) = match (rules, pin, &otherwise) {
            ([_, ..], ..) => (Reason::Default, Detail::NoRule),
            ([], Some(stage), None) => (Reason::Static, Detail::Pinned(stage)),
            _ => (Reason::Static, Detail::None),
        };
        let otherwise = otherwise.unwrap_or(Action::Serve(open_end));
        let stage = pin.unwrap_or_else(|| derived(flag, rules, &otherwise));
        Self { ruled: true, otherwise, ..Self::constant(stage, reason, detail, true) }
    }
}

fn share_of(candidate: Implementation, hash: Hash, millionths: u32) -> Action {
    Action::split(hash, &[(candidate, millionths)])
}

/// The step a flag has reached, with its share. Without a plan of its own a flag has one once somebody has promoted it.
fn step(process: &Process, name: &str, flag: &document::Flag) -> Option<(usize, u32)> {
    let reached = process.steps.get(name).copied();
    match (&flag.plan, reached) {
        (None, None) => None,
        (None, Some(step)) => Some((step, document::Plan::default().share(step))),
        (Some(plan), reached) => Some((reached.unwrap_or(0), plan.share(reached.unwrap_or(0)))),
    }
}

/// Whoever demands shadowing from the environment means all of it, unless the file asks for a part.
fn shadow_share(flag: &document::Flag, forced: Option<Override>) -> u32 {
    match (flag.shadow, forced) {
        (None, _) | (Some(0), Some(Override::Shadow)) => BUCKETS,
        (Some(share), _) => share,
    }
}

/// The stage of a flag that names none: how far its outcomes reach.
fn derived(flag: &document::Flag, rules: &[Rule], otherwise: &Action) -> Stage {
    let mut outcomes = rules.iter().map(|rule| &rule.then).chain([otherwise]);
    let unconditional = flag.requires.is_empty() && flag.layer.is_none();
    if unconditional && outcomes.clone().all(Action::only_candidates) {
        Stage::On
    } else if outcomes.any(Action::some_candidate) {
        Stage::Canary
    } else if flag.shadow.is_some_and(|share| share > 0) {
        Stage::Shadow
    } else {
        Stage::Off
    }
}
