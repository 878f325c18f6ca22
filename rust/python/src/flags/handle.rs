//! One flag, for callers that ask for it often.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fast_litellm_core::flags::Decision;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::cell::Shared;
use super::compiled::Compiled;

/// One flag of a cell, for callers that ask for it often.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct FlagHandle {
    shared: Arc<Shared>,
    name: Box<str>,
    // Generation (upper half) and position (lower half) of the snapshot in which the flag was last looked up.
    found: AtomicU64,
}

#[pymethods]
impl FlagHandle {
    /// Who serves the call. A plain method, because Python calls those without building a tuple of arguments.
    #[pyo3(signature = (unit=None, attributes=None, /))]
    fn serve<'py>(
        &self,
        py: Python<'py>,
        unit: Option<&Bound<'py, PyAny>>,
        attributes: Option<&Bound<'py, PyAny>>,
    ) -> Bound<'py, PyString> {
        self.shared.latest.with(|current| self.shared.serve(py, current, self.position(current), unit, attributes))
    }

    /// The same as `serve`.
    #[pyo3(signature = (unit=None, attributes=None, /))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        unit: Option<&Bound<'py, PyAny>>,
        attributes: Option<&Bound<'py, PyAny>>,
    ) -> Bound<'py, PyString> {
        self.serve(py, unit, attributes)
    }

    #[getter]
    fn name(&self) -> &str {
        &self.name
    }
}

impl FlagHandle {
    pub(super) fn new(shared: Arc<Shared>, flag: &str) -> Self {
        Self { shared, name: flag.into(), found: AtomicU64::new(u64::MAX) }
    }

    /// Decides one call without making a Python object.
    pub(crate) fn decide_core(&self, unit: Option<&str>, attributes: Option<&Bound<'_, PyDict>>) -> Decision {
        self.shared.latest.with(|current| {
            let call = current.call(unit, attributes.map(Bound::as_any));
            current.snapshot.decide(self.position(current), &call)
        })
    }

    fn position(&self, current: &Compiled) -> Option<usize> {
        let found = self.found.load(Ordering::Relaxed);
        let position = if found >> 32 == u64::from(current.generation) { low_half(found) } else { self.find(current) };
        (position != u32::MAX).then_some(position as usize)
    }

    #[cold]
    fn find(&self, current: &Compiled) -> u32 {
        let position = current.snapshot.position(&self.name).and_then(|position| u32::try_from(position).ok());
        let position = position.unwrap_or(u32::MAX);
        self.found.store(u64::from(current.generation) << 32 | u64::from(position), Ordering::Relaxed);
        position
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
fn low_half(pair: u64) -> u32 {
    pair as u32
}
