//! Durations counted in buckets whose width grows with the duration, so that memory is bounded and the relative error too.

const SUB_BITS: u32 = 5;
const SUBS: usize = 1 << SUB_BITS;
// Durations below 1 us share the first buckets, those above a minute and more the last: neither decides anything.
const LOWEST_BITS: u32 = 10;
const HIGHEST_BITS: u32 = 37;
const BUCKETS: usize = (HIGHEST_BITS - LOWEST_BITS) as usize * SUBS;

/// How often each duration was seen.
///
/// Every power of two is cut into 32 buckets: an edge lies at most 1/32, or 3.1 %, from any duration of its bucket. From
/// 1 us to 137 s that makes 864 buckets, 3.4 KiB.
#[derive(Debug, Clone)]
pub struct Histogram(Box<[u32; BUCKETS]>);

impl Default for Histogram {
    fn default() -> Self {
        Self(Box::new([0; BUCKETS]))
    }
}

impl Histogram {
    /// Counts one duration in nanoseconds.
    pub fn add(&mut self, nanos: u64) {
        self.0[bucket(nanos)] += 1;
    }

    /// Takes back what another histogram has counted, and which is therefore part of this one.
    pub fn subtract(&mut self, part: &Self) {
        for (whole, part) in self.0.iter_mut().zip(&*part.0) {
            *whole -= part;
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.fill(0);
    }

    /// The least edge, in nanoseconds, that at most `above` durations reach.
    #[must_use]
    pub fn edge(&self, above: u64) -> u64 {
        let mut reached = 0;
        let last = self.0.iter().rposition(|count| {
            reached += u64::from(*count);
            reached > above
        });
        last.map_or(0, |index| lower_edge(index + 1))
    }

    /// How many durations lie in buckets that begin at or above a bound in nanoseconds: never more than reach it.
    #[must_use]
    pub fn reaching(&self, bound: u64) -> u64 {
        let first = (bucket(bound)..=BUCKETS).find(|index| lower_edge(*index) >= bound).unwrap_or(BUCKETS);
        self.0[first..].iter().map(|count| u64::from(*count)).sum()
    }
}

fn bucket(nanos: u64) -> usize {
    let clamped = nanos.clamp(1 << LOWEST_BITS, (1 << HIGHEST_BITS) - 1);
    let octave = clamped.ilog2();
    let sub = usize::try_from(clamped >> (octave - SUB_BITS)).unwrap_or(0) - SUBS;
    (octave - LOWEST_BITS) as usize * SUBS + sub
}

fn lower_edge(index: usize) -> u64 {
    ((SUBS + index % SUBS) as u64) << (index / SUBS) << (LOWEST_BITS - SUB_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_bucket_begins_where_the_one_below_ends() {
        for index in 0..BUCKETS {
            assert_eq!(index, bucket(lower_edge(index)));
            assert_eq!(index, bucket(lower_edge(index + 1) - 1));
        }
        assert_eq!((0, BUCKETS - 1), (bucket(0), bucket(u64::MAX)));
    }

    proptest! {
        #[test]
        fn an_edge_is_at_most_a_thirty_second_above_the_duration(nanos in 1_024_u64..100_000_000_000) {
            let mut histogram = Histogram::default();
            histogram.add(nanos);
            let edge = histogram.edge(0);
            prop_assert!(nanos < edge && edge - nanos <= nanos / 32 + 1);
            prop_assert_eq!((0, 0), (histogram.edge(1), histogram.reaching(edge)));
        }

        #[test]
        fn as_many_reach_a_bound_as_lie_in_buckets_above_it(all in prop::collection::vec(0_u64..1 << 40, 0..50), bound: u64) {
            let mut histogram = Histogram::default();
            for nanos in &all {
                histogram.add(*nanos);
            }
            let truly = all.iter().filter(|nanos| **nanos >= bound).count() as u64;
            prop_assert!(histogram.reaching(bound) <= truly);
            prop_assert_eq!(all.len() as u64, histogram.reaching(0));
        }
    }

    #[test]
    fn what_is_subtracted_was_never_there() {
        let (mut whole, mut part) = (Histogram::default(), Histogram::default());
        whole.add(5_000);
        whole.add(90_000);
        part.add(90_000);
        whole.subtract(&part);
        assert_eq!((1, 0), (whole.reaching(0), whole.reaching(50_000)));
    }
}
