//! A short piece and its length in one integer.

/// A piece of 1 to [`PackedPiece::MAX_LEN`] bytes: the bytes below, the length in the top byte.
///
/// Nearly every piece of real text and most tokens are that short; comparing and hashing them costs one integer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct PackedPiece(u128);

impl PackedPiece {
    pub(super) const MAX_LEN: usize = 15;

    /// Packs `text[start..end]`, unless it is too long.
    pub(super) fn new(text: &[u8], start: usize, end: usize) -> Option<Self> {
        let length = end - start;
        if length > Self::MAX_LEN {
            return None;
        }
        // Reading a fixed number of bytes and masking the surplus is several times faster than copying `length` bytes.
        let bytes = match text[start..].first_chunk::<16>() {
            Some(window) => u128::from_le_bytes(*window) & ((1 << (8 * length)) - 1),
            None => text[start..end]
                .iter()
                .rev()
                .fold(0, |bytes, &byte| bytes << 8 | u128::from(byte)),
        };
        Some(Self(bytes | (length as u128) << 120))
    }

    pub(super) fn bits(self) -> u128 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_pack_the_same_wherever_they_stand() {
        let text = b"one two three four five";
        for (start, end) in [(0, 1), (0, 15), (4, 7), (8, 23), (19, 23), (22, 23)] {
            let alone = &text[start..end];
            assert_eq!(
                PackedPiece::new(alone, 0, alone.len()),
                PackedPiece::new(text, start, end)
            );
        }
    }

    #[test]
    fn length_tells_apart_what_zero_bytes_do_not() {
        assert_ne!(PackedPiece::new(b"a", 0, 1), PackedPiece::new(b"a\0", 0, 2));
        assert_eq!(None, PackedPiece::new(&[b'a'; 16], 0, 16));
    }
}
