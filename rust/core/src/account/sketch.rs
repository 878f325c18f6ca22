//! How many different inputs there were, without keeping any of them.

use std::sync::atomic::{AtomicUsize, Ordering};

use cardinality_estimator_safe::{Element, Sketch as HyperLogLog};

/// The share by which an estimate may be too large: three standard errors of 4,096 registers, 1.04 / sqrt(4096) each
/// (Flajolet et al., the analysis of 2007).
const MARGIN: f64 = 3.0 * 1.04 / 64.0;
/// Up to here the inputs themselves are told apart, by 26 bits of their digests.
const COUNTED: usize = 128;

/// Sketches of this process that may have outgrown single digests: 3 KiB each.
const MOST_LARGE: usize = 1_024;
static LARGE: AtomicUsize = AtomicUsize::new(0);

/// A set of digests of which only the size can be asked. Sketches of several processes can be merged.
#[derive(Debug, Default)]
pub struct Sketch(HyperLogLog<12, 6>, Option<Permit>);

/// That a sketch may be large; it is given back with the sketch.
#[derive(Debug)]
struct Permit(&'static AtomicUsize);

impl Permit {
    fn of(taken: &'static AtomicUsize, most: usize) -> Option<Self> {
        let more = |now: usize| (now < most).then_some(now + 1);
        taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok().map(|_| Self(taken))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Sketch {
    /// Adds an input by its digest, a hash that is uniform over all 64 bits. Where too many sketches are large already, it stays
    /// at [`COUNTED`] inputs: what is not added makes evidence smaller, never larger.
    pub fn insert(&mut self, digest: u64) {
        self.insert_within(digest, &LARGE, MOST_LARGE);
    }

    fn insert_within(&mut self, digest: u64, taken: &'static AtomicUsize, most: usize) {
        if self.1.is_none() && self.0.estimate() >= COUNTED {
            self.1 = Permit::of(taken, most);
            if self.1.is_none() {
                return;
            }
        }
        self.0.insert(Element::from_hashed(digest));
    }

    /// Adds everything that another sketch has seen.
    pub fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0);
    }

    /// At least so many different inputs were added: exact up to 128 of them, above that with a confidence of 99.8 %.
    #[must_use]
    pub fn lower_bound(&self) -> u64 {
        let estimate = self.0.estimate();
        if estimate <= COUNTED {
            return estimate as u64;
        }
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let bound = (estimate as f64 * (1.0 - MARGIN)) as u64;
        bound.max(COUNTED as u64)
    }

    /// The form in which ledgers keep it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0).unwrap_or_default()
    }

    /// Reads what [`Sketch::to_bytes`] has written; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().map(|registers| Self(registers, None))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    #[test]
    fn a_sketch_stays_small_where_too_many_are_large() {
        static TAKEN: AtomicUsize = AtomicUsize::new(0);
        let filled = || {
            let mut sketch = Sketch::default();
            (0..5_000_u64).for_each(|input| sketch.insert_within(xxh3_64(&input.to_le_bytes()), &TAKEN, 1));
            sketch
        };
        let (first, second) = (filled(), filled());
        assert_eq!((true, 128), (first.lower_bound() > 4_000, second.lower_bound()));
        drop(first);

        assert!(filled().lower_bound() > 4_000);
    }

    fn of(inputs: std::ops::Range<u64>) -> Sketch {
        let mut sketch = Sketch::default();
        inputs.for_each(|input| sketch.insert(xxh3_64(&input.to_le_bytes())));
        sketch
    }

    #[test]
    fn few_inputs_are_counted_exactly_however_often_they_come() {
        let mut sketch = of(0..100);
        sketch.merge(&of(0..100));
        assert_eq!(100, sketch.lower_bound());
    }

    #[test]
    fn of_many_inputs_no_more_are_counted_than_there_were() {
        for n in [129, 200, 500, 1_000, 3_000, 10_000, 100_000, 1_000_000] {
            let bound = of(0..n).lower_bound();
            assert!(bound <= n && bound * 100 >= n * 88, "{bound} of {n}");
        }
    }

    #[test]
    fn no_bytes_of_another_kind_are_read() {
        for bytes in [&b""[..], b"{}", b"null", b"{\"h\":[1]}", b"\xff"] {
            assert!(Sketch::from_bytes(bytes).is_none(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn merged_sketches_are_the_sketch_of_all_inputs(split in 0_u64..3_000, overlap in 0_u64..500) {
            let mut merged = of(0..split);
            let written = of(split.saturating_sub(overlap)..3_000).to_bytes();
            merged.merge(&Sketch::from_bytes(&written).ok_or_else(|| TestCaseError::fail("unreadable"))?);
            prop_assert_eq!(of(0..3_000).lower_bound(), merged.lower_bound());
        }
    }
}
