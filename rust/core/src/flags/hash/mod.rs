//! How a unit becomes a bucket: our own hash, or that of the engine a team comes from.
//!
//! Whatever the hash, its result is a bucket `0..BUCKETS` and a split is decided by `bucket < end`. The other engines
//! count coarser than we do, so their results are spread over our scale.
//!
//! # Layout
//!
//! - [`unleash`], [`growthbook`], [`flagd`]: the other engines' hashes, each with its source.
//! - [`murmur3`]: what two of them are made of.
//! - [`shares`]: a split laid out over the buckets, in the order each engine lays it out.

mod flagd;
mod growthbook;
mod murmur3;
mod shares;
mod unleash;

#[cfg(test)]
mod vectors;

pub use shares::{draw, finest, shares};

use super::bucket::Salt;
use super::document::Hash;

/// Which of an engine's two algorithms decides. Only Unleash tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// A percentage of the units is on.
    Rollout,
    /// The units are divided among several variants.
    Variants,
}

/// A hash with its salt, ready for any number of units.
#[derive(Debug, Clone)]
pub struct Hasher(Prepared);

#[derive(Debug, Clone)]
enum Prepared {
    Xxh3(Salt),
    Unleash(unleash::Hasher),
    Growthbook2(growthbook::Hasher),
    Flagd2(flagd::Hasher),
}

impl Hasher {
    /// Prepares a hash.
    #[must_use]
    pub fn new(hash: Hash, salt: &str, draw: Draw) -> Self {
        Self(match hash {
            Hash::Xxh3 => Prepared::Xxh3(Salt::new(salt)),
            Hash::Unleash => Prepared::Unleash(unleash::Hasher::new(salt, draw)),
            Hash::Growthbook2 => Prepared::Growthbook2(growthbook::Hasher::new(salt)),
            Hash::Flagd2 => Prepared::Flagd2(flagd::Hasher::new(salt)),
        })
    }

    /// The unit's bucket, `0..BUCKETS`.
    #[must_use]
    pub fn bucket(&self, unit: &str) -> u32 {
        match &self.0 {
            Prepared::Xxh3(salt) => salt.bucket(unit),
            Prepared::Unleash(hasher) => hasher.bucket(unit),
            Prepared::Growthbook2(hasher) => hasher.bucket(unit),
            Prepared::Flagd2(hasher) => hasher.bucket(unit),
        }
    }
}
