//! The counts of the pieces met lately, in fixed memory: no text can make it grow.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use super::piece::{PackedPiece, Piece};

/// Each is a line of the processor's caches: 1 MiB, of which a program touches what its texts have. Code has so many different
/// words that less is spent on a look here that misses the second-level cache than on one in the vocabulary.
const SETS: usize = 1 << 14;

/// Lines of 128 bytes each: 32 KiB.
const LINES: usize = 1 << 8;

/// Where the count is kept in a [`PackedPiece`]: lengths up to 15 leave the upper half of the top byte free.
const COUNT_SHIFT: u32 = 124;
const KEY_MASK: u128 = (1 << COUNT_SHIFT) - 1;

/// Piece to count, by short pieces and long ones. The longest pieces are not kept.
pub(super) struct Cache {
    sets: Box<[Set]>,
    /// A piece has one line to be in.
    lines: Box<[Line]>,
}

impl Default for Cache {
    fn default() -> Self {
        Self { sets: vec![Set::default(); SETS].into_boxed_slice(), lines: vec![Line::EMPTY; LINES].into_boxed_slice() }
    }
}

impl Cache {
    /// What stands in the place of a cache that has been handed on.
    pub(super) fn gone() -> Self {
        Self { sets: Box::default(), lines: Box::default() }
    }

    /// The count of a short piece, taken from its slot or else computed and put there.
    #[inline]
    pub(super) fn count(&mut self, piece: PackedPiece, compute: impl FnOnce() -> usize) -> usize {
        let set = &mut self.sets[set_of(piece)];
        if holds(set.0[0], piece) { count_in(set.0[0]) } else { set.look_further(piece, compute) }
    }

    /// The count of a piece that is not short.
    #[inline(never)]
    #[expect(clippy::cast_possible_truncation, reason = "a count is never more than the length of the piece")]
    pub(super) fn count_long(&mut self, piece: Piece<'_>, compute: impl FnOnce() -> usize) -> usize {
        let Some(kept) = Line::of(piece.bytes()) else { return compute() };
        let line = &mut self.lines[kept.place()];
        if line.bytes != kept.bytes || line.len != kept.len {
            *line = Line { count: compute() as u8, ..kept };
        }
        usize::from(line.count)
    }
}

/// Packed pieces with their counts, which are never more than their lengths; 0 when empty. The piece met last comes first,
/// because most pieces come again soon, and the last one gives way.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Set([u128; 4]);

impl Set {
    #[inline(never)]
    fn look_further(&mut self, piece: PackedPiece, compute: impl FnOnce() -> usize) -> usize {
        if let Some(found) = self.0.iter().position(|slot| holds(*slot, piece)) {
            self.0[..=found].rotate_right(1);
            return count_in(self.0[0]);
        }
        let count = compute();
        self.0.rotate_right(1);
        self.0[0] = piece.bits() | (count as u128) << COUNT_SHIFT;
        count
    }
}

fn count_in(slot: u128) -> usize {
    (slot >> COUNT_SHIFT) as usize
}

/// Whether the slot has this piece, whatever its count.
fn holds(slot: u128, piece: PackedPiece) -> bool {
    slot & KEY_MASK == piece.bits()
}

#[expect(clippy::cast_possible_truncation, reason = "what is left has as many bits as there are sets")]
fn set_of(piece: PackedPiece) -> usize {
    // The multiplier of Fibonacci hashing, 2^64 divided by the golden ratio: the upper bits depend on all bits.
    (piece.folded().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - SETS.trailing_zeros())) as usize
}

/// A piece of up to 126 bytes with its count.
#[derive(Clone, Copy)]
#[repr(align(128))]
struct Line {
    bytes: [u8; Self::MAX_LEN],
    len: u8,
    count: u8,
}

impl Line {
    const MAX_LEN: usize = 126;
    const EMPTY: Self = Self { bytes: [0; Self::MAX_LEN], len: 0, count: 0 };

    /// A line for the piece, its count to be filled in.
    fn of(piece: &[u8]) -> Option<Self> {
        let len = u8::try_from(piece.len()).ok()?;
        let mut line = Self { len, ..Self::EMPTY };
        line.bytes.get_mut(..piece.len())?.copy_from_slice(piece);
        Some(line)
    }

    #[expect(clippy::cast_possible_truncation, reason = "what is left has as many bits as there are lines")]
    fn place(&self) -> usize {
        let mut hasher = FxHasher::default();
        hasher.write(&self.bytes[..usize::from(self.len)]);
        (hasher.finish() % LINES as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(cache: &mut Cache, text: &str, compute: impl FnOnce() -> usize) -> usize {
        let piece = Piece::new(text.as_bytes(), 0, text.len());
        match piece.packed() {
            Some(packed) => cache.count(packed, compute),
            None => cache.count_long(piece, compute),
        }
    }

    #[test]
    fn what_was_met_lately_is_not_computed_again() {
        let mut cache = Cache::default();
        for (text, tokens) in
            [("a", 1), ("fifteen letters", 3), ("more than fifteen letters", 5), (&*"=".repeat(126), 9)]
        {
            assert_eq!(tokens, count(&mut cache, text, || tokens));
            assert_eq!(tokens, count(&mut cache, text, || unreachable!("{text} is kept")));
        }
    }

    #[test]
    fn the_longest_pieces_are_not_kept() {
        let (mut cache, text) = (Cache::default(), "=".repeat(127));
        assert_eq!((7, 8), (count(&mut cache, &text, || 7), count(&mut cache, &text, || 8)));
    }

    #[test]
    fn no_number_of_pieces_makes_it_grow_or_err() {
        let mut cache = Cache::default();
        for round in 0..2 {
            for number in 0..100_000 {
                let tokens = 1 + number % 5;
                assert_eq!(tokens, count(&mut cache, &format!("w{number}"), || tokens), "round {round}");
                assert_eq!(tokens, count(&mut cache, &format!("a rather long one {number}"), || tokens));
            }
        }
        assert_eq!((SETS, LINES), (cache.sets.len(), cache.lines.len()));
    }
}
