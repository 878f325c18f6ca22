//! Records one after the other. The first word says how many words they take, and is stored when a record is whole.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Defect, text};

/// A log in words; its writers take turns.
pub struct Log<'a> {
    words: &'a [AtomicU64],
}

impl<'a> Log<'a> {
    pub(super) fn new(words: &'a [AtomicU64]) -> Self {
        Self { words }
    }

    pub(super) fn push(&self, record: &str) -> Result<(), Defect> {
        let used = self.used()?;
        text::write(&self.words[1 + used..], record)?;
        self.set_used(used + text::words_of(record));
        Ok(())
    }

    /// Up to where there are records.
    pub(super) fn end(&self) -> u64 {
        self.words[0].load(Ordering::Acquire)
    }

    /// Becomes what another log holds after an end.
    pub(super) fn copy_from(&self, other: &Log<'_>, end: u64) {
        let used = other.used().unwrap_or(0);
        let from = usize::try_from(end).map_or(used, |end| end.min(used));
        for (own, word) in self.words[1..].iter().zip(&other.words[1 + from..=used]) {
            own.store(word.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        self.set_used(used - from);
    }

    pub(super) fn records(&self) -> Result<Vec<String>, Defect> {
        let (used, mut at, mut records) = (self.used()?, 0, Vec::new());
        while at < used {
            let record = text::read(&self.words[1 + at..=used])?.ok_or(Defect::Torn)?;
            at += text::words_of(&record);
            records.push(record);
        }
        Ok(records)
    }

    fn used(&self) -> Result<usize, Defect> {
        let used = usize::try_from(self.end()).unwrap_or(usize::MAX);
        if used < self.words.len() { Ok(used) } else { Err(Defect::Torn) }
    }

    fn set_used(&self, used: usize) {
        self.words[0].store(used as u64, Ordering::Release);
    }
}
