//! The counters of one epoch, laid out in words of memory that may be shared.
//!
//! Every transition of a call is one increment of one word. Whenever a process is stopped, between any two instructions, what
//! it leaves behind is a true account: a call is either not yet counted or counted in exactly one place. What depends on two
//! words, such as how many calls are in flight, is derived when they are read.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::words::{SLOT, Table};
use super::{Counts, Outcome, Reading, ShapeReading, Sketch};

/// Shapes with counters of their own.
pub const SHAPES: usize = 512;
/// The shape of calls that nobody has looked at.
pub const UNKNOWN: u64 = 0;
/// Under which the calls of all further shapes are counted.
pub const OTHER_SHAPE: u64 = i64::MAX as u64; // the largest that databases take for an integer

const REASONS: usize = 16;
const WORDS: usize = 64;
/// The two implementations every seam has come first.
const PYTHON: usize = 0;
const RUST: usize = 1;

const SERVED: usize = 0;
const DECLINED: usize = 1;
const FAILED: usize = 2;
const MAPS: usize = 3;

/// A row: the shape, then these counters, then one counter for each reason before acceptance and one after it.
const SAMPLED_OUT: usize = 1;
const ACCEPTED: usize = 2;
const MATCHED: usize = 3;
const WAIVED: usize = 4;
const DIVERGED: usize = 5;
const SHED: usize = 6;
const DROPPED: usize = SHED + REASONS;
const ROW: usize = DROPPED + REASONS;

const MAP: usize = WORDS * (SLOT + 1);
const REASON_TABLE: usize = MAPS * MAP;
const ROWS: usize = REASON_TABLE + REASONS * SLOT;
/// Calls that Python answered and the sample left out, unseen: the most there are, and counted as both by one increment. The
/// first row is of calls that nobody has looked at, so that its first word has no shape to name.
const LEFT_OUT: usize = ROWS;
/// The words a block takes.
pub const BLOCK_WORDS: usize = ROWS + SHAPES * ROW;

/// Where a block's words are.
pub trait Memory: Send + Sync {
    /// At least [`BLOCK_WORDS`] words, zero at first; the same ones each time.
    fn words(&self) -> &[AtomicU64];
}

impl Memory for Vec<AtomicU64> {
    fn words(&self) -> &[AtomicU64] {
        self
    }
}

/// The counters of one epoch in one process.
pub struct Block {
    memory: Box<dyn Memory>,
    /// Held while a word or a shape is given its place.
    placing: Mutex<()>,
    /// By row. They are not in the words: what is lost of them makes evidence smaller, never larger.
    sketches: Mutex<HashMap<usize, Sketch>>,
}

impl Block {
    /// A block in the process's own memory.
    #[must_use]
    pub fn on_heap() -> Self {
        Self::new(Box::new((0..BLOCK_WORDS).map(|_| AtomicU64::new(0)).collect::<Vec<_>>()))
    }

    /// A block in memory that is zero, or that a block has left.
    #[must_use]
    pub fn new(memory: Box<dyn Memory>) -> Self {
        let block = Self::left(memory);
        block.map_index(SERVED, "python");
        block.map_index(SERVED, "rust");
        block
    }

    /// The block that somebody has left in memory, to be read.
    #[must_use]
    pub fn left(memory: Box<dyn Memory>) -> Self {
        Self { memory, placing: Mutex::new(()), sketches: Mutex::default() }
    }

    /// Counts a call that Python answers and, unless the sample takes it, nobody looks at.
    ///
    /// # Arguments
    ///
    /// * `takes` - Asked, with how many calls Python has answered before, whether the sample takes this one.
    ///
    /// # Returns
    ///
    /// Whether it does.
    #[inline]
    pub(super) fn serve_sampled(&self, mut takes: impl FnMut(u64) -> bool) -> bool {
        let words = self.memory.words();
        let (served, left_out) = (&words[map_counter(SERVED, PYTHON)], &words[LEFT_OUT]);
        loop {
            let (left, others) = (left_out.load(Ordering::Acquire), served.load(Ordering::Acquire));
            if left_out.load(Ordering::Acquire) != left {
                continue; // the sum would be of two moments
            }
            let is_taken = takes(left.wrapping_add(others));
            let (word, before) = if is_taken { (served, others) } else { (left_out, left) };
            // Who counted in between had the same number and so counted the same word, which has changed then.
            if word.compare_exchange(before, before.wrapping_add(1), Ordering::Release, Ordering::Relaxed).is_ok() {
                return is_taken;
            }
        }
    }

    /// Counts a call answered by an implementation.
    pub fn serve(&self, implementation: &str) {
        let slot = match implementation {
            "python" => PYTHON,
            "rust" => RUST,
            other => self.map_index(SERVED, other),
        };
        self.count(map_counter(SERVED, slot));
    }

    /// Counts a call the candidate refused before doing anything.
    pub fn decline(&self, reason: &str) {
        self.count(map_counter(DECLINED, self.map_index(DECLINED, reason)));
    }

    /// Counts a call the candidate should have answered and could not.
    pub fn fail(&self, kind: &str) {
        self.count(map_counter(FAILED, self.map_index(FAILED, kind)));
    }

    /// Counts an offered call that the sample leaves out.
    pub fn sample_out(&self, shape: u64) {
        self.count(self.row(shape) + SAMPLED_OUT);
    }

    /// Counts an offered call that is given up before its comparison has begun.
    pub fn shed(&self, reason: &str, shape: u64) {
        self.count(self.row(shape) + SHED + self.reason_index(reason));
    }

    /// Counts an offered call whose comparison has begun, and says in which row it has to end.
    pub(super) fn accept(&self, shape: u64) -> usize {
        let row = self.row(shape);
        self.count(row + ACCEPTED);
        row
    }

    pub(super) fn compare(&self, row: usize, outcome: Outcome, digest: Option<u64>) {
        if let Some(digest) = digest {
            self.sketches().entry(row).or_default().insert(digest);
        }
        self.count(row + [MATCHED, WAIVED, DIVERGED][outcome as usize]);
    }

    pub(super) fn drop_accepted(&self, row: usize, reason: &str) {
        self.count(row + DROPPED + self.reason_index(reason));
    }

    /// What all calls have come to. It is true at one moment for each row; calls go on while the rows are read.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let rows = (0..SHAPES).filter_map(|index| self.counted(index));
        let mut reading = rows.fold(Reading::default(), |sum, (_, reading)| sum.with(&reading));
        reading.served = self.served();
        reading.declined = self.map(DECLINED, 0);
        reading.failed = self.map(FAILED, 0);
        reading
    }

    /// The same by shape, for every shape that has been counted.
    #[must_use]
    pub fn shapes(&self) -> Vec<ShapeReading> {
        (0..SHAPES).filter_map(|index| self.shape(index)).collect()
    }

    fn shape(&self, index: usize) -> Option<ShapeReading> {
        let (shape, reading) = self.counted(index)?;
        let sketch = self.sketches().get(&place(index)).map(Sketch::to_bytes).unwrap_or_default();
        Some(ShapeReading { shape, reading, sketch })
    }

    fn counted(&self, index: usize) -> Option<(u64, Reading)> {
        let shape = match index {
            0 => UNKNOWN,
            1 => OTHER_SHAPE,
            _ => Some(self.word(place(index)).load(Ordering::Acquire)).filter(|shape| *shape != 0)?,
        };
        let reading = self.row_reading(place(index));
        (index > 1 || reading.offered > 0).then_some((shape, reading))
    }

    /// How calls have ended is read before how many were accepted, so that no more have ended than were accepted.
    fn row_reading(&self, row: usize) -> Reading {
        let at = |offset: usize| self.word(row + offset).load(Ordering::Acquire);
        let (matched, waived, diverged) = (at(MATCHED), at(WAIVED), at(DIVERGED));
        let dropped = self.reasons(row + DROPPED);
        let given_up = self.reasons(row + SHED);
        let (mut sampled_out, accepted) = (at(SAMPLED_OUT), at(ACCEPTED));
        if row == LEFT_OUT {
            sampled_out += at(0);
        }
        let compared = matched + waived + diverged;
        Reading {
            offered: sampled_out + accepted + given_up.values().sum::<u64>(),
            in_flight: accepted.saturating_sub(compared + dropped.values().sum::<u64>()),
            shed: super::sum(given_up, &dropped),
            sampled_out,
            compared,
            matched,
            waived,
            diverged,
            ..Reading::default()
        }
    }

    fn reasons(&self, first: usize) -> Counts {
        let table = self.reason_table();
        let counted = (0..REASONS).map(|slot| (slot, self.word(first + slot).load(Ordering::Acquire)));
        counted.filter(|(_, n)| *n > 0).filter_map(|(slot, n)| Some((table.word(slot)?, n))).collect()
    }

    fn served(&self) -> Counts {
        let mut served = self.map(SERVED, 2);
        *served.entry("python".to_owned()).or_default() += self.word(LEFT_OUT).load(Ordering::Relaxed);
        served
    }

    /// The counts of a map; its first words are named even when they were not counted.
    fn map(&self, map: usize, always: usize) -> Counts {
        let table = self.map_table(map);
        let mut counts = BTreeMap::new();
        for slot in 0..WORDS {
            let n = self.word(map_counter(map, slot)).load(Ordering::Relaxed);
            if let Some(word) = table.word(slot).filter(|_| n > 0 || slot < always) {
                counts.insert(word, n);
            }
        }
        counts
    }

    /// The first word of a shape's row; it is given one when it has none and there is room.
    fn row(&self, shape: u64) -> usize {
        if shape == UNKNOWN {
            return place(0);
        }
        let first = usize::try_from(shape % (SHAPES as u64 - 2)).unwrap_or(0);
        for probe in 0..SHAPES - 2 {
            let row = place(2 + (first + probe) % (SHAPES - 2));
            match self.word(row).load(Ordering::Acquire) {
                written if written == shape => return row,
                0 if self.is_placed(row, shape) => return row,
                _ => {}
            }
        }
        place(1)
    }

    fn is_placed(&self, row: usize, shape: u64) -> bool {
        let word = self.word(row);
        shape != OTHER_SHAPE
            && match word.compare_exchange(0, shape, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => true,
                Err(written) => written == shape,
            }
    }

    fn map_index(&self, map: usize, word: &str) -> usize {
        self.placed(self.map_table(map), word)
    }

    fn reason_index(&self, reason: &str) -> usize {
        self.placed(self.reason_table(), reason)
    }

    fn placed(&self, table: Table<'_>, word: &str) -> usize {
        table.find(word).unwrap_or_else(|| {
            let _placing = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
            table.index(word)
        })
    }

    fn map_table(&self, map: usize) -> Table<'_> {
        Table::new(&self.memory.words()[map * MAP..map * MAP + WORDS * SLOT])
    }

    fn reason_table(&self) -> Table<'_> {
        Table::new(&self.memory.words()[REASON_TABLE..ROWS])
    }

    fn sketches(&self) -> MutexGuard<'_, HashMap<usize, Sketch>> {
        self.sketches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, word: usize) {
        self.word(word).fetch_add(1, Ordering::Release);
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        &self.memory.words()[index]
    }
}

fn map_counter(map: usize, slot: usize) -> usize {
    map * MAP + WORDS * SLOT + slot
}

/// The first word of a row.
fn place(index: usize) -> usize {
    ROWS + index * ROW
}
