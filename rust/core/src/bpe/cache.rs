//! The counts of the short pieces met lately, in fixed memory.

use super::piece::PackedPiece;

/// Two slots of 16 bytes each: 256 KiB, which stays in the second-level cache of the processor.
const SETS: usize = 1 << 13;

/// Where the count is kept in a [`PackedPiece`]: lengths up to 15 leave the upper half of the top byte free.
const COUNT_SHIFT: u32 = 124;
const KEY_MASK: u128 = (1 << COUNT_SHIFT) - 1;

/// Piece to count. A piece has two slots to be in, and the older of the two gives way: no text can make it grow.
pub(super) struct Cache {
    /// Packed pieces with their counts, which are never more than their lengths; 0 when empty.
    sets: Box<[[u128; 2]]>,
}

impl Cache {
    pub(super) fn new() -> Self {
        Self { sets: vec![[0; 2]; SETS].into_boxed_slice() }
    }

    /// The count of the piece, taken from its slot or else computed and put there.
    #[inline]
    pub(super) fn count(&mut self, piece: PackedPiece, compute: impl FnOnce() -> usize) -> usize {
        let [newer, older] = &mut self.sets[set_of(piece)];
        if *newer & KEY_MASK == piece.bits() {
            return (*newer >> COUNT_SHIFT) as usize;
        }
        if *older & KEY_MASK == piece.bits() {
            return (*older >> COUNT_SHIFT) as usize;
        }
        let count = compute();
        *older = *newer;
        *newer = piece.bits() | (count as u128) << COUNT_SHIFT;
        count
    }
}

#[expect(clippy::cast_possible_truncation, reason = "what is left has as many bits as there are sets")]
fn set_of(piece: PackedPiece) -> usize {
    // The multiplier of Fibonacci hashing, 2^64 divided by the golden ratio: the upper bits depend on all bits.
    (piece.folded().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - SETS.trailing_zeros())) as usize
}
