//! The counters of one feature.

use fast_litellm_core::tally::{Counts, NothingInFlight, Outcome, Tally as CoreTally};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The counters of one feature in one process: served, declined, failed, and the accounting of shadowed calls.
///
/// At every reading `offered == sampled_out + compared + sum(shed.values()) + in_flight`.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Tally {
    core: CoreTally,
}

impl Tally {
    /// The counters themselves, for the files of this crate that count without a Python call.
    pub(crate) fn core(&self) -> &CoreTally {
        &self.core
    }
}

#[pymethods]
impl Tally {
    #[new]
    fn new() -> Self {
        Self { core: CoreTally::new() }
    }

    /// Counts a call answered by `implementation`.
    fn serve(&self, implementation: &str) {
        self.core.serve(implementation);
    }

    /// Counts a call the candidate refused before doing anything.
    fn decline(&self, reason: &str) {
        self.core.decline(reason);
    }

    /// Counts a call the candidate should have answered and could not.
    fn fail(&self, kind: &str) {
        self.core.fail(kind);
    }

    /// Counts an offered call that the sample leaves out.
    fn sample_out(&self) {
        self.core.sample_out();
    }

    /// Counts an offered call whose comparison has begun.
    fn accept(&self) {
        self.core.accept();
    }

    /// Ends a call in flight: "matched", "waived" or "diverged". `RuntimeError` when none is in flight.
    fn compare(&self, outcome: &str) -> PyResult<()> {
        let Some(outcome) = Outcome::from_word(outcome) else {
            return Err(PyValueError::new_err("outcome must be 'matched', 'waived' or 'diverged'"));
        };
        self.core.compare(outcome).map_err(refused)
    }

    /// Gives up a call: one in flight when `accepted` (`RuntimeError` when there is none), otherwise one just offered.
    fn shed(&self, reason: &str, accepted: bool) -> PyResult<()> {
        self.core.shed(reason, accepted).map_err(refused)
    }

    /// Forgets everything: a forked child begins its own account.
    fn reset(&self) {
        self.core.reset();
    }

    /// All counters as of one moment.
    fn reading<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let reading = self.core.reading();
        let dict = PyDict::new(py);
        dict.set_item("served", counts(py, &reading.served)?)?;
        dict.set_item("declined", counts(py, &reading.declined)?)?;
        dict.set_item("failed", counts(py, &reading.failed)?)?;
        dict.set_item("offered", reading.offered)?;
        dict.set_item("sampled_out", reading.sampled_out)?;
        dict.set_item("compared", reading.compared)?;
        dict.set_item("matched", reading.matched)?;
        dict.set_item("waived", reading.waived)?;
        dict.set_item("diverged", reading.diverged)?;
        dict.set_item("shed", counts(py, &reading.shed)?)?;
        dict.set_item("in_flight", reading.in_flight)?;
        Ok(dict)
    }
}

fn counts<'py>(py: Python<'py>, counts: &Counts) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (word, n) in counts {
        dict.set_item(word, n)?;
    }
    Ok(dict)
}

#[allow(clippy::needless_pass_by_value, reason = "map_err hands the error over by value")]
fn refused(error: NothingInFlight) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Tally>()
}
