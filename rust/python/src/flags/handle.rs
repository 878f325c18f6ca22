//! One flag, for callers that ask for it often.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fast_litellm_core::flags::{Outline, Standing};
use fast_litellm_core::guard::{Guard, Outcome};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::cell::Shared;
use super::compiled::Compiled;
use super::vector_call;
use crate::guard::{self, Figures, Finding};

/// One flag of a cell, for callers that ask for it often.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct FlagHandle {
    /// Where `CPython` finds the function that a call of this object runs.
    pub(super) entry: ffi::vectorcallfunc,
    shared: Arc<Shared>,
    name: Box<str>,
    // Generation (upper half) and position (lower half) of the snapshot in which the flag was last looked up.
    found: AtomicU64,
}

#[pymethods]
impl FlagHandle {
    /// Who serves the call.
    #[pyo3(signature = (unit=None, attributes=None, /))]
    #[inline(never)] // whoever calls it hands over registers; what is inlined in two places is inlined in neither
    pub(super) fn serve<'py>(
        &self,
        py: Python<'py>,
        unit: Option<&Bound<'py, PyAny>>,
        attributes: Option<&Bound<'py, PyAny>>,
    ) -> Bound<'py, PyString> {
        self.shared.latest.with(|current| self.shared.serve(py, current, self.position(current), unit, attributes))
    }

    /// The same as `serve`. What `CPython` really calls is [`vector_call`].
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

    /// Counts one call that an implementation answered in so many nanoseconds, or that it failed.
    ///
    /// Returns what the flag's guard concludes from it, mostly nothing; the clock counts milliseconds and never goes back.
    #[pyo3(signature = (implementation, nanos, is_error, now_ms=None, /))]
    fn record(&self, implementation: &str, nanos: u64, is_error: bool, now_ms: Option<u64>) -> Option<Finding> {
        let outcome = if is_error { Outcome::Error } else { Outcome::Value };
        guard::record(self, implementation == "python", nanos, outcome, now_ms.unwrap_or_else(guard::now_ms))
    }

    /// Calls, errors and p99 in nanoseconds of the candidate, then of the control; None without a guard.
    #[pyo3(signature = (now_ms=None, /))]
    fn figures(&self, now_ms: Option<u64>) -> Option<(Figures, Figures)> {
        guard::figures(self, now_ms.unwrap_or_else(guard::now_ms))
    }
}

impl FlagHandle {
    pub(super) fn new(shared: Arc<Shared>, flag: &str) -> Self {
        Self { entry: vector_call::ENTRY, shared, name: flag.into(), found: AtomicU64::new(u64::MAX) }
    }

    /// Decides how a call is routed, and says whether a guard wants to know how it went. The call's context, a pair of unit and
    /// attributes, is asked for if the decision hangs on it; whatever is wrong with it, an unreadable unit is a missing one.
    pub(crate) fn outline<'py>(&self, context: impl FnOnce() -> Option<Bound<'py, PyTuple>>) -> (Outline, bool) {
        self.shared.latest.with(|current| {
            let position = self.position(current);
            let hangs_on_call = position.is_some_and(|position| current.snapshot.flags[position].may_serve_candidate());
            let outline = if hangs_on_call {
                outline_of(current, position, context().as_ref())
            } else {
                current.snapshot.outline(position, &current.call(None, None))
            };
            let is_guarded = outline.is_live && position.and_then(|position| current.guard(position)).is_some();
            (outline, is_guarded)
        })
    }

    /// How many of a million calls are compared, while Python answers every call whatever is in it and no guard wants to know how
    /// it went; else `outline` has more to say.
    #[inline(always)]
    pub(crate) fn settled_share(&self) -> Option<u32> {
        self.shared.latest.with(|current| self.position(current).and_then(|position| current.settled_share(position)))
    }

    /// Whether two handles are of one flag of one cell.
    pub(crate) fn is_of_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared) && self.name == other.name
    }

    /// The guard of the flag and the flag's standing, if it has a guard.
    pub(crate) fn guard(&self) -> Option<(Arc<Guard>, Standing)> {
        self.shared.latest.with(|current| {
            let (guard, standing) = current.guard(self.position(current)?)?;
            Some((guard.clone(), standing))
        })
    }

    #[inline(always)]
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

#[inline(never)]
fn outline_of(current: &Compiled, position: Option<usize>, context: Option<&Bound<'_, PyTuple>>) -> Outline {
    let item = |index| context.and_then(|context| context.get_item(index).ok());
    let (unit, attributes) = (item(0), item(1));
    let unit = unit.as_ref().and_then(|unit| unit.cast::<PyString>().ok()?.to_str().ok());
    let attributes = attributes.as_ref().filter(|attributes| attributes.is_instance_of::<PyDict>());
    current.snapshot.outline(position, &current.call(unit, attributes))
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
fn low_half(pair: u64) -> u32 {
    pair as u32
}
