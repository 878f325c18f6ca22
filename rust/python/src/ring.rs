//! The border of rings: a file mapped for the process that writes it, and read as bytes by whoever finds it later.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use fast_litellm_core::account::{BLOCK_WORDS, Memory};
use fast_litellm_core::ring::{self, Contents, Defect, Ring as CoreRing};
use memmap2::MmapRaw;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::tally::{reading, shape_readings};

/// A mapped file, or a part of it.
#[derive(Clone)]
pub(crate) struct Mapped {
    map: Arc<MmapRaw>,
    first: usize,
    length: usize,
}

impl Memory for Mapped {
    fn words(&self) -> &[AtomicU64] {
        &all_words(&self.map)[self.first..self.first + self.length]
    }
}

#[allow(unsafe_code)] // docs/decisions/0013-ring.md
fn all_words(map: &MmapRaw) -> &[AtomicU64] {
    let words = map.len() / size_of::<AtomicU64>();
    // SAFETY: The mapping begins at a page boundary of the system, so it is aligned; it is readable and writable for `len`
    // bytes and lives as long as `map`, to which the slice's lifetime is bound. Every bit pattern is an AtomicU64, and nobody
    // in this process has another reference into it: `MmapRaw` hands none out, and all accesses are atomic ones through this
    // function. Other processes read the file, and only once this one is gone. All its space was reserved when it was made,
    // so that a full disk cannot take a page away; our code never changes its size. An owner who truncates it by hand ends
    // the process by SIGBUS, as with any mapped file, and breaks no rule of memory.
    unsafe { std::slice::from_raw_parts(map.as_mut_ptr().cast(), words) }
}

/// What this process counts and records, in a file that outlives it.
///
/// Args:
///     descriptor: Of an open file whose space is reserved and zero; it may be closed afterwards.
///     blocks: How many epochs have room.
///     header: Whose it is.
///
/// Raises:
///     `OSError`: The file cannot be mapped.
///     `ValueError`: It is too small.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Ring {
    core: CoreRing<Mapped>,
    map: Arc<MmapRaw>,
}

#[pymethods]
impl Ring {
    #[new]
    #[pyo3(signature = (descriptor, blocks, header, /))]
    fn new(descriptor: i32, blocks: usize, header: &str) -> PyResult<Self> {
        let map = Arc::new(mapped(descriptor)?);
        let length = map.len() / size_of::<AtomicU64>();
        let memory = Mapped { map: Arc::clone(&map), first: 0, length };
        Ok(Self { core: CoreRing::create(memory, blocks, header).map_err(refused)?, map })
    }

    /// How many bytes a ring of so many blocks takes.
    #[staticmethod]
    #[pyo3(signature = (blocks, /))]
    fn size(blocks: usize) -> usize {
        ring::words(blocks) * size_of::<AtomicU64>()
    }

    /// Appends a record; once this returns True, it survives the process. False: there is no room.
    #[pyo3(signature = (record, /))]
    fn push(&self, record: &str) -> bool {
        self.core.push(record).is_ok()
    }

    /// Up to where records have been pushed.
    fn end(&self) -> u64 {
        self.core.end()
    }

    /// Drops the records before an end, which are written elsewhere.
    #[pyo3(signature = (end, /))]
    fn drop_until(&self, end: u64) {
        self.core.drop_until(end);
    }
}

impl Ring {
    /// The memory of an epoch's block, or `None` when there is no room for another.
    pub(crate) fn block(&self, epoch: &str) -> Option<Box<dyn Memory>> {
        let first = self.core.place(epoch).ok()?;
        Some(Box::new(Mapped { map: Arc::clone(&self.map), first, length: BLOCK_WORDS }))
    }
}

type Left<'py> = (String, Vec<(String, Bound<'py, PyDict>, Vec<Bound<'py, PyDict>>)>, Vec<String>);

/// Reads what a process has left in its ring.
///
/// Args:
///     data: The file's bytes.
///
/// Returns:
///     The header; by epoch its name, reading and readings by shape; and the records.
///
/// Raises:
///     `ValueError`: The bytes are no ring of this version, or something in them is torn.
#[pyfunction]
#[pyo3(signature = (data, /))]
fn read_ring<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Left<'py>> {
    let (words, _) = data.as_chunks::<8>();
    let words = words.iter().map(|bytes| AtomicU64::new(u64::from_ne_bytes(*bytes))).collect();
    let Contents { header, blocks, records } = ring::read(words).map_err(refused)?;
    let counted =
        |(epoch, sum, shapes): (String, _, Vec<_>)| Ok((epoch, reading(py, &sum)?, shape_readings(py, &shapes)?));
    Ok((header, blocks.into_iter().map(counted).collect::<PyResult<_>>()?, records))
}

fn refused(defect: Defect) -> PyErr {
    PyValueError::new_err(match defect {
        Defect::Foreign => "this is no ring of this version",
        Defect::Torn => "the ring is torn",
        Defect::Full => "the ring is too small",
    })
}

#[cfg(unix)]
fn mapped(descriptor: i32) -> PyResult<MmapRaw> {
    MmapRaw::map_raw(descriptor).map_err(|error| PyOSError::new_err(error.to_string()))
}

#[cfg(not(unix))]
fn mapped(_descriptor: i32) -> PyResult<MmapRaw> {
    Err(PyOSError::new_err("rings are made on POSIX systems only"))
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Ring>()?;
    module.add_function(wrap_pyfunction!(read_ring, module)?)
}
