//! The beta function as far as it can be trusted.

use statrs::function::beta::{checked_beta_reg, checked_ln_beta};

/// Above it the continued fraction behind the incomplete beta function may end before it converges: at `Beta(1e7, 1e7)`
/// it says 0.21 for 0.5. Up to it, and for rates down to 1e-6, it is right to 2e-5.
const GREATEST_SHAPE: f64 = 10_001.0;
/// How much a difference of logarithms of the gamma function is off at most, per unit of its greatest argument.
const ROUNDING: f64 = 2e-14;

/// A beta distribution.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beta {
    pub(super) a: f64,
    pub(super) b: f64,
}

impl Beta {
    /// The logarithm of the beta function.
    pub(super) fn ln_norm(self) -> f64 {
        checked_ln_beta(self.a, self.b).unwrap_or(f64::NEG_INFINITY)
    }

    /// By how much `ln_norm` may be too great.
    pub(super) fn rounding(self) -> f64 {
        ROUNDING * (self.a + self.b)
    }

    /// The distribution of what is left to one.
    pub(super) fn mirrored(self) -> Self {
        Self { a: self.b, b: self.a }
    }

    /// The probability below a point; a lower bound of it where the exact figure cannot be had.
    ///
    /// The median of a beta distribution lies between its mean and its mode: a point above both has half of it below.
    pub(super) fn below(self, point: f64) -> f64 {
        if self.a.min(self.b) <= GREATEST_SHAPE {
            let mass = checked_beta_reg(self.a, self.b, point).unwrap_or(0.0);
            return if mass >= f64::MIN_POSITIVE { mass.min(1.0) } else { 0.0 }; // what is less has lost its digits
        }
        let mean = self.a / (self.a + self.b);
        let mode = (self.a - 1.0) / (self.a + self.b - 2.0);
        if point >= mean.max(mode) { 0.5 } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_function_is_right_at_the_extremes_that_the_gate_needs() {
        // mpmath 1.3, 40 digits: betainc(a, b, 0, x, regularized=True) and ln B(a, b).
        for (a, b, point, mass, ln_norm) in [
            (0.5, 500.0, 1e-3, 0.682_689_552_690_282_6, -2.534_689_106_328_062),
            (0.5, 50_000.0, 1e-5, 0.682_689_492_143_135_2, -4.837_521_699_280_441),
            (0.5, 500_000.0, 1e-6, 0.682_689_492_137_146_4, -5.988_816_495_777_464),
        ] {
            let found = Beta { a, b };
            assert!((found.below(point) / mass - 1.0).abs() < 1e-9, "{a} {b}: {}", found.below(point));
            assert!((found.ln_norm() - ln_norm).abs() < 1e-9, "{a} {b}: {}", found.ln_norm());
        }
    }

    #[test]
    fn beyond_what_the_function_can_do_the_bound_is_half_or_nothing() {
        let wide = Beta { a: 1e7, b: 1e7 };
        assert!((wide.below(0.5) - 0.5).abs() < f64::EPSILON);
        assert!(wide.below(0.499_999_9).abs() < f64::EPSILON);
    }

    proptest! {
        #[test]
        fn halves_are_below_any_point_above_mean_and_mode(a in 1.5_f64..9_000.0, b in 1.5_f64..9_000.0) {
            let beta = Beta { a, b };
            let (mean, mode) = (a / (a + b), (a - 1.0) / (a + b - 2.0));
            prop_assert!(beta.below(mean.max(mode)) >= 0.5 - 1e-9);
        }

        #[test]
        fn what_is_not_below_is_below_in_the_mirror(a in 0.5_f64..5_000.0, b in 0.5_f64..5_000.0, point in 0.01_f64..0.99) {
            let beta = Beta { a, b };
            prop_assert!((beta.below(point) + beta.mirrored().below(1.0 - point) - 1.0).abs() < 1e-9);
        }
    }
}
