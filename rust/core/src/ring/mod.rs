//! A ring: what one process leaves in a file that is mapped into memory, so that nothing is lost when it is killed.
//!
//! A header says whose it is. Then come blocks of counters, each with the name of its epoch, and two logs of records, one of
//! which is in use. Every change takes effect by one store of one word: whenever the process is stopped, what is in the file
//! is whole.

mod log;
mod text;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

pub use log::Log;

use crate::account::{BLOCK_WORDS, Block, Memory, Reading, ShapeReading};

/// The bytes of a little-endian word; another version has another word.
const MAGIC: u64 = u64::from_le_bytes(*b"FASTRNG2");
/// The version before, which is read as this one: it left the word empty that counts calls nobody has looked at.
const MAGIC_BEFORE: u64 = u64::from_le_bytes(*b"FASTRNG1");
const HEADER_WORDS: usize = 128;
const LABEL_WORDS: usize = 128;
/// The words of each log.
pub const LOG_WORDS: usize = 64 * 1024;

const SIZE: usize = 1;
const ACTIVE: usize = 2;
const HEADER: usize = 8;
const LABELS: usize = HEADER + HEADER_WORDS;

/// How many words a ring of so many blocks takes.
#[must_use]
pub const fn words(blocks: usize) -> usize {
    LABELS + blocks * (LABEL_WORDS + BLOCK_WORDS) + 2 * LOG_WORDS
}

/// Why words are no ring that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// They do not begin as one, or are of another version.
    Foreign,
    /// They are cut off, or hold what no ring holds.
    Torn,
    /// What is to be written does not fit.
    Full,
}

/// A ring in memory that a process writes.
pub struct Ring<M> {
    memory: M,
    blocks: usize,
    writing: Mutex<()>,
}

/// Everything in a ring.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Whose it is.
    pub header: String,
    /// By epoch: its name, and what was counted.
    pub blocks: Vec<(String, Reading, Vec<ShapeReading>)>,
    /// The records that were not known to be written elsewhere, in their order.
    pub records: Vec<String>,
}

impl<M: Memory> Ring<M> {
    /// Makes a ring of memory that is zero.
    ///
    /// # Errors
    ///
    /// The memory is too small for the blocks, or the header does not fit.
    pub fn create(memory: M, blocks: usize, header: &str) -> Result<Self, Defect> {
        if memory.words().len() < words(blocks) {
            return Err(Defect::Full);
        }
        let ring = Self { memory, blocks, writing: Mutex::new(()) };
        text::write(ring.part(HEADER, HEADER_WORDS), header)?;
        ring.memory.words()[SIZE].store(blocks as u64, Ordering::Release);
        ring.memory.words()[0].store(MAGIC, Ordering::Release);
        Ok(ring)
    }

    /// The first word of the block of an epoch. One that has none is given the next free one, for good.
    ///
    /// # Errors
    ///
    /// All blocks are taken, or the name does not fit.
    pub fn place(&self, epoch: &str) -> Result<usize, Defect> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        for index in 0..self.blocks {
            let label = self.part(label_of(index), LABEL_WORDS);
            match text::read(label) {
                Ok(Some(taken)) if taken == epoch => return Ok(self.first_of(index)),
                Ok(None) => return text::write(label, epoch).map(|()| self.first_of(index)),
                _ => {}
            }
        }
        Err(Defect::Full)
    }

    /// Appends a record. Once this returns, it survives the process.
    ///
    /// # Errors
    ///
    /// There is no room until what is written elsewhere is dropped.
    pub fn push(&self, record: &str) -> Result<(), Defect> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.log(self.active()).push(record)
    }

    /// Up to where records have been pushed, for [`Ring::drop_until`].
    #[must_use]
    pub fn end(&self) -> u64 {
        self.log(self.active()).end()
    }

    /// Drops the records before an end, which are written elsewhere: the rest is copied to the other log, which then is the
    /// one in use.
    pub fn drop_until(&self, end: u64) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let active = self.active();
        self.log(1 - active).copy_from(&self.log(active), end);
        self.memory.words()[ACTIVE].store(1 - active as u64, Ordering::Release);
    }

    fn active(&self) -> usize {
        usize::from(self.memory.words()[ACTIVE].load(Ordering::Acquire) == 1)
    }

    fn log(&self, which: usize) -> Log<'_> {
        Log::new(self.part(LABELS + self.blocks * (LABEL_WORDS + BLOCK_WORDS) + which * LOG_WORDS, LOG_WORDS))
    }

    fn first_of(&self, index: usize) -> usize {
        LABELS + self.blocks * LABEL_WORDS + index * BLOCK_WORDS
    }

    fn part(&self, first: usize, length: usize) -> &[AtomicU64] {
        &self.memory.words()[first..first + length]
    }
}

const fn label_of(index: usize) -> usize {
    LABELS + index * LABEL_WORDS
}

/// Reads what a process has left.
///
/// # Errors
///
/// The words are no ring of this version, or something in them is torn.
pub fn read(words_left: Vec<AtomicU64>) -> Result<Contents, Defect> {
    let at = |index: usize| words_left.get(index).map(|word| word.load(Ordering::Acquire));
    if !matches!(at(0), Some(MAGIC | MAGIC_BEFORE)) {
        return Err(Defect::Foreign);
    }
    let blocks = at(SIZE).and_then(|blocks| usize::try_from(blocks).ok()).filter(|blocks| *blocks <= 1_024);
    let blocks = blocks.filter(|blocks| words_left.len() >= words(*blocks)).ok_or(Defect::Torn)?;
    let ring = Ring { memory: words_left, blocks, writing: Mutex::new(()) };
    let mut contents =
        Contents { header: text::read(ring.part(HEADER, HEADER_WORDS))?.ok_or(Defect::Torn)?, ..Contents::default() };
    for index in 0..blocks {
        let Some(epoch) = text::read(ring.part(label_of(index), LABEL_WORDS))? else { break };
        let counted = ring
            .part(ring.first_of(index), BLOCK_WORDS)
            .iter()
            .map(|word| AtomicU64::new(word.load(Ordering::Acquire)));
        let block = Block::left(Box::new(counted.collect::<Vec<_>>()));
        contents.blocks.push((epoch, block.reading(), block.shapes()));
    }
    contents.records = ring.log(ring.active()).records()?;
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::account::{Outcome, Tally};

    const BLOCKS: usize = 3;

    fn memory() -> Vec<AtomicU64> {
        (0..words(BLOCKS)).map(|_| AtomicU64::new(0)).collect()
    }

    fn ring() -> Ring<Vec<AtomicU64>> {
        Ring::create(memory(), BLOCKS, "pid 7").unwrap()
    }

    fn copy(ring: &Ring<Vec<AtomicU64>>) -> Vec<AtomicU64> {
        ring.memory.iter().map(|word| AtomicU64::new(word.load(Ordering::Relaxed))).collect()
    }

    #[test]
    fn an_epoch_has_one_block_for_good_until_there_are_no_more() {
        let ring = ring();
        let places: Vec<_> = ["a", "b", "a", "c", "d"].map(|epoch| ring.place(epoch)).to_vec();
        assert_eq!(places[0], places[2]);
        assert_eq!(Err(Defect::Full), places[4]);
        assert!(places[0] != places[1] && places[1] != places[3]);
    }

    #[test]
    fn what_was_counted_is_read_with_its_epoch() {
        let ring = ring();
        let first = ring.place("a").unwrap();
        let tally = Tally::new();
        let words =
            ring.memory[first..first + BLOCK_WORDS].iter().map(|word| AtomicU64::new(word.load(Ordering::Relaxed)));
        let words = words.collect::<Vec<_>>();
        tally.open("a", || Some(Box::new(words)));
        tally.accept(3).compare(Outcome::Matched, None);
        assert_eq!("a", read(copy(&ring)).unwrap().blocks[0].0);
        assert_eq!("pid 7", read(copy(&ring)).unwrap().header);
    }

    #[test]
    fn what_the_version_before_has_left_is_read() {
        let left = copy(&ring());
        left[0].store(MAGIC_BEFORE, Ordering::Relaxed);
        assert_eq!(read(copy(&ring())), read(left));
    }

    #[test]
    fn other_words_are_no_ring() {
        assert_eq!(Err(Defect::Foreign), read(memory()));
        let (mut short, torn) = (copy(&ring()), copy(&ring()));
        short.truncate(1_000);
        assert_eq!(Err(Defect::Torn), read(short));
        torn[HEADER + 1].store(77, Ordering::Relaxed);
        assert_eq!(Err(Defect::Torn), read(torn));
    }

    #[test]
    fn a_full_log_says_so_and_takes_records_again_once_they_are_dropped() {
        let ring = ring();
        let record = "x".repeat(1_000);
        let pushed = (0..LOG_WORDS).take_while(|_| ring.push(&record).is_ok()).count();
        assert_eq!(LOG_WORDS * 8 / 1_008, pushed);
        ring.drop_until(ring.end());
        assert_eq!(Ok(()), ring.push("y"));
        assert_eq!(vec!["y"], read(copy(&ring)).unwrap().records);
    }

    proptest! {
        #[test]
        fn records_are_kept_in_order_until_they_are_dropped(steps in proptest::collection::vec((".{0,20}", any::<bool>(), any::<bool>()), 0..60)) {
            let ring = ring();
            let (mut expected, mut kept_from, mut end) = (Vec::new(), 0, ring.end());
            for (record, marks, drops) in steps {
                ring.push(&record).unwrap();
                expected.push(record);
                if marks {
                    (kept_from, end) = (expected.len(), ring.end());
                }
                if drops {
                    ring.drop_until(end);
                    expected.drain(..kept_from);
                    (kept_from, end) = (0, 0);
                }
                prop_assert_eq!(&expected, &read(copy(&ring)).unwrap().records);
            }
        }

        #[test]
        fn nothing_that_a_file_may_hold_does_more_than_be_refused(at in 0..words(BLOCKS), word in any::<u64>()) {
            let ring = ring();
            ring.place("a").unwrap();
            ring.push("b").unwrap();
            let words = copy(&ring);
            words[at].store(word, Ordering::Relaxed);
            let _ = read(words);
        }
    }
}
