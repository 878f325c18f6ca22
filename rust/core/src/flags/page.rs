//! Standings that processes share: a table of 64-byte cells in memory they have in common, one cell per flag name.
//!
//! Open addressing with linear probing over a hash of the name; a cell once claimed keeps its name for as long as the
//! memory lives, so that every process finds a flag in the same place whatever its rules say of the others. Nothing is
//! ever locked: a cell is claimed by one compare-and-swap, and a flag is stopped by one store.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_64;

use super::standing::{Cause, Standing, Word};

/// How many flags a page has room for.
pub const CAPACITY: usize = 4096;

/// The length of a page in 64-bit words: a header as long as a cell, then the cells.
pub const WORDS: usize = CELL * (CAPACITY + 1);

const CELL: usize = 8; // words: a cache line, so that flags of different processes never contend for one
const HEADER: [u64; 3] = [u64::from_le_bytes(*b"flstands"), 1, CAPACITY as u64]; // what it is, format, capacity

// The words of a cell. The rest is zero, so that memory that holds something else is noticed.
const NAME: usize = 0; // hash of the flag's name, 0: free
const STANDING: usize = 1;
const SINCE: usize = 2; // Unix milliseconds
const WRITER: usize = 3; // process id
const TIMES: usize = 4;
const USED: usize = 5;

/// Why memory is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageError {
    /// It has another length, in words.
    Length(usize),
    /// It begins with something else, or with another format.
    Header,
    /// This cell holds what no process writes.
    Cell(usize),
}

/// Who stopped or released a flag, and when. Written one after the other, so a reading may mix two writers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The standing.
    pub word: Word,
    /// Unix milliseconds of the last write.
    pub since: u64,
    /// The process that wrote it.
    pub writer: u32,
    /// How often the flag was stopped.
    pub times: u64,
}

/// A page over memory that others may be writing to.
#[derive(Clone, Copy)]
pub struct Page<'a>(&'a [AtomicU64]);

impl<'a> Page<'a> {
    /// Takes memory for a page, after checking that it is one.
    ///
    /// # Errors
    ///
    /// The memory holds something else; nothing of it is to be believed.
    pub fn new(words: &'a [AtomicU64]) -> Result<Self, PageError> {
        if words.len() != WORDS {
            return Err(PageError::Length(words.len()));
        }
        let mut expected = HEADER.into_iter().chain(std::iter::repeat(0));
        if !words[..CELL].iter().all(|word| Some(word.load(Ordering::Relaxed)) == expected.next()) {
            return Err(PageError::Header);
        }
        let page = Self(words);
        (0..CAPACITY).find(|cell| !page.is_sound(*cell)).map_or(Ok(page), |cell| Err(PageError::Cell(cell)))
    }

    /// Takes memory that was a page when it was last looked at.
    #[must_use]
    pub fn checked(words: &'a [AtomicU64]) -> Self {
        Self(words)
    }

    /// Where a flag's standing is kept, claimed if need be; `None` when every cell belongs to another flag.
    #[must_use]
    pub fn claim(&self, flag: &str) -> Option<usize> {
        let name = digest(flag);
        probe(name).find(|cell| {
            let place = &self.0[at(*cell, NAME)];
            let found = place.load(Ordering::Acquire);
            found == name
                || found == 0
                    && place
                        .compare_exchange(0, name, Ordering::AcqRel, Ordering::Acquire)
                        .map_or_else(|winner| winner == name, |_| true)
        })
    }

    /// What is known of a flag; `None` when it has no cell.
    #[must_use]
    pub fn entry(&self, flag: &str) -> Option<Entry> {
        let name = digest(flag);
        let mut probed = probe(name).map(|cell| (cell, self.0[at(cell, NAME)].load(Ordering::Acquire)));
        let (cell, found) = probed.find(|(_, found)| *found == name || *found == 0)?;
        (found == name).then(|| Entry {
            word: self.0[at(cell, STANDING)].load(Ordering::Acquire),
            since: self.0[at(cell, SINCE)].load(Ordering::Relaxed),
            writer: u32::try_from(self.0[at(cell, WRITER)].load(Ordering::Relaxed)).unwrap_or(0),
            times: self.0[at(cell, TIMES)].load(Ordering::Relaxed),
        })
    }

    /// The word that decisions read: one load, which sees every store made before it in any process.
    #[must_use]
    pub fn word(&self, cell: usize) -> Word {
        self.0[at(cell, STANDING)].load(Ordering::Relaxed)
    }

    /// Writes a standing, whatever was there: a person's word.
    pub fn stand(&self, cell: usize, word: Word, writer: u32, now: i64) {
        self.note(cell, word, writer, now);
        self.0[at(cell, STANDING)].store(word, Ordering::Release);
    }

    /// Writes a guard's standing, unless a person has stopped the flag; returns whether it was written.
    #[must_use]
    pub fn trip(&self, cell: usize, word: Word, writer: u32, now: i64) -> bool {
        let may = |found| (Standing::of(found, now) != Standing::Stopped(Cause::Paused)).then_some(word);
        let tripped = self.0[at(cell, STANDING)].fetch_update(Ordering::AcqRel, Ordering::Acquire, may).is_ok();
        if tripped {
            self.note(cell, word, writer, now);
        }
        tripped
    }

    fn note(&self, cell: usize, word: Word, writer: u32, now: i64) {
        self.0[at(cell, SINCE)].store(u64::try_from(now).unwrap_or(0), Ordering::Relaxed);
        self.0[at(cell, WRITER)].store(u64::from(writer), Ordering::Relaxed);
        self.0[at(cell, TIMES)].fetch_add(u64::from(word != 0), Ordering::Relaxed);
    }

    /// A standing without a name, or anything in the words nobody uses, was not written by a process of ours.
    fn is_sound(&self, cell: usize) -> bool {
        let standing = self.0[at(cell, STANDING)].load(Ordering::Acquire); // before the name, which is written first
        let is_named = self.0[at(cell, NAME)].load(Ordering::Acquire) != 0;
        let unused = &self.0[at(cell, USED)..at(cell, CELL)];
        (is_named || standing == 0) && unused.iter().all(|word| word.load(Ordering::Relaxed) == 0)
    }
}

/// The content of a page on which nothing has happened.
#[must_use]
pub fn blank() -> Vec<u8> {
    let mut bytes: Vec<u8> = HEADER.into_iter().flat_map(u64::to_ne_bytes).collect();
    bytes.resize(WORDS * size_of::<u64>(), 0);
    bytes
}

/// Names are told apart by 64 bits: among 4096 of them, two agree once in 10^12 pages.
fn digest(flag: &str) -> u64 {
    xxh3_64(flag.as_bytes()).max(1)
}

fn probe(name: u64) -> impl Iterator<Item = usize> {
    let first = usize::try_from(name % CAPACITY as u64).unwrap_or(0);
    (0..CAPACITY).map(move |step| (first + step) % CAPACITY)
}

const fn at(cell: usize, word: usize) -> usize {
    CELL * (cell + 1) + word
}

impl fmt::Display for PageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(found) => write!(formatter, "expected {WORDS} words, got {found}"),
            Self::Header => write!(formatter, "expected a page of format {}, got something else", HEADER[1]),
            Self::Cell(cell) => write!(formatter, "cell {cell} holds what no process writes"),
        }
    }
}

impl std::error::Error for PageError {}

#[cfg(test)]
mod tests {
    use super::super::standing::stop;
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn memory() -> Vec<AtomicU64> {
        blank().as_chunks().0.iter().map(|word| AtomicU64::new(u64::from_ne_bytes(*word))).collect()
    }

    #[test]
    fn a_flag_has_one_cell_however_often_it_is_claimed() {
        let memory = memory();
        let page = Page::new(&memory).unwrap();
        let cell = page.claim("parser").unwrap();
        assert_eq!(Some(cell), page.claim("parser"));
        assert_ne!(Some(cell), page.claim("counter"));
        page.stand(cell, 7, 42, NOW);
        let since = u64::try_from(NOW).unwrap();
        assert_eq!(Some(Entry { word: 7, since, writer: 42, times: 1 }), page.entry("parser"));
        assert_eq!((7, 0), (page.word(cell), page.word(page.claim("counter").unwrap())));
        assert_eq!(None, page.entry("never claimed"));
    }

    #[test]
    fn every_cell_is_used_and_then_there_is_no_more_room() {
        let memory = memory();
        let page = Page::new(&memory).unwrap();
        let mut cells: Vec<_> = (0..CAPACITY).map(|flag| page.claim(&format!("flag-{flag}")).unwrap()).collect();
        cells.sort_unstable();
        assert_eq!((0..CAPACITY).collect::<Vec<_>>(), cells);
        assert_eq!(None, page.claim("one more"));
        assert_eq!(None, page.entry("one more"));
        assert_eq!(0, page.entry("flag-17").unwrap().times);
    }

    #[test]
    fn threads_that_claim_at_once_agree() {
        let memory = memory();
        let page = Page::new(&memory).unwrap();
        let claim_all = || (0..500).map(|flag| page.claim(&format!("flag-{flag}"))).collect::<Vec<_>>();
        std::thread::scope(|scope| {
            let others: Vec<_> = (0..4).map(|_| scope.spawn(claim_all)).collect();
            let own = claim_all();
            for other in others {
                assert_eq!(own, other.join().unwrap());
            }
        });
    }

    #[test]
    fn a_guard_never_shortens_what_a_person_said() {
        let memory = memory();
        let page = Page::new(&memory).unwrap();
        let cell = page.claim("parser").unwrap();
        let trip = stop(Cause::Latency, Some(NOW + 1000), 10_000);
        assert!(page.trip(cell, trip, 1, NOW));
        page.stand(cell, stop(Cause::Paused, Some(NOW + 500), 0), 2, NOW);
        assert!(!page.trip(cell, trip, 1, NOW));
        assert!(page.trip(cell, trip, 1, NOW + 500));
        assert_eq!(3, page.entry("parser").unwrap().times);
    }

    #[test]
    fn what_is_no_page_is_not_believed() {
        let refused = |change: fn(&mut Vec<AtomicU64>)| {
            let mut memory = memory();
            change(&mut memory);
            Page::new(&memory).err()
        };
        assert_eq!(None, refused(|_| ()));
        assert_eq!(Some(PageError::Length(WORDS - 1)), refused(|memory| memory.truncate(WORDS - 1)));
        for word in 0..CELL {
            let memory = memory();
            memory[word].fetch_xor(1, Ordering::Relaxed);
            assert_eq!(Some(PageError::Header), Page::new(&memory).err());
        }
        assert_eq!(Some(PageError::Cell(0)), refused(|memory| memory[at(0, STANDING)] = AtomicU64::new(1)));
        assert_eq!(Some(PageError::Cell(9)), refused(|memory| memory[at(9, USED)] = AtomicU64::new(1)));
    }
}
