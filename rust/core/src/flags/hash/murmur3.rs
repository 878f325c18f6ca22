//! `MurmurHash3_x86_32`, after Austin Appleby's description in the public domain
//! (<https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp>).

// Long enough for a flag's name and a UUID; longer texts are put together on the heap.
const INLINE: usize = 128;

const FIRST: u32 = 0xcc9e_2d51;
const SECOND: u32 = 0x1b87_3593;

/// The hash of the pieces' bytes, one after the other.
pub(super) fn hash_pieces(pieces: &[&[u8]], seed: u32) -> u32 {
    let mut joined = [0_u8; INLINE];
    let mut end = 0;
    for piece in pieces {
        let Some(place) = joined.get_mut(end..end + piece.len()) else {
            return hash(&pieces.concat(), seed);
        };
        place.copy_from_slice(piece);
        end += piece.len();
    }
    hash(&joined[..end], seed)
}

fn hash(bytes: &[u8], seed: u32) -> u32 {
    let (words, tail) = bytes.as_chunks::<4>();
    let mut state = seed;
    for word in words {
        state =
            (state ^ scrambled(u32::from_le_bytes(*word))).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let last = tail.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
    // The algorithm itself counts the bytes in 32 bits.
    #[allow(clippy::cast_possible_truncation)]
    let length = bytes.len() as u32;
    avalanche(state ^ scrambled(last) ^ length)
}

fn scrambled(word: u32) -> u32 {
    word.wrapping_mul(FIRST).rotate_left(15).wrapping_mul(SECOND)
}

fn avalanche(mut state: u32) -> u32 {
    state = (state ^ state >> 16).wrapping_mul(0x85eb_ca6b);
    state = (state ^ state >> 13).wrapping_mul(0xc2b2_ae35);
    state ^ state >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hashes_come_out() {
        // Texts flagd's test bed found for the edges of the range, one short text, and the reference's verification value.
        let edges = ["ejOoVL", "bY9fO-", "SI7p-", "6LvT0", "ceQdGm", ""];
        let hashes: Vec<u32> = edges.iter().map(|text| hash(text.as_bytes(), 0)).collect();
        assert_eq!(vec![0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX, 0], hashes);
    }

    #[test]
    fn the_reference_implementations_own_verification_passes() {
        let keys: Vec<u8> = (0..=255).collect();
        let hashes = (0..=255_u32).flat_map(|length| hash(&keys[..length as usize], 256 - length).to_le_bytes());
        assert_eq!(0xb0f5_7ee3, hash(&hashes.collect::<Vec<_>>(), 0));
    }

    #[test]
    fn pieces_hash_like_the_whole_however_long() {
        for length in [0, 1, 3, 60, 126, 127, 128, 1000] {
            let unit = "u".repeat(length);
            let whole = format!("g:{unit}");
            assert_eq!(hash(whole.as_bytes(), 7), hash_pieces(&[b"g:", unit.as_bytes()], 7), "length {length}");
        }
    }
}
