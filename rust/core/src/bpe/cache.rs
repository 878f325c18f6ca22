//! The counts of the short pieces met lately, in fixed memory.

use super::packed::PackedPiece;

/// 4,096 entries of 16 bytes.
const SLOTS: usize = 1 << 12;

/// Where the count is kept in a [`PackedPiece`]: lengths up to 15 leave the upper half of the top byte free.
const COUNT_SHIFT: u32 = 124;
const KEY_MASK: u128 = (1 << COUNT_SHIFT) - 1;

/// Piece to count. Each piece has one slot, which a later piece may take over: no text can make it grow.
pub(super) struct Cache {
    /// A packed piece with its count, which is never more than its length; 0 when empty.
    slots: Box<[u128]>,
}

impl Cache {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![0; SLOTS].into_boxed_slice(),
        }
    }

    /// The count of the piece, taken from its slot or else computed and put there.
    pub(super) fn count(&mut self, piece: PackedPiece, compute: impl FnOnce() -> usize) -> usize {
        let slot = &mut self.slots[slot_of(piece)];
        if *slot & KEY_MASK != piece.bits() {
            *slot = piece.bits() | (compute() as u128) << COUNT_SHIFT;
        }
        (*slot >> COUNT_SHIFT) as usize
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a hash may lose bits")]
fn slot_of(piece: PackedPiece) -> usize {
    let bits = piece.bits();
    let mixed =
        (bits as u64 ^ ((bits >> 64) as u64).rotate_left(23)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> (64 - SLOTS.trailing_zeros())) as usize
}
