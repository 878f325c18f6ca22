//! The border of shared standings: a file in memory, mapped into every process that uses the same rules.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use fast_litellm_core::flags::bucket::NameMap;
use fast_litellm_core::flags::page::{self, Page};
use fast_litellm_core::flags::standing::{self, Cause, Standing, Word};
use memmap2::MmapRaw;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

const ALL_UNITS: u32 = 1_000_000;

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<StandingPage>()?;
    module.add_function(wrap_pyfunction!(blank_page, module)?)?;
    module.add_function(wrap_pyfunction!(stop_word, module)?)?;
    module.add_function(wrap_pyfunction!(read_mark, module)?)?;
    module.add_function(wrap_pyfunction!(read_word, module)?)
}

/// The standings of flags in memory that other processes read and write.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct StandingPage(Arc<Mapping>);

/// A page's memory, mapped for as long as anybody reads it, also after its file has been removed.
struct Mapping(MmapRaw);

/// What stops the flags of one cell: words of this process, which outlive every swap, and a page if there is one.
pub(crate) struct Stops {
    own: ArcSwap<NameMap<Arc<AtomicU64>>>,
    page: Option<Arc<Mapping>>,
}

/// Where the flags of one snapshot, in its order, are stopped.
pub(crate) struct Places {
    page: Option<Arc<Mapping>>,
    flags: Box<[Place]>,
}

struct Place {
    own: Arc<AtomicU64>,
    shared: Option<usize>,
}

impl Stops {
    pub(crate) fn new(page: Option<&StandingPage>) -> Self {
        Self { own: ArcSwap::default(), page: page.map(|page| page.0.clone()) }
    }

    /// Stops or releases a flag in this process alone; one that no snapshot declares is stopped when one does.
    pub(crate) fn stand(&self, flag: &str, word: Word) {
        if let Some(own) = self.own(&std::iter::once(flag)).get(flag) {
            own.store(word, Ordering::Relaxed);
        }
    }

    /// Looks up, once for a snapshot, where its flags are stopped.
    pub(crate) fn places<'a>(&self, flags: impl Iterator<Item = &'a str> + Clone) -> Places {
        let words = self.own(&flags);
        let shared = |flag| self.page.as_ref().and_then(|mapping| mapping.page().claim(flag));
        let place = |flag| Some(Place { own: words.get(flag)?.clone(), shared: shared(flag) });
        Places { page: self.page.clone(), flags: flags.filter_map(place).collect() }
    }

    /// The words of this process, with one for each of these flags. A word stays where it is for ever.
    fn own<'a>(&self, flags: &(impl Iterator<Item = &'a str> + Clone)) -> Arc<NameMap<Arc<AtomicU64>>> {
        let is_complete = |words: &NameMap<Arc<AtomicU64>>| flags.clone().all(|flag| words.contains_key(flag));
        if !is_complete(&self.own.load()) {
            self.own.rcu(|known| {
                let mut words = (**known).clone();
                for flag in flags.clone() {
                    words.entry(flag.into()).or_default();
                }
                words
            });
        }
        self.own.load_full()
    }
}

impl Places {
    /// A flag's standing: one relaxed load of what all processes share, and one of what is this process's own.
    #[inline(always)]
    pub(crate) fn standing(&self, flag: usize) -> Standing {
        let place = &self.flags[flag];
        let shared = match (&self.page, place.shared) {
            (Some(mapping), Some(cell)) => mapping.page().word(cell),
            _ => 0,
        };
        let own = place.own.load(Ordering::Relaxed);
        if shared | own == 0 { Standing::Running } else { stronger_now(shared, own) }
    }
}

#[cold]
fn stronger_now(shared: Word, own: Word) -> Standing {
    standing::stronger(shared, own, now())
}

impl Mapping {
    /// The page, without checking again what was checked when it was mapped.
    fn page(&self) -> Page<'_> {
        Page::checked(self.words())
    }

    #[allow(unsafe_code)] // docs/decisions/0008-shared-page.md
    fn words(&self) -> &[AtomicU64] {
        let words = self.0.len() / size_of::<AtomicU64>();
        // SAFETY: The mapping begins at a page boundary of the system, so it is aligned; it is readable and writable
        // for `len` bytes and lives as long as `self`, to which the slice's lifetime is bound. Every bit pattern is an
        // AtomicU64, and nobody in this process has any other reference into it: `MmapRaw` hands none out, and all
        // accesses, here and in the other processes, are atomic ones through this function. The file is made at its
        // full size, with every block written, before it gets its name, and is only the owner's to open; our code
        // never changes its size. An owner who truncates it by hand ends the process by SIGBUS, as with any mapped
        // file, and breaks no rule of memory.
        unsafe { std::slice::from_raw_parts(self.0.as_mut_ptr().cast(), words) }
    }
}

#[pymethods]
impl StandingPage {
    /// Maps an open file and checks that it holds a page. The descriptor may be closed afterwards.
    #[new]
    fn new(descriptor: i32) -> PyResult<Self> {
        let mapping = Mapping(map(descriptor)?);
        Page::new(mapping.words()).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Self(Arc::new(mapping)))
    }

    /// Writes a flag's standing for every process; False when the page has no room for another flag.
    fn stand(&self, flag: &str, word: Word) -> bool {
        let page = self.0.page();
        let cell = page.claim(flag);
        if let Some(cell) = cell {
            page.stand(cell, word, std::process::id(), now());
        }
        cell.is_some()
    }

    /// Writes a guard's standing unless a person has stopped the flag: whether it did, or None for want of room.
    fn trip(&self, flag: &str, word: Word) -> Option<bool> {
        let page = self.0.page();
        page.claim(flag).map(|cell| page.trip(cell, word, std::process::id(), now()))
    }

    /// The flag's word, Unix milliseconds of its last change, by which process, and how often it was stopped.
    fn entry(&self, flag: &str) -> Option<(Word, u64, u32, u64)> {
        self.0.page().entry(flag).map(|entry| (entry.word, entry.since, entry.writer, entry.times))
    }
}

/// The content of a page's file before anything has happened.
#[pyfunction]
fn blank_page(py: Python<'_>) -> Bound<'_, PyBytes> {
    PyBytes::new(py, &page::blank())
}

/// The word that stops a flag: why, until when in Unix milliseconds, and how many of a million units try again then.
#[pyfunction]
#[pyo3(signature = (cause, until=None, retry=1_000_000))]
fn stop_word(cause: &str, until: Option<i64>, retry: u32) -> PyResult<Word> {
    let known = Cause::ALL.into_iter().find(|known| known.name() == cause);
    let unknown = || {
        let names = Cause::ALL.map(Cause::name).join(" | ");
        PyValueError::new_err(format!("expected one of {names}, got {cause:?}"))
    };
    known.map(|cause| standing::stop(cause, until, retry)).ok_or_else(unknown)
}

/// Why a word stops a flag, until when in Unix milliseconds, and how many of a million units are tried at a moment;
/// None when all are.
#[pyfunction]
fn read_word(word: Word, now: i64) -> Option<(&'static str, Option<i64>, u32)> {
    match Standing::of(word, now) {
        Standing::Running | Standing::Retrying(_, ALL_UNITS..) => None,
        Standing::Stopped(cause) => Some((cause.name(), standing::until(word), 0)),
        Standing::Retrying(cause, share) => Some((cause.name(), standing::until(word), share)),
    }
}

/// The mark of the build that a word stops because it answered otherwise, None when the word says something else.
#[pyfunction]
#[pyo3(signature = (word, now, /))]
fn read_mark(word: Word, now: i64) -> Option<u32> {
    standing::mark(word, now)
}

#[cfg(unix)]
fn map(descriptor: i32) -> PyResult<MmapRaw> {
    Ok(MmapRaw::map_raw(descriptor)?)
}

#[cfg(not(unix))]
fn map(_descriptor: i32) -> PyResult<MmapRaw> {
    Err(pyo3::exceptions::PyOSError::new_err("pages are shared on POSIX systems only"))
}

/// Unix milliseconds.
pub(crate) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}
