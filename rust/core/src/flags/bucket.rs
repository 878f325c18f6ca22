//! The hash behind stickiness: a unit always falls into the same bucket of a salt.

use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_64_with_seed};

/// How many buckets there are; one is 0.0001 %.
pub const BUCKETS: u32 = 1_000_000;

// A name, a NUL and a UUID fit; longer ones take the streaming path, whose set-up costs more than the hash.
const INLINE: usize = 128;

/// A salt together with the separator that keeps `("a", "bc")` and `("ab", "c")` apart.
#[derive(Debug, Clone)]
pub struct Salt(Box<[u8]>);

impl Salt {
    /// Prepares a salt for hashing.
    #[must_use]
    pub fn new(salt: &str) -> Self {
        Self([salt.as_bytes(), &[0]].concat().into_boxed_slice())
    }

    /// The salt as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.split_last().and_then(|(_, salt)| std::str::from_utf8(salt).ok()).unwrap_or_default()
    }

    /// The unit's bucket, `0..BUCKETS`: the upper half of XXH3-64 over salt, NUL and unit, scaled without a modulo.
    #[must_use]
    pub fn bucket(&self, unit: &str) -> u32 {
        let scaled = (self.hash(unit.as_bytes()) >> 32) * u64::from(BUCKETS);
        u32::try_from(scaled >> 32).unwrap_or(BUCKETS - 1)
    }

    fn hash(&self, unit: &[u8]) -> u64 {
        let (separator, end) = (self.0.len(), self.0.len() + unit.len());
        if end <= INLINE {
            let mut joined = [0_u8; INLINE];
            joined[..separator].copy_from_slice(&self.0);
            joined[separator..end].copy_from_slice(unit);
            return xxh3_64(&joined[..end]);
        }
        let mut state = Xxh3::new();
        state.update(&self.0);
        state.update(unit);
        state.digest()
    }
}

/// A map keyed by names from the rule file. Nobody can choose those to collide, so no keyed hash is needed.
pub type NameMap<T> = std::collections::HashMap<Box<str>, T, BuildHasherDefault<NameHasher>>;

/// XXH3-64 as a [`Hasher`], each piece seeded with what came before.
#[derive(Default)]
pub struct NameHasher(u64);

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    // The terminator `str` adds after its bytes tells nothing apart here: a name is hashed alone.
    fn write_u8(&mut self, _terminator: u8) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inline_and_the_streaming_path_agree() {
        let salt = Salt::new("token_counting");
        for length in [0, 1, 16, 112, 113, 114, 300, 5000] {
            let unit = "u".repeat(length);
            let joined = [b"token_counting\0", unit.as_bytes()].concat();
            assert_eq!(xxh3_64(&joined), salt.hash(unit.as_bytes()), "length {length}");
        }
    }

    #[test]
    fn the_separator_keeps_salt_and_unit_apart() {
        assert_ne!(Salt::new("a").hash(b"bc"), Salt::new("ab").hash(b"c"));
    }

    #[test]
    fn a_salt_is_given_back_as_written() {
        assert_eq!("sält", Salt::new("sält").text());
    }
}
