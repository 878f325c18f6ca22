//! LiteLLM's cache in memory, as its own `set_cache` leaves it.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFloat, PyList, PyString, PyTuple};

/// What the cache is made of.
pub(crate) struct Cache<'a, 'py> {
    /// Values by key.
    pub(crate) entries: &'a Bound<'py, PyDict>,
    /// Moments by key.
    pub(crate) expiries: &'a Bound<'py, PyDict>,
    /// Pairs of moment and key, the earliest first; those that are not true any more are left in it.
    pub(crate) heap: &'a Bound<'py, PyList>,
    /// How many entries there is room for.
    pub(crate) most: usize,
    /// Called for the moment.
    pub(crate) clock: &'a Bound<'py, PyAny>,
}

impl<'py> Cache<'_, 'py> {
    /// Writes one entry, which lasts for so many seconds unless the one before it still does.
    ///
    /// Returns:
    ///     Whether it did. Where the cache is not as it leaves itself, its own method is to go on from there.
    pub(crate) fn write(&self, key: &Bound<'py, PyString>, value: &Bound<'py, PyAny>, ttl: f64) -> PyResult<bool> {
        let Some(now) = exact(&self.clock.call0()?) else { return Ok(false) };
        if !self.make_room(now)? {
            return Ok(false);
        }
        let kept = match self.expiries.get_item(key)? {
            None => None,
            Some(found) => match exact(&found) {
                None => return Ok(false),
                kept => kept,
            },
        };
        self.entries.set_item(key, value)?;
        if kept.is_none_or(|expires| expires < now) {
            let expires = PyFloat::new(key.py(), now + ttl);
            self.expiries.set_item(key, &expires)?;
            heapq(key.py(), &PUSH, "heappush")?.call1((self.heap, (expires, key)))?;
        }
        Ok(true)
    }

    /// Drops what is over, then what is over first, until there is room for one more.
    fn make_room(&self, now: f64) -> PyResult<bool> {
        while !self.heap.is_empty() {
            let Some((expires, key, is_true)) = self.first()? else { return Ok(false) };
            if is_true && expires > now {
                break;
            }
            self.drop_first(&key, is_true)?;
        }
        while self.entries.len() >= self.most {
            let Some((_, key, is_true)) = self.first()? else { return Ok(false) };
            self.drop_first(&key, is_true)?;
        }
        Ok(true)
    }

    /// The first pair of the heap, and whether it still tells when its entry ends.
    fn first(&self) -> PyResult<Option<(f64, Bound<'py, PyAny>, bool)>> {
        if self.heap.is_empty() {
            return Ok(None);
        }
        let first = self.heap.get_item(0)?;
        let Ok(first) = first.cast_exact::<PyTuple>() else { return Ok(None) };
        let (expires, key) = (first.get_item(0)?, first.get_item(1)?);
        let is_true = self.expiries.get_item(&key)?.map_or(Ok(false), |found| found.eq(&expires))?;
        Ok(exact(&expires).map(|expires| (expires, key, is_true)))
    }

    fn drop_first(&self, key: &Bound<'py, PyAny>, with_entry: bool) -> PyResult<()> {
        heapq(key.py(), &POP, "heappop")?.call1((self.heap,))?;
        for dict in [self.entries, self.expiries] {
            if with_entry && dict.contains(key)? {
                dict.del_item(key)?;
            }
        }
        Ok(())
    }
}

static PUSH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static POP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn heapq<'py>(py: Python<'py>, place: &'py PyOnceLock<Py<PyAny>>, name: &str) -> PyResult<&'py Bound<'py, PyAny>> {
    place.import(py, "heapq", name)
}

fn exact(value: &Bound<'_, PyAny>) -> Option<f64> {
    value.cast_exact::<PyFloat>().ok().map(|value| value.value())
}
