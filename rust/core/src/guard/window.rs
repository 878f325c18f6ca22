//! The calls of one side in the time that counts.

use super::histogram::Histogram;

/// The time that counts is cut into so many slices; the oldest is forgotten as a whole.
const SLICES: usize = 10;
// Of a hundred calls one may be slower than the 99th percentile.
const SLOWER: u64 = 100;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With a value.
    Value,
    /// It raised.
    Error,
    /// It raised, and the control, asked the same, raised the same.
    ErrorOfBoth,
}

/// A side's calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many there were.
    pub calls: u64,
    /// How many of them raised.
    pub errors: u64,
    /// How many of those raised on both sides.
    pub errors_of_both: u64,
    /// At most 1 % of them took this long or longer, in nanoseconds; 0 without calls.
    pub p99_nanos: u64,
}

#[derive(Debug, Clone, Default)]
struct Slice {
    calls: u64,
    errors: u64,
    errors_of_both: u64,
    durations: Histogram,
}

/// A sliding window: everything since the oldest slice began, so between nine and ten tenths of its length.
#[derive(Debug)]
pub struct Window {
    slice_ms: u64,
    slices: [Slice; SLICES],
    whole: Slice,
    /// When the slice that is being filled ends, in milliseconds, and which it is.
    ends_ms: u64,
    filling: usize,
}

impl Window {
    /// An empty window of a length in milliseconds.
    #[must_use]
    pub fn new(length_ms: u64) -> Self {
        let slice_ms = (length_ms / SLICES as u64).max(1);
        Self { slice_ms, slices: Default::default(), whole: Slice::default(), ends_ms: 0, filling: 0 }
    }

    /// Counts one call that ended at `now_ms`; times before the latest count as the latest.
    pub fn record(&mut self, nanos: u64, outcome: Outcome, now_ms: u64) {
        self.forget(now_ms);
        self.slices[self.filling].add(nanos, outcome);
        self.whole.add(nanos, outcome);
    }

    /// Counts one call that ends in the slice that is being filled, and leaves every slice in place.
    pub fn keep(&mut self, nanos: u64, outcome: Outcome) {
        self.slices[self.filling].add(nanos, outcome);
        self.whole.add(nanos, outcome);
    }

    /// Forgets the slices that are too old at `now_ms`.
    pub fn forget(&mut self, now_ms: u64) {
        if now_ms < self.ends_ms {
            return;
        }
        let passed = (now_ms - self.ends_ms) / self.slice_ms + 1;
        for _ in 0..passed.min(SLICES as u64) {
            self.filling = (self.filling + 1) % SLICES;
            self.whole.subtract(&self.slices[self.filling]);
            self.slices[self.filling].clear();
        }
        self.ends_ms += passed * self.slice_ms;
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.slices.iter_mut().for_each(Slice::clear);
        self.whole.clear();
    }

    /// How many calls there are.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.whole.calls
    }

    /// How many of them raised.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.whole.errors
    }

    /// What the calls were like. The percentile costs a walk over the buckets.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let Slice { calls, errors, errors_of_both, ref durations } = self.whole;
        Figures { calls, errors, errors_of_both, p99_nanos: durations.edge(calls / SLOWER) }
    }

    /// The figures of somebody who was asked the same, raised only where both raised, and whose time nobody took.
    #[must_use]
    pub fn stand_in(&self) -> Figures {
        let Slice { calls, errors_of_both, .. } = self.whole;
        Figures { calls, errors: errors_of_both, errors_of_both, p99_nanos: 0 }
    }

    /// How many calls took at least so many nanoseconds; some that just did may be missing.
    #[must_use]
    pub fn reaching(&self, nanos: u64) -> u64 {
        self.whole.durations.reaching(nanos)
    }
}

impl Slice {
    fn add(&mut self, nanos: u64, outcome: Outcome) {
        self.calls += 1;
        self.errors += u64::from(outcome != Outcome::Value);
        self.errors_of_both += u64::from(outcome == Outcome::ErrorOfBoth);
        self.durations.add(nanos);
    }

    fn subtract(&mut self, part: &Self) {
        if part.calls > 0 {
            self.calls -= part.calls;
            self.errors -= part.errors;
            self.errors_of_both -= part.errors_of_both;
            self.durations.subtract(&part.durations);
        }
    }

    fn clear(&mut self) {
        if self.calls > 0 {
            (self.calls, self.errors, self.errors_of_both) = (0, 0, 0);
            self.durations.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_call_counts_for_the_length_and_no_longer() {
        let mut window = Window::new(1_000);
        window.record(5_000, Outcome::Error, 1_000);
        window.forget(1_899);
        assert_eq!((1, 1), (window.figures().calls, window.figures().errors));
        window.forget(2_000);
        assert_eq!(Figures::default(), window.figures());
    }

    #[test]
    fn one_slow_call_of_a_hundred_is_above_the_percentile_and_two_are_not() {
        let mut window = Window::new(1_000);
        (0..99).for_each(|_| window.record(10_000, Outcome::Value, 1));
        window.record(900_000, Outcome::Value, 1);
        assert!((10_000..10_400).contains(&window.figures().p99_nanos));
        window.record(900_000, Outcome::Value, 1);
        assert!((900_000..930_000).contains(&window.figures().p99_nanos));
    }

    proptest! {
        #[test]
        fn the_whole_is_what_its_slices_hold(steps in prop::collection::vec((0_u64..400, any::<bool>()), 1..200)) {
            let mut window = Window::new(1_000);
            let mut now = 0;
            for (step, is_error) in steps {
                now += step;
                window.record(step * 1_000, if is_error { Outcome::ErrorOfBoth } else { Outcome::Value }, now);
                let calls: u64 = window.slices.iter().map(|slice| slice.calls).sum();
                let errors: u64 = window.slices.iter().map(|slice| slice.errors).sum();
                let found = window.figures();
                prop_assert_eq!((calls, errors, errors), (window.calls(), found.errors, found.errors_of_both));
                prop_assert_eq!(calls, window.reaching(0));
            }
        }
    }
}
