//! Short words in shared memory: reasons, kinds and names of implementations, each with a slot of its own.

use std::sync::atomic::{AtomicU64, Ordering};

/// Where counts go whose word is too long, is not a plain word, or finds no slot.
pub const OTHER: &str = "other";
/// The longest word, in bytes.
const MAX_BYTES: usize = 63;
/// The words of memory a slot takes: the length and the letters.
pub(super) const SLOT: usize = 8;

/// A table of words, which only grows. Its last slot is [`OTHER`]'s.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    slots: &'a [AtomicU64],
}

impl<'a> Table<'a> {
    pub(super) fn new(slots: &'a [AtomicU64]) -> Self {
        Self { slots }
    }

    /// The slot of a word; it is given one when it has none.
    pub(super) fn index(self, word: &str) -> usize {
        let last = self.slots.len() / SLOT - 1;
        if !is_word(word) {
            return last;
        }
        let letters = packed(word);
        (0..last).find(|&slot| self.has(slot, &letters) || self.take(slot, &letters)).unwrap_or(last)
    }

    /// The word of a slot, if it has one.
    pub(super) fn word(self, slot: usize) -> Option<String> {
        if slot == self.slots.len() / SLOT - 1 {
            return Some(OTHER.to_owned());
        }
        let letters = self.letters(slot)?;
        let bytes: Vec<u8> = letters.iter().flat_map(|word| word.to_le_bytes()).collect();
        let word = bytes.get(1..=usize::from(*bytes.first()?))?;
        String::from_utf8(word.to_vec()).ok().filter(|word| is_word(word))
    }

    fn has(self, slot: usize, letters: &[u64; SLOT]) -> bool {
        self.letters(slot).is_some_and(|written| written == *letters)
    }

    /// The first word is written last: it holds the length, so that a slot is either empty or whole.
    fn letters(self, slot: usize) -> Option<[u64; SLOT]> {
        let words = &self.slots[slot * SLOT..(slot + 1) * SLOT];
        let first = words[0].load(Ordering::Acquire);
        (first != 0).then(|| {
            let mut letters = [0; SLOT];
            letters.iter_mut().zip(words).for_each(|(letter, word)| *letter = word.load(Ordering::Relaxed));
            letters
        })
    }

    /// Writes a word into an empty slot. Callers hold the block's lock, so that no two write one slot.
    fn take(self, slot: usize, letters: &[u64; SLOT]) -> bool {
        let words = &self.slots[slot * SLOT..(slot + 1) * SLOT];
        if words[0].load(Ordering::Acquire) != 0 {
            return false;
        }
        words.iter().zip(letters).skip(1).for_each(|(word, letter)| word.store(*letter, Ordering::Relaxed));
        words[0].store(letters[0], Ordering::Release);
        true
    }

    /// The slot of a word that has one.
    pub(super) fn find(self, word: &str) -> Option<usize> {
        let letters = is_word(word).then(|| packed(word))?;
        (0..self.slots.len() / SLOT - 1).find(|&slot| self.has(slot, &letters))
    }
}

fn packed(word: &str) -> [u64; SLOT] {
    let mut bytes = [0_u8; SLOT * 8];
    bytes[0] = u8::try_from(word.len()).unwrap_or(0);
    bytes[1..=word.len()].copy_from_slice(word.as_bytes());
    std::array::from_fn(|index| {
        let mut letters = [0; 8];
        letters.copy_from_slice(&bytes[index * 8..(index + 1) * 8]);
        u64::from_le_bytes(letters)
    })
}

/// Words are written down and shown, so anything that could be a piece of a call's content is not accepted as one.
fn is_word(word: &str) -> bool {
    (1..=MAX_BYTES).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(slots: usize) -> Vec<AtomicU64> {
        (0..slots * SLOT).map(|_| AtomicU64::new(0)).collect()
    }

    #[test]
    fn a_word_keeps_its_slot() {
        let memory = memory(4);
        let table = Table::new(&memory);

        assert_eq!([0, 1, 0], ["budget", "memory", "budget"].map(|word| table.index(word)));
        assert_eq!(Some("memory".to_owned()), table.word(1));
    }

    #[test]
    fn what_finds_no_slot_or_is_no_word_is_other() {
        let memory = memory(3);
        let table = Table::new(&memory);

        assert_eq!([0, 1, 2, 2], ["a", "b", "c", "the prompt was: hello"].map(|word| table.index(word)));
        assert_eq!(Some(OTHER.to_owned()), table.word(2));
    }

    #[test]
    fn the_longest_word_is_kept_whole() {
        let memory = memory(2);
        let table = Table::new(&memory);
        let longest = "x".repeat(MAX_BYTES);

        assert_eq!((0, Some(longest.clone())), (table.index(&longest), table.word(0)));
        assert_eq!(1, table.index(&"x".repeat(MAX_BYTES + 1)));
    }
}
