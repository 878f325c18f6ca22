//! The live breaker: takes a candidate out of service that fails more often, or is slower, than its control.
//!
//! # Layout
//!
//! - [`window`]: the calls of one side in the time that counts.
//! - [`histogram`]: their durations, in bounded memory.
//! - [`verdict`]: whether a difference between two sides is more than luck.
//!
//! What a stopped flag does is written in its [`crate::flags::standing`] word, which the caller sets: a guard only says when.

pub mod histogram;
pub mod verdict;
pub mod window;

#[cfg(test)]
mod simulation;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::flags::document;
use crate::flags::standing::Cause;

use window::Window;
pub use window::{Figures, Outcome};

/// The candidate is judged after so many of its calls, not after each: a look costs half a microsecond.
const STRIDE: u32 = 32;
/// Figures of the control are used for so many windows after it was last asked often enough.
const KEPT_WINDOWS: u64 = 10;
/// A candidate that fails again is held twice as long, up to two to this power.
const MOST_DOUBLINGS: u32 = 4;

/// Who answered a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Python, because the flag chose it. Calls it took over from a candidate are no sample of its own.
    Control,
    /// The candidate.
    Candidate,
    /// The candidate, in a flag that is being tried again.
    Retried,
}

/// What one call was like.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Who answered.
    pub side: Side,
    /// For how long, in nanoseconds.
    pub nanos: u64,
    /// How it ended.
    pub outcome: Outcome,
}

/// What a guard has concluded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// What is to be done.
    pub action: Action,
    /// What the candidate did.
    pub candidate: Figures,
    /// What it was compared with.
    pub control: Figures,
}

/// What is to be done with a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Stop it, for so many milliseconds.
    Trip(Cause, u64),
    /// Nothing: after a stop, the first unit has been let through.
    Retry,
    /// The retried calls were good: let all units through again.
    Close,
}

/// Watches one flag in one process. Its windows, 75 KiB, are made with the first call.
#[derive(Debug)]
pub struct Guard {
    definition: document::Guard,
    state: Mutex<Option<Box<State>>>,
}

#[derive(Debug)]
struct State {
    candidate: Window,
    control: Window,
    /// The last figures of a control that was asked often enough, and until when they are used.
    kept: Option<(Figures, u64)>,
    /// The candidate's calls are those of a retry; they are kept however long it takes, because they are few.
    is_retry: bool,
    unjudged: u32,
    doublings: u32,
    closed_ms: Option<u64>,
}

impl Guard {
    /// A guard that has seen nothing.
    #[must_use]
    pub fn new(definition: document::Guard) -> Self {
        Self { definition, state: Mutex::new(None) }
    }

    /// What is watched for.
    #[must_use]
    pub fn definition(&self) -> &document::Guard {
        &self.definition
    }

    /// Counts one call that ended at `now_ms`, in milliseconds of a clock that never goes back.
    pub fn record(&self, call: Measured, now_ms: u64) -> Option<Verdict> {
        let mut state = self.lock();
        let state = state.get_or_insert_with(|| Box::new(State::new(self.definition.window_ms)));
        match call.side {
            Side::Control => {
                state.control.record(call.nanos, call.outcome, now_ms);
                None
            }
            side => state.record_candidate(call, side == Side::Retried, now_ms).or_else(|| {
                let is_due = state.unjudged >= STRIDE.min(self.definition.min_calls);
                if is_due { state.judge(&self.definition, now_ms) } else { None }
            }),
        }
    }

    /// The candidate's and the control's figures in the window that ends at `now_ms`.
    #[must_use]
    pub fn figures(&self, now_ms: u64) -> (Figures, Figures) {
        let mut state = self.lock();
        let Some(state) = state.as_mut() else {
            return Default::default();
        };
        state.control.forget(now_ms);
        if !state.is_retry {
            state.candidate.forget(now_ms);
        }
        (state.candidate.figures(), state.control.figures())
    }

    /// A thread that panicked while it counted leaves at worst a call half counted.
    fn lock(&self) -> MutexGuard<'_, Option<Box<State>>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(window_ms: u64) -> Self {
        Self {
            candidate: Window::new(window_ms),
            control: Window::new(window_ms),
            kept: None,
            is_retry: false,
            unjudged: 0,
            doublings: 0,
            closed_ms: None,
        }
    }

    /// The account begins again when a retry begins, or when somebody else has ended it.
    fn record_candidate(&mut self, call: Measured, is_retry: bool, now_ms: u64) -> Option<Verdict> {
        let has_changed = self.is_retry != is_retry;
        if has_changed {
            self.begin(is_retry);
        }
        if is_retry {
            self.candidate.keep(call.nanos, call.outcome);
        } else {
            self.candidate.record(call.nanos, call.outcome, now_ms);
        }
        self.unjudged += 1;
        (has_changed && is_retry).then(|| Verdict {
            action: Action::Retry,
            candidate: self.candidate.figures(),
            control: self.control.figures(),
        })
    }

    fn begin(&mut self, is_retry: bool) {
        self.is_retry = is_retry;
        self.unjudged = 0;
        self.candidate.clear();
    }

    fn judge(&mut self, definition: &document::Guard, now_ms: u64) -> Option<Verdict> {
        self.unjudged = 0;
        if self.candidate.calls() < u64::from(definition.min_calls) {
            return None;
        }
        let control = self.reference(definition, now_ms);
        let suspicion = verdict::suspicion(definition, &self.candidate, &control);
        let action = if suspicion.chance < verdict::STOP_LEVEL {
            Action::Trip(suspicion.cause, self.trip(definition.hold_ms, now_ms))
        } else if self.is_retry && suspicion.chance > verdict::DOUBT_LEVEL {
            self.closed_ms = Some(now_ms);
            Action::Close
        } else {
            return None;
        };
        let candidate = self.candidate.figures();
        self.begin(false);
        Some(Verdict { action, candidate, control })
    }

    /// How long the candidate stays out: longer when it fails a retry, or soon after one.
    fn trip(&mut self, hold_ms: u64, now_ms: u64) -> u64 {
        let is_relapse = self.closed_ms.is_some_and(|closed| now_ms < closed.saturating_add(hold_ms));
        self.doublings = if self.is_retry || is_relapse { MOST_DOUBLINGS.min(self.doublings + 1) } else { 0 };
        hold_ms.saturating_mul(1 << self.doublings)
    }

    /// What the candidate is compared with: the control's own calls, or those it was last asked, or, for want of any, a
    /// control that raises only where it did so in the candidate's place.
    fn reference(&mut self, definition: &document::Guard, now_ms: u64) -> Figures {
        self.control.forget(now_ms);
        if self.control.calls() >= u64::from(definition.min_calls) {
            let figures = self.control.figures();
            self.kept = Some((figures, now_ms.saturating_add(KEPT_WINDOWS * definition.window_ms)));
            return figures;
        }
        let kept = self.kept.filter(|(_, until)| now_ms < *until).map(|(figures, _)| figures);
        kept.unwrap_or_else(|| self.candidate.stand_in())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFINITION: document::Guard = document::Guard {
        window_ms: 60_000,
        min_calls: 100,
        error_rate_over: Some(5_000),
        latency_ratio: Some(1_100),
        hold_ms: 300_000,
        retry: 10_000,
        scope: document::Scope::Process,
    };

    /// A guard and its clock.
    struct Watched {
        guard: Guard,
        now_ms: u64,
    }

    impl Watched {
        fn new() -> Self {
            Self { guard: Guard::new(DEFINITION), now_ms: 0 }
        }

        /// Records so many calls, a millisecond apart, until there is a verdict.
        fn calls(&mut self, side: Side, count: u32, nanos: u64, outcome: Outcome) -> Option<Action> {
            (0..count).find_map(|_| {
                self.now_ms += 1;
                let verdict = self.guard.record(Measured { side, nanos, outcome }, self.now_ms);
                verdict.map(|verdict| verdict.action).filter(|action| *action != Action::Retry)
            })
        }

        fn good(&mut self, side: Side, count: u32) -> Option<Action> {
            self.calls(side, count, 50_000, Outcome::Value)
        }

        fn failing(&mut self, side: Side, count: u32) -> Option<Action> {
            self.calls(side, count, 50_000, Outcome::Error)
        }
    }

    #[test]
    fn a_candidate_that_fails_is_stopped_once_there_are_enough_calls() {
        let mut watched = Watched::new();
        watched.good(Side::Control, 500);
        assert_eq!(None, watched.failing(Side::Candidate, 99));
        assert_eq!(Some(Action::Trip(Cause::ErrorRate, 300_000)), watched.failing(Side::Candidate, 29));
    }

    #[test]
    fn a_candidate_that_fails_as_the_control_fails_is_not_stopped() {
        let mut watched = Watched::new();
        watched.failing(Side::Control, 500);
        assert_eq!(None, watched.failing(Side::Candidate, 5_000));
    }

    #[test]
    fn without_calls_of_its_own_the_control_is_judged_by_what_it_did_in_the_candidates_place() {
        let mut watched = Watched::new();
        assert_eq!(None, watched.calls(Side::Candidate, 5_000, 50_000, Outcome::ErrorOfBoth));
        let tripped = watched.failing(Side::Candidate, 5_000);
        assert_eq!(Some(Action::Trip(Cause::ErrorRate, 300_000)), tripped);
    }

    #[test]
    fn a_slow_candidate_is_stopped_and_one_slow_call_or_one_early_error_is_not() {
        let mut watched = Watched::new();
        watched.good(Side::Control, 500);
        watched.failing(Side::Candidate, 1);
        watched.calls(Side::Candidate, 1, 60_000_000_000, Outcome::Value);
        assert_eq!(None, watched.good(Side::Candidate, 5_000));
        assert_eq!(
            Some(Action::Trip(Cause::Latency, 300_000)),
            watched.calls(Side::Candidate, 5_000, 60_000, Outcome::Value)
        );
    }

    #[test]
    fn a_control_that_is_no_longer_asked_is_remembered_for_ten_windows() {
        for (idle_ms, expected) in [(500_000, Some(Action::Trip(Cause::Latency, 300_000))), (600_000, None)] {
            let mut watched = Watched::new();
            watched.good(Side::Control, 500);
            watched.good(Side::Candidate, 200);
            watched.now_ms += idle_ms;
            assert_eq!(expected, watched.calls(Side::Candidate, 2_000, 90_000, Outcome::Value));
        }
    }

    #[test]
    fn good_retries_end_the_stop_and_slow_traffic_does_not_delay_that_for_ever() {
        let mut watched = Watched::new();
        watched.good(Side::Control, 500);
        watched.failing(Side::Candidate, 200);
        let ended = (0..200).find_map(|_| {
            watched.now_ms += 20_000;
            watched.good(Side::Retried, 1)
        });
        assert_eq!(Some(Action::Close), ended);
    }

    #[test]
    fn a_retry_is_announced_once() {
        let guard = Guard::new(DEFINITION);
        let call = Measured { side: Side::Retried, nanos: 50_000, outcome: Outcome::Value };
        let announced = (0..50).filter_map(|now_ms| guard.record(call, now_ms)).map(|verdict| verdict.action);
        assert_eq!(vec![Action::Retry], announced.collect::<Vec<_>>());
    }

    #[test]
    fn each_failed_retry_doubles_the_hold_up_to_sixteen_times() {
        let mut watched = Watched::new();
        watched.good(Side::Control, 500);
        let mut holds = vec![watched.failing(Side::Candidate, 200)];
        for _ in 0..6 {
            watched.good(Side::Control, 500);
            holds.push(watched.failing(Side::Retried, 200));
        }
        let expected = [1, 2, 4, 8, 16, 16, 16].map(|times| Some(Action::Trip(Cause::ErrorRate, 300_000 * times)));
        assert_eq!(expected.as_slice(), holds);
    }

    #[test]
    fn a_relapse_soon_after_a_good_retry_counts_as_a_failed_one() {
        for (idle_ms, times) in [(0, 2), (300_000, 1)] {
            let mut watched = Watched::new();
            watched.failing(Side::Candidate, 200);
            assert_eq!(Some(Action::Close), watched.good(Side::Retried, 200));
            watched.now_ms += idle_ms;
            let expected = Some(Action::Trip(Cause::ErrorRate, 300_000 * times));
            assert_eq!(expected, watched.failing(Side::Candidate, 200));
        }
    }

    #[test]
    fn a_doubtful_retry_goes_on() {
        let mut watched = Watched::new();
        watched.good(Side::Control, 500);
        watched.failing(Side::Retried, 4);
        assert_eq!(None, watched.good(Side::Retried, 110));
        assert_eq!(Some(Action::Close), watched.good(Side::Retried, 2_000));
    }
}
