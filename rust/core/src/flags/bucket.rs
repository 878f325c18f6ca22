//! The hash behind stickiness: a unit always falls into the same bucket of a salt.

use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_64_with_seed};

/// How many buckets there are; one is 0.0001 %.
pub const BUCKETS: u32 = 1_000_000;

// A name, a NUL and a UUID fit; longer ones take the streaming path, whose set-up costs more than the hash. Most need half of it,
// and clearing the rest costs as much as hashing.
const INLINE: usize = 128;
const SHORT: usize = 64;

// Copying a length known to the compiler takes two instructions, copying any other takes a call.
const PADDED: usize = 32;

/// A salt together with the separator that keeps `("a", "bc")` and `("ab", "c")` apart.
#[derive(Debug, Clone)]
pub struct Salt {
    /// Salt and separator, and as many zeros as make them at least [`PADDED`] long.
    bytes: Box<[u8]>,
    length: usize,
}

impl Salt {
    /// Prepares a salt for hashing.
    #[must_use]
    pub fn new(salt: &str) -> Self {
        let length = salt.len() + 1;
        let mut bytes = Vec::with_capacity(length.max(PADDED));
        bytes.extend_from_slice(salt.as_bytes());
        bytes.resize(length.max(PADDED), 0);
        Self { bytes: bytes.into_boxed_slice(), length }
    }

    /// The salt as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length - 1]).unwrap_or_default()
    }

    /// The unit's bucket, `0..BUCKETS`: the upper half of XXH3-64 over salt, NUL and unit, scaled without a modulo.
    #[must_use]
    pub fn bucket(&self, unit: &str) -> u32 {
        let scaled = (self.hash(unit.as_bytes()) >> 32) * u64::from(BUCKETS);
        u32::try_from(scaled >> 32).unwrap_or(BUCKETS - 1)
    }

    fn hash(&self, unit: &[u8]) -> u64 {
        match self.length + unit.len() {
            0..=SHORT => self.hash_inline::<SHORT>(unit),
            end if end <= INLINE => self.hash_inline::<INLINE>(unit),
            _ => self.hash_long(unit),
        }
    }

    fn hash_inline<const ROOM: usize>(&self, unit: &[u8]) -> u64 {
        let end = self.length + unit.len();
        let mut joined = [0_u8; ROOM];
        match self.bytes.first_chunk::<PADDED>() {
            Some(padded) if self.length <= PADDED => joined[..PADDED].copy_from_slice(padded),
            _ => joined[..self.length].copy_from_slice(&self.bytes[..self.length]),
        }
        copy(&mut joined[self.length..end], unit);
        xxh3_64(&joined[..end])
    }

    #[cold]
    fn hash_long(&self, unit: &[u8]) -> u64 {
        let mut state = Xxh3::new();
        state.update(&self.bytes[..self.length]);
        state.update(unit);
        state.digest()
    }
}

/// Copies a unit: as two pieces of a length known to the compiler, which may overlap, if it has the length for that.
fn copy(to: &mut [u8], unit: &[u8]) {
    let is_copied = match unit.len() {
        4..=8 => copy_ends::<4>(to, unit),
        9..=16 => copy_ends::<8>(to, unit),
        17..=32 => copy_ends::<16>(to, unit),
        33..=64 => copy_ends::<32>(to, unit),
        _ => false,
    };
    if !is_copied {
        to.copy_from_slice(unit);
    }
}

/// Copies the first and the last `N` bytes; `false` when there are no such.
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) -> bool {
    let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) else { return false };
    if let Some(to) = to.first_chunk_mut::<N>() {
        *to = *first;
    }
    to.last_chunk_mut::<N>().map(|to| *to = *last).is_some()
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
        for salt in ["", "token_counting", &"s".repeat(31), &"s".repeat(32), &"s".repeat(200)] {
            for length in (0..130).chain([300, 5000]) {
                let unit: String = ('a'..='z').cycle().take(length).collect();
                let joined = [salt.as_bytes(), &[0], unit.as_bytes()].concat();
                assert_eq!(xxh3_64(&joined), Salt::new(salt).hash(unit.as_bytes()), "{salt} and {length}");
            }
        }
    }

    #[test]
    fn the_separator_keeps_salt_and_unit_apart() {
        assert_ne!(Salt::new("a").hash(b"bc"), Salt::new("ab").hash(b"c"));
    }

    #[test]
    fn a_salt_is_given_back_as_written() {
        for salt in ["", "sält", &"long".repeat(30)] {
            assert_eq!(salt, Salt::new(salt).text());
        }
    }
}
