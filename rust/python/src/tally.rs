//! The counters of one feature.

use std::sync::{Mutex, PoisonError};

use fast_litellm_core::account::{Counts, Outcome, Reading, ShapeReading, Tally as CoreTally, Ticket as CoreTicket};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::ring::Ring;

/// The counters of one feature in one process: served, declined, failed, and the accounting of shadowed calls.
///
/// At every reading `offered == sampled_out + compared + sum(shed.values()) + in_flight`, for each shape of call.
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

type ReadingTuple<'py> = (Bound<'py, PyDict>, Vec<Bound<'py, PyDict>>);
type BlockTuple<'py> = (String, Bound<'py, PyDict>, Vec<Bound<'py, PyDict>>);

#[pymethods]
impl Tally {
    #[new]
    fn new() -> Self {
        Self { core: CoreTally::new() }
    }

    /// Counts under another epoch from here on; calls in flight end where they were accepted. With a ring that has room the
    /// counts survive the process.
    ///
    /// Returns:
    ///     Whether they do.
    #[pyo3(signature = (epoch, ring=None, /))]
    fn open(&self, epoch: &str, ring: Option<&Ring>) -> bool {
        self.core.open(epoch, || ring.and_then(|ring| ring.block(epoch)))
    }

    /// Stops listing an earlier epoch; returns its reading and readings by shape, or None while calls of it are in flight.
    #[pyo3(signature = (epoch, /))]
    fn forget<'py>(&self, py: Python<'py>, epoch: &str) -> PyResult<Option<ReadingTuple<'py>>> {
        let forgotten = self.core.forget(epoch);
        forgotten.map(|(sum, shapes)| Ok((reading(py, &sum)?, shape_readings(py, &shapes)?))).transpose()
    }

    /// Counts a call answered by an implementation.
    #[pyo3(signature = (implementation, /))]
    fn serve(&self, implementation: &str) {
        self.core.serve(implementation);
    }

    /// Counts a call the candidate refused before doing anything.
    #[pyo3(signature = (reason, /))]
    fn decline(&self, reason: &str) {
        self.core.decline(reason);
    }

    /// Counts a call the candidate should have answered and could not.
    #[pyo3(signature = (kind, /))]
    fn fail(&self, kind: &str) {
        self.core.fail(kind);
    }

    /// Counts an offered call that the sample leaves out.
    #[pyo3(signature = (shape=0, /))]
    fn sample_out(&self, shape: u64) {
        self.core.sample_out(shape);
    }

    /// Counts an offered call whose comparison has begun.
    #[pyo3(signature = (shape=0, /))]
    fn accept(&self, shape: u64) -> Ticket {
        Ticket::of(self.core.accept(shape))
    }

    /// Counts an offered call that is given up before its comparison has begun.
    #[pyo3(signature = (reason, shape=0, /))]
    fn shed(&self, reason: &str, shape: u64) {
        self.core.shed(reason, shape);
    }

    /// Forgets everything: a forked child begins its own account.
    fn reset(&self) {
        self.core.reset();
    }

    /// All that was counted in this process, over all epochs.
    fn reading<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        reading(py, &self.core.reading())
    }

    /// The epochs that are listed, the current one last: name, reading, and readings by shape.
    fn blocks<'py>(&self, py: Python<'py>) -> PyResult<Vec<BlockTuple<'py>>> {
        let blocks = self.core.blocks().into_iter();
        blocks.map(|(epoch, sum, shapes)| Ok((epoch, reading(py, &sum)?, shape_readings(py, &shapes)?))).collect()
    }
}

/// A call whose comparison has begun. One that is dropped is shed as "abandoned".
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Ticket {
    core: Mutex<Option<CoreTicket>>,
}

#[pymethods]
impl Ticket {
    /// Ends the call: "matched", "waived" or "diverged", and counts its input among the distinct ones by its digest; 0 is
    /// no digest. `RuntimeError` when it has ended.
    #[pyo3(signature = (outcome, digest=0, /))]
    fn compare(&self, outcome: &str, digest: u64) -> PyResult<()> {
        let Some(outcome) = Outcome::from_word(outcome) else {
            return Err(PyValueError::new_err("outcome must be 'matched', 'waived' or 'diverged'"));
        };
        self.take()?.compare(outcome, (digest != 0).then_some(digest));
        Ok(())
    }

    /// Gives the call up. `RuntimeError` when it has ended.
    #[pyo3(signature = (reason, /))]
    pub(crate) fn shed(&self, reason: &str) -> PyResult<()> {
        self.take()?.shed(reason);
        Ok(())
    }
}

impl Ticket {
    pub(crate) fn of(core: CoreTicket) -> Self {
        Self { core: Mutex::new(Some(core)) }
    }

    fn take(&self) -> PyResult<CoreTicket> {
        let ticket = self.core.lock().unwrap_or_else(PoisonError::into_inner).take();
        ticket.ok_or_else(|| PyRuntimeError::new_err("the call has ended already; a ticket ends once"))
    }
}

pub(crate) fn reading<'py>(py: Python<'py>, reading: &Reading) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("served", counts(py, &reading.served)?)?;
    dict.set_item("declined", counts(py, &reading.declined)?)?;
    dict.set_item("failed", counts(py, &reading.failed)?)?;
    set_account(&dict, reading)?;
    Ok(dict)
}

pub(crate) fn shape_readings<'py>(py: Python<'py>, shapes: &[ShapeReading]) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let one = |shape: &ShapeReading| {
        let dict = PyDict::new(py);
        dict.set_item("shape", shape.shape)?;
        dict.set_item("sketch", PyBytes::new(py, &shape.sketch))?;
        set_account(&dict, &shape.reading)?;
        Ok(dict)
    };
    shapes.iter().map(one).collect()
}

fn set_account(dict: &Bound<'_, PyDict>, reading: &Reading) -> PyResult<()> {
    dict.set_item("offered", reading.offered)?;
    dict.set_item("sampled_out", reading.sampled_out)?;
    dict.set_item("compared", reading.compared)?;
    dict.set_item("matched", reading.matched)?;
    dict.set_item("waived", reading.waived)?;
    dict.set_item("diverged", reading.diverged)?;
    dict.set_item("shed", counts(dict.py(), &reading.shed)?)?;
    dict.set_item("in_flight", reading.in_flight)
}

fn counts<'py>(py: Python<'py>, counts: &Counts) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (word, n) in counts {
        dict.set_item(word, n)?;
    }
    Ok(dict)
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Tally>()?;
    module.add_class::<Ticket>()
}
