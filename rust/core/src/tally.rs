//! The accounting of served and shadowed calls.
//!
//! One [`Tally`] belongs to one feature. Every call that could have been shadowed is *offered* and then sits in exactly one
//! place, so that at any moment
//!
//! ```text
//! offered = sampled_out + compared + sum(shed) + in_flight        compared = matched + waived + diverged
//! ```
//!
//! One mutex guards all fields: a reading taken between two transitions is always one of the states above.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Distinct words kept per map; a program that invents reasons cannot grow the tally without end.
const MAX_WORDS: usize = 64;
/// Where counts go whose word is too long, is not a plain word, or comes after [`MAX_WORDS`] others.
pub const OTHER: &str = "other";

/// Counts by a short word: an implementation, a reason, a kind of failure.
pub type Counts = BTreeMap<String, u64>;

/// What a comparison found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Both sides did the same.
    Matched,
    /// They differed in a way that has been accepted, or the control does not even agree with itself.
    Waived,
    /// They differed.
    Diverged,
}

impl Outcome {
    /// The outcome a word names, or `None` for any other word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "matched" => Some(Self::Matched),
            "waived" => Some(Self::Waived),
            "diverged" => Some(Self::Diverged),
            _ => None,
        }
    }
}

/// A transition that would have broken the identity: it ends a call of which none is in flight. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NothingInFlight;

impl fmt::Display for NothingInFlight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no call is in flight that could be compared or shed")
    }
}

impl std::error::Error for NothingInFlight {}

/// Everything one tally has counted, as of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Calls by the implementation that answered the caller.
    pub served: Counts,
    /// Calls a candidate refused before doing anything, by reason.
    pub declined: Counts,
    /// Calls a candidate failed to answer, by kind.
    pub failed: Counts,
    /// Calls that could have been shadowed.
    pub offered: u64,
    /// Offered calls the sample left out.
    pub sampled_out: u64,
    /// Offered calls whose two sides were compared.
    pub compared: u64,
    /// Comparisons without a difference.
    pub matched: u64,
    /// Comparisons with an accepted difference.
    pub waived: u64,
    /// Comparisons with a difference.
    pub diverged: u64,
    /// Offered calls that were given up, by reason.
    pub shed: Counts,
    /// Offered calls whose comparison is still to come: a gauge of its own, never derived from the others.
    pub in_flight: u64,
}

impl Reading {
    /// Whether every offered call is accounted for.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let shed: u64 = self.shed.values().sum();
        self.offered == self.sampled_out + self.compared + shed + self.in_flight
            && self.compared == self.matched + self.waived + self.diverged
    }
}

/// The two implementations every seam has are fields, so that counting them on each call costs an addition and no lookup.
#[derive(Debug, Default)]
struct State {
    python: u64,
    rust: u64,
    reading: Reading,
}

/// The counters of one feature in one process.
#[derive(Debug, Default)]
pub struct Tally {
    state: Mutex<State>,
}

impl Tally {
    /// An empty tally.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a call answered by `implementation`.
    pub fn serve(&self, implementation: &str) {
        let mut state = self.lock();
        match implementation {
            "python" => state.python += 1,
            "rust" => state.rust += 1,
            other => count(&mut state.reading.served, other),
        }
    }

    /// Counts a call the candidate refused before doing anything.
    pub fn decline(&self, reason: &str) {
        count(&mut self.lock().reading.declined, reason);
    }

    /// Counts a call the candidate should have answered and could not.
    pub fn fail(&self, kind: &str) {
        count(&mut self.lock().reading.failed, kind);
    }

    /// Counts an offered call that the sample leaves out.
    pub fn sample_out(&self) {
        let reading = &mut self.lock().reading;
        reading.offered += 1;
        reading.sampled_out += 1;
    }

    /// Counts an offered call that the sample leaves out and Python answers, at the price of one count.
    pub fn serve_sampled_out(&self) {
        let mut state = self.lock();
        state.python += 1;
        state.reading.offered += 1;
        state.reading.sampled_out += 1;
    }

    /// Counts an offered call whose comparison has begun.
    pub fn accept(&self) {
        let reading = &mut self.lock().reading;
        reading.offered += 1;
        reading.in_flight += 1;
    }

    /// Ends a call that is in flight with what its comparison found.
    ///
    /// # Errors
    ///
    /// [`NothingInFlight`] when no accepted call is left to end.
    pub fn compare(&self, outcome: Outcome) -> Result<(), NothingInFlight> {
        let reading = &mut self.lock().reading;
        land(reading)?;
        reading.compared += 1;
        match outcome {
            Outcome::Matched => reading.matched += 1,
            Outcome::Waived => reading.waived += 1,
            Outcome::Diverged => reading.diverged += 1,
        }
        Ok(())
    }

    /// Gives up a call for `reason`: one that is in flight when `accepted`, otherwise one just offered.
    ///
    /// # Errors
    ///
    /// [`NothingInFlight`] when `accepted` is set and no accepted call is left to end.
    pub fn shed(&self, reason: &str, accepted: bool) -> Result<(), NothingInFlight> {
        let reading = &mut self.lock().reading;
        if accepted {
            land(reading)?;
        } else {
            reading.offered += 1;
        }
        count(&mut reading.shed, reason);
        Ok(())
    }

    /// Forgets everything: a forked child begins its own account, the calls so far are its parent's to report.
    pub fn reset(&self) {
        *self.lock() = State::default();
    }

    /// All counters as of one moment.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let state = self.lock();
        let mut reading = state.reading.clone();
        reading.served.insert("python".to_owned(), state.python);
        reading.served.insert("rust".to_owned(), state.rust);
        reading
    }

    /// No transition can panic between its first and its last write, so a poisoned state is still a balanced one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn land(reading: &mut Reading) -> Result<(), NothingInFlight> {
    reading.in_flight = reading.in_flight.checked_sub(1).ok_or(NothingInFlight)?;
    Ok(())
}

fn count(counts: &mut Counts, word: &str) {
    if let Some(n) = counts.get_mut(word) {
        *n += 1;
        return;
    }
    let known = is_word(word) && counts.len() < MAX_WORDS;
    *counts.entry(if known { word } else { OTHER }.to_owned()).or_default() += 1;
}

/// Words are written down and shown, so anything that could be a piece of a call's content is not accepted as one.
fn is_word(word: &str) -> bool {
    (1..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Transition {
        Serve(String),
        Decline(String),
        SampleOut,
        Accept,
        Compare(Outcome),
        Shed(String, bool),
    }

    fn transitions() -> impl Strategy<Value = Vec<Transition>> {
        let word = "[a-c ]{0,2}";
        let outcome = prop_oneof![Just(Outcome::Matched), Just(Outcome::Waived), Just(Outcome::Diverged)];
        proptest::collection::vec(
            prop_oneof![
                prop_oneof![Just("python".to_owned()), Just("rust".to_owned()), word.prop_map(String::from)]
                    .prop_map(Transition::Serve),
                word.prop_map(Transition::Decline),
                Just(Transition::SampleOut),
                Just(Transition::Accept),
                outcome.prop_map(Transition::Compare),
                (word, any::<bool>()).prop_map(|(reason, accepted)| Transition::Shed(reason, accepted)),
            ],
            0..60,
        )
    }

    fn apply(tally: &Tally, transition: &Transition) -> Result<(), NothingInFlight> {
        match transition {
            Transition::Serve(implementation) => tally.serve(implementation),
            Transition::Decline(reason) => tally.decline(reason),
            Transition::SampleOut => tally.sample_out(),
            Transition::Accept => tally.accept(),
            Transition::Compare(outcome) => return tally.compare(*outcome),
            Transition::Shed(reason, accepted) => return tally.shed(reason, *accepted),
        }
        Ok(())
    }

    proptest! {
        /// The identity holds after every transition, and a refused one changes nothing.
        #[test]
        fn every_reading_is_balanced(sequence in transitions()) {
            let tally = Tally::new();
            for transition in &sequence {
                let before = tally.reading();
                let result = apply(&tally, transition);
                let after = tally.reading();
                prop_assert!(after.is_balanced(), "{after:?}");
                if result.is_err() {
                    prop_assert_eq!(0, before.in_flight);
                    prop_assert_eq!(before, after);
                }
            }
        }
    }

    /// Ending a call of which none is in flight is refused.
    #[test]
    fn a_comparison_needs_a_call_in_flight() {
        let tally = Tally::new();
        assert_eq!(Err(NothingInFlight), tally.compare(Outcome::Matched));
        assert_eq!(Err(NothingInFlight), tally.shed("budget", true));
        tally.accept();
        assert_eq!(Ok(()), tally.compare(Outcome::Matched));
        assert_eq!(Err(NothingInFlight), tally.compare(Outcome::Matched));
    }

    /// Both implementations every seam has are always shown, others when they were used.
    #[test]
    fn served_names_python_and_rust_always() {
        let tally = Tally::new();
        tally.serve("rust");
        tally.serve("litellm_rust");
        let expected = [("litellm_rust", 1), ("python", 0), ("rust", 1)].map(|(word, n)| (word.to_owned(), n));
        assert_eq!(Counts::from(expected), tally.reading().served);
    }

    /// A word that could be content, and the sixty-fifth distinct one, are counted as "other".
    #[test]
    fn words_are_bounded_and_plain() {
        let tally = Tally::new();
        tally.decline("the prompt was: hello");
        (0..100).for_each(|i| tally.decline(&format!("reason_{i}")));
        let declined = tally.reading().declined;
        assert_eq!(MAX_WORDS, declined.len());
        assert_eq!(101, declined.values().sum::<u64>());
        assert_eq!(Some(&38), declined.get(OTHER));
    }

    /// A mutex poisoned by a panicking thread keeps counting.
    #[test]
    fn a_poisoned_mutex_is_still_used() {
        let tally = Tally::new();
        tally.accept();
        let panicked = std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    let _guard = tally.state.lock();
                    panic!("poisons the mutex")
                })
                .join()
                .is_err()
        });
        assert!(panicked && tally.state.is_poisoned());
        assert_eq!(Ok(()), tally.compare(Outcome::Diverged));
        assert_eq!(1, tally.reading().diverged);
    }

    /// A reset tally is an empty one.
    #[test]
    fn reset_forgets_everything() {
        let tally = Tally::new();
        tally.accept();
        tally.serve("python");
        tally.reset();
        assert_eq!(Tally::new().reading(), tally.reading());
    }
}
