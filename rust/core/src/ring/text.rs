//! A text in words, with its length and a checksum. The first word is stored last: until then there is no text.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Defect;

const WORD: usize = 8;

/// The words a text takes.
pub(super) fn words_of(text: &str) -> usize {
    1 + text.len().div_ceil(WORD)
}

pub(super) fn write(words: &[AtomicU64], text: &str) -> Result<(), Defect> {
    let (first, rest) = words.split_first().filter(|_| words.len() >= words_of(text)).ok_or(Defect::Full)?;
    for (word, bytes) in rest.iter().zip(text.as_bytes().chunks(WORD)) {
        word.store(packed(bytes), Ordering::Relaxed);
    }
    first.store(head(text), Ordering::Release);
    Ok(())
}

/// The text, or `None` where there is none.
pub(super) fn read(words: &[AtomicU64]) -> Result<Option<String>, Defect> {
    let (first, rest) = words.split_first().ok_or(Defect::Torn)?;
    let head_read = first.load(Ordering::Acquire);
    if head_read == 0 {
        return Ok(None);
    }
    let length = usize::try_from(head_read & LENGTH).unwrap_or(usize::MAX);
    if length.div_ceil(WORD) > rest.len() {
        return Err(Defect::Torn);
    }
    let mut bytes: Vec<u8> =
        rest[..length.div_ceil(WORD)].iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
    bytes.truncate(length);
    let text = String::from_utf8(bytes).map_err(|_| Defect::Torn)?;
    if head(&text) == head_read { Ok(Some(text)) } else { Err(Defect::Torn) }
}

const LENGTH: u64 = u32::MAX as u64;

/// The length in the lower half, half a hash of the text in the upper one. It is never 0.
fn head(text: &str) -> u64 {
    let hash = xxhash_rust::xxh3::xxh3_64(text.as_bytes()) | 1 << 63;
    hash & !LENGTH | text.len() as u64 & LENGTH
}

fn packed(bytes: &[u8]) -> u64 {
    let mut word = [0; WORD];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}
