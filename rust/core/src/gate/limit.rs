//! Evidence about one rate, such as the share of calls that diverge.

use super::beta::Beta;
use super::threshold;

/// The weight of the bet that nothing ever differs; the rest is for rates that are merely small.
const ON_NOTHING: f64 = 0.9;
/// A rate below this cannot be told from none.
const LEAST_RATE: f64 = 1e-12;
/// Halvings of a logarithm's range: more than a float resolves.
const HALVINGS: usize = 60;

/// How often something happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of `all`, so many did.
    pub bad: u64,
    /// How many could have.
    pub all: u64,
}

impl Counts {
    #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 the relative error is 1e-16")]
    fn bad_and_good(self) -> (f64, f64) {
        (self.bad.min(self.all) as f64, self.all.saturating_sub(self.bad) as f64)
    }

    fn with(self, further: u64) -> Self {
        Self { all: self.all.saturating_add(further), ..self }
    }
}

/// A rate that counts are held against.
///
/// The bet is a mixture over rates: likelihood against that of the limit, averaged by a beta distribution that is cut off
/// at the limit. `Beta(1/2, 1/2 / limit)` has its mean at the limit and gives every order of magnitude below it a share.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    rate: f64,
    prior: Beta,
    ln_below: f64,
    ln_above: f64,
}

impl Limit {
    /// A limit in (0, 1).
    #[must_use]
    pub fn new(rate: f64) -> Self {
        Self::with_prior(rate, Beta { a: 0.5, b: 0.5 / rate })
    }

    /// One half, and a prior without a preference for either side: Jeffreys' (1946).
    #[must_use]
    pub fn half() -> Self {
        Self::with_prior(0.5, Beta { a: 0.5, b: 0.5 })
    }

    fn with_prior(rate: f64, prior: Beta) -> Self {
        let ln_below = prior.ln_norm() + prior.below(rate).ln();
        let ln_above = prior.ln_norm() + prior.mirrored().below(1.0 - rate).ln();
        Self { rate, prior, ln_below, ln_above }
    }

    /// The limit.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Evidence against a rate at or above the limit, if the first bad one ends it: exactly `-all * ln(1 - rate)`.
    #[must_use]
    pub fn clean(&self, counts: Counts) -> f64 {
        let (bad, good) = counts.bad_and_good();
        if bad > 0.0 { f64::NEG_INFINITY } else { -good * (-self.rate).ln_1p() }
    }

    /// Evidence against a rate at or above the limit. It rises with every good one and falls with every bad one.
    ///
    /// Nine tenths of the bet say that there is no bad one at all; they are lost with the first. The last tenth, the
    /// mixture, is what later evidence grows from.
    #[must_use]
    pub fn below(&self, counts: Counts) -> f64 {
        ln_add(ON_NOTHING.ln() + self.clean(counts), (1.0 - ON_NOTHING).ln() + self.spread(counts))
    }

    /// Evidence against a rate at or below the limit.
    #[must_use]
    pub fn above(&self, counts: Counts) -> f64 {
        self.mixture(counts, self.ln_above, |posterior| posterior.mirrored().below(1.0 - self.rate))
    }

    /// Whether the rate is proven to lie below the limit, at a level in (0, 1).
    #[must_use]
    pub fn is_below(&self, alpha: f64, counts: Counts) -> bool {
        self.below(counts) >= threshold(alpha)
    }

    /// Whether the rate is proven to lie above the limit, at a level in (0, 1).
    #[must_use]
    pub fn is_above(&self, alpha: f64, counts: Counts) -> bool {
        self.above(counts) >= threshold(alpha)
    }

    /// How many further ones, none of them bad, prove the rate to lie below the limit.
    #[must_use]
    pub fn further(&self, alpha: f64, counts: Counts) -> u64 {
        let suffices = |further| self.is_below(alpha, counts.with(further));
        if suffices(0) {
            return 0;
        }
        let enough = (0..63).map(|power| 1_u64 << power).find(|further| suffices(*further)).unwrap_or(u64::MAX);
        let (mut few, mut enough) = (enough / 2, enough);
        while enough - few > 1 {
            let between = few + (enough - few) / 2;
            if suffices(between) { enough = between } else { few = between }
        }
        enough
    }

    /// The part of the bet that lives on after a bad one.
    pub(super) fn spread(&self, counts: Counts) -> f64 {
        self.mixture(counts, self.ln_below, |posterior| posterior.below(self.rate))
    }

    fn mixture(&self, counts: Counts, ln_prior: f64, mass: impl Fn(Beta) -> f64) -> f64 {
        let (bad, good) = counts.bad_and_good();
        let posterior = Beta { a: self.prior.a + bad, b: self.prior.b + good };
        let ln_limit = bad * self.rate.ln() + good * (-self.rate).ln_1p();
        posterior.ln_norm() - posterior.rounding() + mass(posterior).ln() - ln_prior - ln_limit
    }
}

/// The rate that is exceeded with a probability of at most `alpha`, at whatever moments it is asked for: the least limit
/// that the rate is proven to lie below. 1 while nothing is known.
#[must_use]
pub fn upper_bound(alpha: f64, counts: Counts) -> f64 {
    let (bad, good) = counts.bad_and_good();
    let is_above = |ln_rate: f64| Limit::new(ln_rate.exp()).is_below(alpha, counts);
    let (mut low, mut high) = ((bad / (bad + good)).max(LEAST_RATE).ln(), (-f64::EPSILON).ln_1p());
    if !is_above(high) {
        return 1.0;
    }
    for _ in 0..HALVINGS {
        let between = f64::midpoint(low, high);
        if is_above(between) { high = between } else { low = between }
    }
    high.exp()
}

/// The logarithm of a sum, from the logarithms of its parts.
fn ln_add(one: f64, other: f64) -> f64 {
    let (less, more) = if one < other { (one, other) } else { (other, one) };
    if less == f64::NEG_INFINITY { more } else { more + (less - more).exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counts(bad: u64, all: u64) -> Counts {
        Counts { bad, all }
    }

    #[test]
    fn the_bound_without_a_bad_one_is_exact() {
        for (rate, alpha, needed) in [
            (1e-3, 0.05, 2_995),
            (1e-2, 0.05, 299),
            (1e-3, 0.01, 4_603),
            (1e-3, 0.001, 6_905),
            (1e-4, 0.05, 29_956),
            (1e-4, 0.01, 46_050),
            (1e-4, 0.001, 69_075),
            (1e-5, 0.05, 299_572),
            (1e-5, 0.01, 460_515),
            (1e-5, 0.001, 690_773),
            (1e-6, 0.05, 2_995_731),
            (1e-6, 0.01, 4_605_168),
            (1e-6, 0.001, 6_907_752),
        ] {
            let limit = Limit::new(rate);
            assert!(limit.clean(counts(0, needed)) >= threshold(alpha), "{rate} {alpha}");
            assert!(limit.clean(counts(0, needed - 1)) < threshold(alpha), "{rate} {alpha}");
        }
    }

    #[test]
    fn the_mixture_is_what_scipy_says() {
        // ln E of the mixture alone, from scipy 1.17's betaln and betainc.
        for (rate, bad, all, expected) in [
            (1e-3, 0, 2_995, 2.397_542_458),
            (1e-3, 3, 10_000, 2.432_505_076),
            (1e-4, 1, 85_709, 4.605_191_977),
            (1e-4, 5, 168_928, 4.605_218_695),
            (1e-5, 0, 460_515, 3.823_789_885),
            (1e-5, 40, 10_000_000, 21.224_642_805),
            (1e-2, 9, 299, -2.906_493_780),
        ] {
            let found = Limit::new(rate).spread(counts(bad, all));
            assert!((found - expected).abs() < 1e-6, "{rate} {bad} of {all}: {found} instead of {expected}");
        }
    }

    #[test]
    fn a_possible_bad_one_costs_little_more_than_none_at_all() {
        let needed = [(1e-2, 0.05), (1e-3, 0.05), (1e-5, 0.01)]
            .map(|(rate, alpha)| Limit::new(rate).further(alpha, counts(0, 0)));
        assert_eq!([303, 3_041, 466_116], needed);
    }

    #[test]
    fn further_ones_follow_bad_ones() {
        let limit = Limit::new(1e-4);
        let needed = [0, 1, 5].map(|bad| limit.further(0.01, counts(bad, bad)) + bad);
        assert_eq!([46_610, 112_628, 201_351], needed);
    }

    #[test]
    fn every_bet_is_fair_at_the_limit() {
        for rate in [0.5, 0.1, 1e-2, 1e-3] {
            let limit = Limit::new(rate);
            for all in [1, 2, 10, 100, 400] {
                for bet in [Limit::below, Limit::above] {
                    let mean: f64 =
                        (0..=all).map(|bad| (bet(&limit, counts(bad, all)) + ln_chance(rate, bad, all)).exp()).sum();
                    assert!((mean - 1.0).abs() < 1e-6, "{rate}, {all} calls: {mean}");
                }
            }
        }
    }

    #[test]
    fn no_moment_of_looking_is_wrong_more_often_than_the_level() {
        for (rate, alpha) in [(0.5, 0.05), (0.1, 0.05), (0.1, 0.01), (0.02, 0.2)] {
            let limit = Limit::new(rate);
            for truth in [rate, (1.5 * rate).min(1.0)] {
                let wrong = chance_of_ever(truth, 500, |counts| limit.is_below(alpha, counts));
                assert!(wrong <= alpha, "proven below {rate} at {truth}: {wrong}");
            }
            for truth in [rate, rate / 2.0] {
                let wrong = chance_of_ever(truth, 500, |counts| limit.is_above(alpha, counts));
                assert!(wrong <= alpha, "proven above {rate} at {truth}: {wrong}");
            }
        }
    }

    /// By exact enumeration: the probability that a decision is taken after any of so many calls.
    fn chance_of_ever(truth: f64, calls: u64, is_decided: impl Fn(Counts) -> bool) -> f64 {
        let (mut open, mut decided) = (vec![1.0_f64], 0.0);
        for all in 1..=calls {
            let mut next = vec![0.0; open.len() + 1];
            for (bad, chance) in open.into_iter().enumerate() {
                next[bad] += chance * (1.0 - truth);
                next[bad + 1] += chance * truth;
            }
            for (bad, chance) in (0_u64..).zip(&mut next) {
                if is_decided(counts(bad, all)) {
                    decided += std::mem::take(chance);
                }
            }
            open = next;
        }
        decided
    }

    /// The logarithm of the binomial probability.
    #[expect(clippy::cast_precision_loss, reason = "small")]
    fn ln_chance(rate: f64, bad: u64, all: u64) -> f64 {
        let (bad, all) = (bad as f64, all as f64);
        let ways = libm::lgamma(all + 1.0) - libm::lgamma(bad + 1.0) - libm::lgamma(all - bad + 1.0);
        ways + bad * rate.ln() + (all - bad) * (-rate).ln_1p()
    }

    fn rates() -> impl Strategy<Value = f64> {
        (-7.0_f64..-0.1).prop_map(|power| 10_f64.powf(power))
    }

    proptest! {
        #[test]
        fn a_good_one_never_speaks_against_and_a_bad_one_never_for(rate in rates(), bad in 0_u64..30_000, good in 0_u64..100_000_000) {
            let limit = Limit::new(rate);
            let here = counts(bad, bad + good);
            prop_assert!(limit.below(here.with(1)) >= limit.below(here) - 1e-6);
            prop_assert!(limit.below(counts(bad + 1, bad + good + 1)) <= limit.below(here) + 1e-6);
        }

        #[test]
        fn as_many_as_are_needed_suffice_and_one_less_does_not(rate in rates(), bad in 0_u64..50, good in 0_u64..1_000) {
            let (limit, here) = (Limit::new(rate), counts(bad, bad + good));
            let further = limit.further(0.05, here);
            prop_assert!(limit.is_below(0.05, here.with(further)));
            prop_assert!(further == 0 || !limit.is_below(0.05, here.with(further - 1)));
        }

        #[test]
        fn a_rate_is_proven_to_lie_below_its_upper_bound_and_no_lower_limit(bad in 0_u64..50, good in 0_u64..10_000_000) {
            let here = counts(bad, bad + good);
            let bound = upper_bound(0.05, here);
            prop_assume!(bound < 0.99);
            prop_assert!(Limit::new(bound * 1.000_001).is_below(0.05, here));
            prop_assert!(!Limit::new(bound * 0.999_999).is_below(0.05, here));
        }

        #[test]
        fn no_rate_is_both_below_and_above(rate in rates(), bad in 0_u64..100_000, good in 0_u64..10_000_000) {
            let (limit, here) = (Limit::new(rate), counts(bad, bad + good));
            prop_assert!(!(limit.is_below(0.2, here) && limit.is_above(0.2, here)));
        }
    }

    #[test]
    fn nothing_seen_proves_nothing() {
        let limit = Limit::new(1e-3);
        let nothing = Counts::default();
        assert!(limit.below(nothing).abs() < 1e-9 && limit.above(nothing).abs() < 1e-9);
        assert!((upper_bound(0.05, nothing) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn more_bad_ones_than_calls_are_all_of_them() {
        let limit = Limit::new(1e-3);
        assert!((limit.above(counts(7, 3)) - limit.above(counts(3, 3))).abs() < f64::EPSILON);
    }
}
