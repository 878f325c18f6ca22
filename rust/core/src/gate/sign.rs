//! Evidence about which of two outcomes is the more frequent: which side is faster, which side disagrees.

use super::beta::Beta;
use super::limit::{Counts, Limit};
use super::threshold;

/// Halvings of the range of a probability: more than a float resolves.
const HALVINGS: usize = 60;
const PRIOR: Beta = Beta { a: 0.5, b: 0.5 };

/// Evidence against the first outcome being at most as frequent as the second; pairs without a preference do not count.
///
/// With `first` the calls on which only the candidate differs from the control, and `second` those on which only
/// a second run of the control does, it tells a candidate's divergence from the control's own noise exactly: if the
/// candidate is like another run of the control, a discordant call is its own with a probability of one half.
#[must_use]
pub fn excess(first: u64, second: u64) -> f64 {
    Limit::half().above(Counts { bad: first, all: first.saturating_add(second) })
}

/// The probability of the first outcome: the interval that fails to hold it with a probability of at most `alpha`, at
/// whatever moments it is asked for.
///
/// It holds every probability against which a `Beta(1/2, 1/2)` mixture has not reached `1 / alpha`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 the relative error is 1e-16")]
pub fn interval(alpha: f64, first: u64, second: u64) -> (f64, f64) {
    let (first, second) = (first as f64, second as f64);
    (lower(alpha, first, second), 1.0 - lower(alpha, second, first))
}

/// The evidence against a probability falls as it rises to the share that was seen.
fn lower(alpha: f64, wins: f64, losses: f64) -> f64 {
    if wins == 0.0 {
        return 0.0;
    }
    let posterior = Beta { a: PRIOR.a + wins, b: PRIOR.b + losses };
    let likelihood = posterior.ln_norm() - posterior.rounding() - PRIOR.ln_norm();
    let (mut low, mut high) = (0.0_f64, wins / (wins + losses));
    for _ in 0..HALVINGS {
        let between = f64::midpoint(low, high);
        let is_excluded = likelihood - wins * between.ln() - losses * (-between).ln_1p() >= threshold(alpha);
        if is_excluded { low = between } else { high = between }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// After how many pairs, of which a share is won, the interval lies above one half.
    fn pairs_until_decided(won_of_hundred: u64, alpha: f64) -> u64 {
        (1..100_000)
            .find(|pairs| {
                let won = (pairs * won_of_hundred + 50) / 100;
                interval(alpha, won, pairs - won).0 > 0.5
            })
            .unwrap()
    }

    #[test]
    fn a_clear_preference_takes_few_pairs_and_a_slight_one_many() {
        let found = [99, 90, 75, 60, 55].map(|share| pairs_until_decided(share, 0.01));
        for (found, expected) in found.into_iter().zip([10, 18, 53, 388, 1_708]) {
            assert!(found.abs_diff(expected) * 3 <= expected, "{found} pairs instead of about {expected}");
        }
    }

    #[test]
    fn nothing_seen_excludes_nothing() {
        assert_eq!((0.0, 1.0), interval(0.01, 0, 0));
        assert!(excess(0, 0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn an_interval_holds_the_share_that_was_seen(first in 0_u64..10_000_000, second in 0_u64..10_000_000) {
            let (low, high) = interval(0.05, first, second);
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let share = if first + second == 0 { 0.5 } else { first as f64 / (first + second) as f64 };
            prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0, "{low} {share} {high}");
        }

        #[test]
        fn excess_on_one_side_is_none_on_the_other(first in 0_u64..100_000, second in 0_u64..100_000) {
            prop_assert!(excess(first, second) < threshold(0.4) || excess(second, first) < threshold(0.4));
        }

        #[test]
        fn more_on_the_first_side_is_more_evidence(first in 0_u64..100_000, second in 0_u64..100_000) {
            prop_assert!(excess(first + 1, second) >= excess(first, second));
            prop_assert!(excess(first, second + 1) <= excess(first, second));
        }
    }
}
