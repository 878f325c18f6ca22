//! The accounting of served and shadowed calls.
//!
//! One [`Tally`] belongs to one feature. Every call that could have been shadowed is *offered* and then sits in exactly one
//! place, so that at any moment, for every shape of call,
//!
//! ```text
//! offered = sampled_out + compared + sum(shed) + in_flight        compared = matched + waived + diverged
//! ```
//!
//! A call whose comparison has begun is a [`Ticket`], which ends exactly once.

mod block;
mod sketch;
mod tally;
mod ticket;
mod words;

use std::collections::BTreeMap;

pub use block::{BLOCK_WORDS, Block, Memory, OTHER_SHAPE, SHAPES, UNKNOWN};
pub use sketch::Sketch;
pub use tally::Tally;
pub use ticket::Ticket;
pub use words::OTHER;

/// Counts by a short word: an implementation, a reason, a kind of failure.
pub type Counts = BTreeMap<String, u64>;

/// What a comparison found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Both sides did the same.
    Matched,
    /// They differed in a way that has been accepted, or the control does not even agree with itself.
    Waived,
    /// They differed.
    Diverged,
}

impl Outcome {
    /// The outcome a word names, or `None` for any other word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "matched" => Some(Self::Matched),
            "waived" => Some(Self::Waived),
            "diverged" => Some(Self::Diverged),
            _ => None,
        }
    }
}

/// Everything one tally has counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Calls by the implementation that answered the caller.
    pub served: Counts,
    /// Calls a candidate refused before doing anything, by reason.
    pub declined: Counts,
    /// Calls a candidate failed to answer, by kind.
    pub failed: Counts,
    /// Calls that could have been shadowed.
    pub offered: u64,
    /// Offered calls the sample left out.
    pub sampled_out: u64,
    /// Offered calls whose two sides were compared.
    pub compared: u64,
    /// Comparisons without a difference.
    pub matched: u64,
    /// Comparisons with an accepted difference.
    pub waived: u64,
    /// Comparisons with a difference.
    pub diverged: u64,
    /// Offered calls that were given up, by reason.
    pub shed: Counts,
    /// Offered calls whose comparison is still to come.
    pub in_flight: u64,
}

impl Reading {
    /// The sum of two readings.
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        Self {
            served: sum(self.served, &other.served),
            declined: sum(self.declined, &other.declined),
            failed: sum(self.failed, &other.failed),
            offered: self.offered + other.offered,
            sampled_out: self.sampled_out + other.sampled_out,
            compared: self.compared + other.compared,
            matched: self.matched + other.matched,
            waived: self.waived + other.waived,
            diverged: self.diverged + other.diverged,
            shed: sum(self.shed, &other.shed),
            in_flight: self.in_flight + other.in_flight,
        }
    }

    /// Whether every offered call is accounted for.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let shed: u64 = self.shed.values().sum();
        self.offered == self.sampled_out + self.compared + shed + self.in_flight
            && self.compared == self.matched + self.waived + self.diverged
    }
}

/// What the calls of one shape have come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeReading {
    /// The shape, or [`UNKNOWN`] or [`OTHER_SHAPE`].
    pub shape: u64,
    /// Its counts; who has answered is not counted by shape.
    pub reading: Reading,
    /// The sketch of the distinct inputs that were compared, as bytes; empty when no digest of any came.
    pub sketch: Vec<u8>,
}

fn sum(mut one: Counts, other: &Counts) -> Counts {
    for (word, n) in other {
        *one.entry(word.clone()).or_default() += n;
    }
    one
}
