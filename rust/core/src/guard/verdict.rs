//! Whether the candidate is worse than the control, or merely had worse luck. Pure.
//!
//! Both questions are one: of two groups of calls, how likely is it that the first has so many bad ones by chance?
//! The answer is the upper tail of the hypergeometric distribution, exact for any number of calls (R. A. Fisher, The
//! Design of Experiments, 1935). A bad call is one that raised or, for latency, one slower than the control's own 99th
//! percentile; how many calls of a second sample exceed a rank of the first has the same distribution (E. J. Gumbel and
//! H. von Schelling, The Distribution of the Number of Exceedances, 1950), whatever that of the durations.

use super::window::{Figures, Window};
use crate::flags::document;
use crate::flags::standing::Cause;

/// A difference that chance alone brings about less often than this, at one look, stops the candidate.
pub const STOP_LEVEL: f64 = 1e-6;
/// A candidate that was stopped must look better than this to be let through again.
pub const DOUBT_LEVEL: f64 = 0.05;
/// Fewer bad calls than this prove nothing, however few calls there were.
const LEAST_BAD: u64 = 3;
const MILLION: f64 = 1e6;
const SLOWER: u64 = 100;

/// The calls of one side, and those of them that were bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// All calls.
    pub calls: u64,
    /// The bad ones.
    pub bad: u64,
}

/// How likely the worse of the two comparisons is by chance, and which it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suspicion {
    /// What is worse.
    pub cause: Cause,
    /// The chance, 1 when nothing is worse.
    pub chance: f64,
}

/// Compares a candidate's calls with its control's.
#[must_use]
pub fn suspicion(definition: &document::Guard, candidate: &Window, control: &Figures) -> Suspicion {
    let errors = definition.error_rate_over.map_or(1.0, |over| by_errors(over, candidate, control));
    let latency = definition.latency_ratio.map_or(1.0, |ratio| by_latency(ratio, candidate, control));
    if latency < errors {
        Suspicion { cause: Cause::Latency, chance: latency }
    } else {
        Suspicion { cause: Cause::ErrorRate, chance: errors }
    }
}

/// The control is taken to have failed as much more often as the candidate may.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "call counts")]
fn by_errors(over: u32, candidate: &Window, control: &Figures) -> f64 {
    let allowed = (f64::from(over) / MILLION * control.calls as f64).ceil() as u64;
    let candidate = Group { calls: candidate.calls(), bad: candidate.errors() };
    chance(candidate, Group { calls: control.calls, bad: control.calls.min(control.errors + allowed) })
}

fn by_latency(ratio: u32, candidate: &Window, control: &Figures) -> f64 {
    if control.p99_nanos == 0 {
        return 1.0;
    }
    let bound = control.p99_nanos.saturating_mul(u64::from(ratio)) / 1_000;
    let candidate = Group { calls: candidate.calls(), bad: candidate.reaching(bound) };
    chance(candidate, Group { calls: control.calls, bad: control.calls / SLOWER })
}

/// How likely the first group has at least as many bad calls as it has, if bad calls fall on both alike.
#[must_use]
pub fn chance(first: Group, second: Group) -> f64 {
    let is_worse = u128::from(first.bad) * u128::from(second.calls) > u128::from(second.bad) * u128::from(first.calls);
    if first.bad < LEAST_BAD || !is_worse {
        return 1.0;
    }
    upper_tail(first, second).min(1.0)
}

/// Sums the probabilities from what was seen upwards; above the expectation each is smaller than the one before.
#[expect(clippy::cast_precision_loss, reason = "call counts")]
fn upper_tail(first: Group, second: Group) -> f64 {
    const NEGLIGIBLE: f64 = 1e-9;
    let (calls, others, bad) = (first.calls as f64, second.calls as f64, (first.bad + second.bad) as f64);
    let mut seen = first.bad as f64;
    let mut term = (choose(calls, seen) + choose(others, bad - seen) - choose(calls + others, bad)).exp();
    let mut sum = 0.0;
    while term > sum * NEGLIGIBLE {
        sum += term;
        term *= (bad - seen) * (calls - seen) / ((seen + 1.0) * (others - bad + seen + 1.0));
        seen += 1.0;
    }
    sum
}

/// The logarithm of the number of ways to choose `some` of `all`.
fn choose(all: f64, some: f64) -> f64 {
    libm::lgamma(all + 1.0) - libm::lgamma(some + 1.0) - libm::lgamma(all - some + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(bad: u64, calls: u64) -> Group {
        Group { calls, bad }
    }

    #[test]
    fn the_chance_is_that_of_fishers_exact_test() {
        // One of the C(8, 4) = 70 ways to serve four cups of eight puts all bad ones first; 17 put at least three.
        assert!((chance(group(4, 4), group(0, 4)) - 1.0 / 70.0).abs() < 1e-12);
        assert!((chance(group(3, 4), group(1, 4)) - 17.0 / 70.0).abs() < 1e-12);
        assert!((chance(group(9, 10), group(0, 10)) - 10.0 / 167_960.0).abs() < 1e-12);
    }

    #[test]
    fn the_tail_adds_up_over_a_million_calls() {
        let (first, second) = (group(600, 500_000), group(400, 500_000));
        let by_normal_law = 1.4e-10; // 600 of 1000 fair coins: 6.3 standard deviations
        let found = chance(first, second);
        assert!((by_normal_law / 2.0..by_normal_law * 2.0).contains(&found), "{found}");
    }

    #[test]
    fn few_bad_calls_prove_nothing() {
        assert!(chance(group(1, 1), group(0, 1_000_000)) > DOUBT_LEVEL);
        assert!(chance(group(2, 2), group(0, 1_000_000)) > DOUBT_LEVEL);
        assert!(chance(group(3, 3), group(0, 1_000_000)) < STOP_LEVEL);
    }

    #[test]
    fn who_is_not_worse_is_not_suspected() {
        assert!((chance(group(50, 1_000), group(5, 100)) - 1.0).abs() < f64::EPSILON);
        assert!((chance(group(0, 0), group(0, 0)) - 1.0).abs() < f64::EPSILON);
    }
}
