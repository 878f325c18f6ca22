//! A call whose comparison has begun.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Block, Outcome};

const ABANDONED: &str = "abandoned";

/// Ends a call where it was accepted, whatever epoch has begun since. One that is dropped is shed as "abandoned"; one that a
/// forked child has inherited is its parent's to end.
pub struct Ticket {
    block: Arc<Block>,
    row: usize,
    born: u64,
    generation: Arc<AtomicU64>,
    is_open: bool,
}

impl Ticket {
    pub(super) fn new(block: Arc<Block>, row: usize, generation: Arc<AtomicU64>) -> Self {
        Self { block, row, born: generation.load(Ordering::Acquire), generation, is_open: true }
    }

    /// Ends the call with what its comparison found. A digest of its input counts towards the distinct ones.
    pub fn compare(mut self, outcome: Outcome, digest: Option<u64>) {
        if self.close() {
            self.block.compare(self.row, outcome, digest);
        }
    }

    /// Gives the call up.
    pub fn shed(mut self, reason: &str) {
        if self.close() {
            self.block.drop_accepted(self.row, reason);
        }
    }

    /// Whether the call is still this process's to end.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.born == self.generation.load(Ordering::Acquire)
    }

    fn close(&mut self) -> bool {
        std::mem::take(&mut self.is_open) && self.is_own()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.close() {
            self.block.drop_accepted(self.row, ABANDONED);
        }
    }
}
