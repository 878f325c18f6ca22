//! Which shadowable calls are compared: a keyed hash of a running number, decided before either side has run.
//!
//! Choosing by the outcome, or by anything known only afterwards, would bias the evidence. The running number makes the sample
//! independent of the unit, so that a rare unit's calls are as likely to be compared as anybody's.

use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Shares are counted in millionths, as everywhere in rules.
const SCALE: u64 = 1_000_000;

/// Draws the calls of one feature in one process.
#[derive(Debug)]
pub struct Sampler {
    key: u64,
    calls: AtomicU64,
}

impl Sampler {
    /// A sampler with its own key, so that two features, or two processes, choose different calls.
    #[must_use]
    pub const fn new(key: u64) -> Self {
        Self { key, calls: AtomicU64::new(0) }
    }

    /// Whether the next call belongs to a sample of `share` millionths. 0 and 1,000,000 are exact.
    pub fn takes(&self, share: u32) -> bool {
        u64::from(share) >= SCALE || self.takes_call(share, self.calls.fetch_add(1, Ordering::Relaxed))
    }

    /// The same of a call that somebody else has numbered: no two calls may have one number.
    #[must_use]
    pub fn takes_call(&self, share: u32, call: u64) -> bool {
        if u64::from(share) >= SCALE {
            return true;
        }
        let hash = xxh3_64_with_seed(&call.to_le_bytes(), self.key);
        ((hash >> 32) * SCALE) >> 32 < u64::from(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(share: u32, calls: u32) -> u32 {
        let sampler = Sampler::new(7);
        (0..calls).map(|_| u32::from(sampler.takes(share))).sum()
    }

    #[test]
    fn nothing_and_everything_are_exact() {
        assert_eq!((0, 10_000), (taken(0, 10_000), taken(1_000_000, 10_000)));
    }

    #[test]
    fn a_share_is_met_within_four_standard_deviations() {
        // 100,000 draws at 5 %: the mean is 5,000, the standard deviation 68.9.
        let count = taken(50_000, 100_000);

        assert!((5_000 - 276..=5_000 + 276).contains(&count), "{count}");
    }

    #[test]
    fn a_call_numbered_by_somebody_else_is_drawn_as_its_own_would_be() {
        let (one, other) = (Sampler::new(7), Sampler::new(7));

        assert!((0..1_000).all(|call| one.takes(50_000) == other.takes_call(50_000, call)));
        assert!((0..10).all(|call| other.takes_call(1_000_000, call) && !other.takes_call(0, call)));
    }

    #[test]
    fn two_keys_choose_different_calls() {
        let (one, other) = (Sampler::new(1), Sampler::new(2));
        let same = (0..1_000).filter(|_| one.takes(500_000) == other.takes(500_000)).count();

        assert!((400..600).contains(&same), "{same}");
    }
}
