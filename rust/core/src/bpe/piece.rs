//! A piece of a text, and its form as one integer when it is short.

use std::hash::{Hash, Hasher};

/// A stretch of a text. The text around it stays within reach, because reading a little too much and dropping the surplus
/// is several times faster than reading a number of bytes that differs each time.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    text: &'a [u8],
    start: usize,
    end: usize,
}

impl<'a> Piece<'a> {
    /// `text[start..end]`
    pub(super) fn new(text: &'a [u8], start: usize, end: usize) -> Self {
        debug_assert!(start < end && end <= text.len());
        Self { text, start, end }
    }

    pub(super) fn len(self) -> usize {
        self.end - self.start
    }

    pub(super) fn bytes(self) -> &'a [u8] {
        &self.text[self.start..self.end]
    }

    /// The part from one offset to another, both counted from the start of this piece.
    pub(super) fn part(self, start: usize, end: usize) -> Self {
        Self::new(self.text, self.start + start, self.start + end)
    }

    /// The piece as an integer, unless it is too long.
    #[inline]
    pub(super) fn packed(self) -> Option<PackedPiece> {
        let length = self.len();
        if length > PackedPiece::MAX_LEN {
            return None;
        }
        let window = if let Some(window) = self.text[self.start..].first_chunk() {
            u128::from_le_bytes(*window)
        } else if let Some(window) = self.text.last_chunk() {
            u128::from_le_bytes(*window) >> (8 * (self.start + size_of::<u128>() - self.text.len()))
        } else {
            self.bytes().iter().rev().fold(0, |window, &byte| (window << 8) | u128::from(byte))
        };
        Some(PackedPiece((window & MASKS[length]) | ((length as u128) << 120)))
    }
}

/// The lower bytes of an integer, by their number: looked up faster than shifted into place.
const MASKS: [u128; PackedPiece::MAX_LEN + 1] = {
    let mut masks = [0; PackedPiece::MAX_LEN + 1];
    let mut length = 1;
    while length < masks.len() {
        masks[length] = (masks[length - 1] << 8) | 0xFF;
        length += 1;
    }
    masks
};

/// A piece of 1 to [`PackedPiece::MAX_LEN`] bytes: the bytes below, the length in the top byte.
///
/// Nearly every piece of real text and most tokens are that short; comparing and hashing them costs one integer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(Rust, packed(4))] // with its rank it takes 20 bytes of a table instead of 32, and the table is too large as it is
pub(super) struct PackedPiece(u128);

impl PackedPiece {
    pub(super) const MAX_LEN: usize = 15;

    pub(super) fn bits(self) -> u128 {
        self.0
    }

    /// The first four bytes, zero where there are fewer.
    #[expect(clippy::cast_possible_truncation, reason = "the others are left out")]
    pub(super) fn first_bytes(self) -> u32 {
        self.0 as u32
    }

    /// Both halves in one integer, to be hashed.
    #[expect(clippy::cast_possible_truncation, reason = "the halves are taken apart")]
    pub(super) fn folded(self) -> u64 {
        let bits = self.bits();
        bits as u64 ^ ((bits >> 64) as u64).rotate_left(23)
    }
}

impl Hash for PackedPiece {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.folded());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(text: &[u8], start: usize, end: usize) -> Option<PackedPiece> {
        Piece::new(text, start, end).packed()
    }

    #[test]
    fn the_same_bytes_pack_the_same_wherever_they_stand() {
        let text = b"one two three four five";
        for (start, end) in [(0, 1), (0, 15), (4, 7), (8, 23), (19, 23), (22, 23)] {
            let alone = &text[start..end];
            assert_eq!(packed(alone, 0, alone.len()), packed(text, start, end));
        }
    }

    #[test]
    fn length_tells_apart_what_zero_bytes_do_not() {
        assert_ne!(packed(b"a", 0, 1), packed(b"a\0", 0, 2));
        assert_eq!(None, packed(&[b'a'; 16], 0, 16));
    }
}
