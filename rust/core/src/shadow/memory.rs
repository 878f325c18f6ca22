//! What all comparisons of a process may keep in memory together.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of bytes, and how many of them are taken.
#[derive(Debug)]
pub struct Memory {
    most: usize,
    taken: AtomicUsize,
}

impl Memory {
    /// Nothing is taken.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self { most, taken: AtomicUsize::new(0) }
    }

    /// Takes so many bytes, or none; says whether they were there.
    pub fn take(&self, size: usize) -> bool {
        add(&self.taken, size, self.most)
    }

    /// Gives so many back.
    pub fn give(&self, size: usize) {
        take(&self.taken, size);
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }
}

/// Adds to a count, but never beyond the most it may be; says whether it did.
pub(super) fn add(count: &AtomicUsize, more: usize, most: usize) -> bool {
    let sum = |now: usize| now.checked_add(more).filter(|sum| *sum <= most);
    count.fetch_update(Ordering::AcqRel, Ordering::Acquire, sum).is_ok()
}

/// Takes off a count, but never more than there is.
pub(super) fn take(count: &AtomicUsize, less: usize) {
    let _always = count.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| Some(now.saturating_sub(less)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_taken() {
        let memory = Memory::new(10);
        let taken = [6, 5, 4, 1].map(|size| memory.take(size));

        assert_eq!(([true, false, true, false], 10), (taken, memory.taken()));
        memory.give(6);
        assert!(memory.take(5));
    }

    #[test]
    fn no_more_is_given_back_than_was_taken() {
        let memory = Memory::new(10);
        memory.give(usize::MAX);

        assert_eq!((0, false), (memory.taken(), memory.take(11)));
    }
}
