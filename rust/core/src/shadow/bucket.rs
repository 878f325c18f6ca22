//! A token bucket of processor time: time fills it, work empties it.

use std::sync::atomic::{AtomicI64, Ordering};

/// Steps of a nanosecond, so that what a short time fills in is not rounded away.
const STEPS: f64 = 1_024.0;
/// What the first comparisons are taken to cost.
const FIRST_ESTIMATE_NS: f64 = 100_000.0;
/// How much of the estimate each comparison's cost is.
const ESTIMATE_WEIGHT: i64 = 8;

/// A share of one core.
///
/// What a comparison will cost is not known when it is accepted, so the running average is taken at once and corrected when
/// the work is done. A debt is paid off by time.
#[derive(Debug)]
pub struct Bucket {
    share: f64,
    burst: i64,
    balance: AtomicI64,
    estimate: AtomicI64,
    filled_at: AtomicI64,
}

impl Bucket {
    /// A full bucket.
    ///
    /// # Arguments
    ///
    /// * `share` - Of one core; 1 allows everything.
    /// * `burst_ns` - What it holds.
    /// * `now` - The time, in nanoseconds; monotonic.
    #[must_use]
    pub fn new(share: f64, burst_ns: f64, now: i64) -> Self {
        Self {
            share,
            burst: steps(burst_ns),
            balance: AtomicI64::new(steps(burst_ns)),
            estimate: AtomicI64::new(steps(FIRST_ESTIMATE_NS)),
            filled_at: AtomicI64::new(now),
        }
    }

    /// Whether nothing is counted, because everything is allowed.
    #[must_use]
    pub fn is_boundless(&self) -> bool {
        self.share >= 1.0
    }

    /// How much is left now, from 1 down to 0, when no comparison may be accepted.
    pub fn ease(&self, now: i64) -> f64 {
        if self.is_boundless() {
            return 1.0;
        }
        let passed = now.saturating_sub(self.filled_at.fetch_max(now, Ordering::AcqRel)).max(0);
        float(self.add(steps(float(passed) * self.share)).max(0)) / float(self.burst)
    }

    /// Takes what one comparison is expected to cost, and says what was taken, in nanoseconds.
    pub fn reserve(&self) -> f64 {
        let estimate = self.estimate.load(Ordering::Acquire);
        self.add(-estimate);
        float(estimate) / STEPS
    }

    /// Corrects a reservation: the comparison did cost so many nanoseconds, or 0 when it was given up.
    pub fn settle(&self, reserved: f64, spent_ns: f64) {
        let spent = steps(spent_ns);
        self.add(steps(reserved).saturating_sub(spent));
        if spent > 0 {
            let nearer = |estimate: i64| Some(estimate + (spent - estimate) / ESTIMATE_WEIGHT);
            let _always = self.estimate.fetch_update(Ordering::AcqRel, Ordering::Acquire, nearer);
        }
    }

    /// Pays for what was done without a reservation.
    pub fn spend(&self, spent_ns: f64) {
        self.add(-steps(spent_ns));
    }

    /// Fills the bucket: a forked child owes nothing of what its parent has reserved.
    pub fn refill(&self, now: i64) {
        self.balance.store(self.burst, Ordering::Release);
        self.filled_at.store(now, Ordering::Release);
    }

    /// The balance afterwards.
    fn add(&self, steps: i64) -> i64 {
        let sum = |balance: i64| balance.saturating_add(steps).min(self.burst);
        let before = self.balance.fetch_update(Ordering::AcqRel, Ordering::Acquire, |balance| Some(sum(balance)));
        before.map_or_else(sum, sum)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float beyond the integers becomes the largest of them")]
fn steps(nanoseconds: f64) -> i64 {
    (nanoseconds * STEPS) as i64
}

#[expect(clippy::cast_precision_loss, reason = "months are counted to the microsecond")]
fn float(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn work(bucket: &Bucket, now: i64, cost_ms: i32) -> bool {
        let is_allowed = bucket.ease(now) > 0.0;
        if is_allowed {
            bucket.settle(bucket.reserve(), f64::from(cost_ms) * 1e6);
        }
        is_allowed
    }

    #[test]
    fn a_burst_is_allowed_and_then_what_time_fills_in() {
        let bucket = Bucket::new(0.05, 250e6, 0);
        let first = (0..100).filter(|_| work(&bucket, 0, 10)).count();
        let second = (0..100).filter(|_| work(&bucket, 1_000 * MS, 10)).count();

        assert_eq!((25, 5), (first, second));
    }

    #[test]
    fn what_short_times_fill_in_is_not_lost() {
        let bucket = Bucket::new(0.05, 250e6, 0);
        assert!(work(&bucket, 0, 260));
        let allowed = (1..300_000).find(|&step| bucket.ease(step * 1_000) > 0.0);

        // 10 ms of debt at 50 ns a microsecond.
        assert_eq!(Some(200_001), allowed);
    }

    #[test]
    fn a_clock_that_two_threads_have_read_fills_in_once() {
        let bucket = Bucket::new(0.5, 1e6, 0);
        assert!(work(&bucket, 0, 11));
        assert!(bucket.ease(10 * MS) <= 0.0);
        assert!(bucket.ease(9 * MS) <= 0.0 && bucket.ease(10 * MS) <= 0.0);
    }

    #[test]
    fn what_is_given_up_costs_nothing() {
        let bucket = Bucket::new(0.05, 1e6, 0);
        (0..1_000).for_each(|_| bucket.settle(bucket.reserve(), 0.0));

        assert!(bucket.ease(0) >= 1.0);
    }

    #[test]
    fn what_is_spent_besides_is_paid_from_the_same() {
        let bucket = Bucket::new(0.05, 10e6, 0);
        let estimate = bucket.reserve();
        bucket.settle(estimate, 0.0);
        bucket.spend(5e6);

        assert!((bucket.ease(0) - 0.5).abs() < 1e-6 && (bucket.reserve() - estimate).abs() < f64::EPSILON);
    }

    #[test]
    fn a_whole_core_needs_no_accounts() {
        let bucket = Bucket::new(1.0, 1.0, 0);
        assert!((0..100).all(|_| work(&bucket, 0, 1_000)));
    }
}
