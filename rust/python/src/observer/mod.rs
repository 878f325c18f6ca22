//! The caller's path of a compared call: from its arguments to the worker's queue in one native call.
//!
//! Nothing that fails here reaches the caller, whatever its class: it is counted, and Python is told of it.
//!
//! # Layout
//!
//! - [`admission`]: what comes before the control's call.
//! - [`handing_over`]: what comes after it.

mod admission;
mod handing_over;

use std::sync::atomic::{AtomicU64, Ordering};

use fast_litellm_core::shape::ControlOutcome;
use pyo3::exceptions::PyException;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::dispatch::Arguments;
use crate::freeze::{Frozen, Unfreezable, Unsnapshotable};
use crate::interruption::is_from_elsewhere;
use crate::job::{Job, Side};
use crate::room::{Bucket, Clock, Room};
use crate::shape::Shaper;
use crate::tally::Tally;
use admission::Unfit;

/// Answers calls with the control, and queues them for comparison.
///
/// Args:
///     control: The original function.
///     asking: The candidate's `prepare`, or None when it has nothing to prepare, and its `twin`, if it has one: the call as it
///         may be copied and run again.
///     counting: The shaper, the tally, the room and the budget's bucket.
///     worker: Puts jobs that the room cannot, and knows its own threads.
///     listener: Told of what is no value: `declined(error)`, `raised(error, duration_ns)`, which returns what is compared
///         of it, and `failed(operation, error)`; asked `takes(shape, ease)` when the budget is short.
///     keeping: Whether answers are copied, and who copies them, given an answer and a number of bytes, if it is not `freeze`.
///     limits: From which ease of the budget on every call is taken, how many bytes a copy may hold, and the clock with its
///         present time.
#[pyclass(frozen, weakref, module = "fast_litellm._native")]
pub(crate) struct Observer {
    control: Py<PyAny>,
    prepare: Option<Py<PyAny>>,
    twin: Option<Py<PyAny>>,
    shaper: Py<Shaper>,
    tally: Py<Tally>,
    room: Py<Room>,
    bucket: Py<Bucket>,
    worker: Py<PyAny>,
    listener: Py<PyAny>,
    takes_snapshots: bool,
    freeze: Option<Py<PyAny>>,
    comfort: f64,
    max_bytes: usize,
    clock: Clock,
    generation: AtomicU64,
}

type Asking = (Option<Py<PyAny>>, Option<Py<PyAny>>);
type Counting = (Py<Shaper>, Py<Tally>, Py<Room>, Py<Bucket>);
type Keeping = (bool, Option<Py<PyAny>>);
type Limits = (f64, usize, Option<Py<PyAny>>, i64);

#[pymethods]
impl Observer {
    #[new]
    #[pyo3(signature = (control, asking, counting, worker, listener, keeping, limits, /))]
    fn new(
        control: Py<PyAny>,
        asking: Asking,
        counting: Counting,
        worker: Py<PyAny>,
        listener: Py<PyAny>,
        keeping: Keeping,
        limits: Limits,
    ) -> Self {
        let (prepare, twin) = asking;
        let (shaper, tally, room, bucket) = counting;
        let (takes_snapshots, freeze) = keeping;
        let (comfort, max_bytes, clock, now) = limits;
        let (clock, generation) = (Clock::new(clock, now), AtomicU64::new(0));
        Self {
            control,
            prepare,
            twin,
            shaper,
            tally,
            room,
            bucket,
            worker,
            listener,
            takes_snapshots,
            freeze,
            comfort,
            max_bytes,
            clock,
            generation,
        }
    }

    /// Answers a call with the control, by default the original function, and compares it later.
    #[pyo3(signature = (args, kwargs, control=None, /))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
        control: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.observe(py, (args, kwargs), control)
    }

    /// Copies a call for comparison, before the control runs. None when it is shed; either way it is counted.
    #[pyo3(signature = (args, kwargs, /))]
    fn prepare<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Option<Bound<'py, Job>>> {
        self.begin(py, (args, kwargs))
    }

    /// Queues a call whose control has returned a value after so many nanoseconds.
    #[pyo3(signature = (job, value, duration_ns, /))]
    fn submit(&self, job: &Bound<'_, Job>, value: &Bound<'_, PyAny>, duration_ns: i64) -> PyResult<()> {
        self.hand_over(job, self.now(job.py()), |job| self.set_control(job, value, duration_ns))
    }

    /// Queues a call whose control has raised, with an `Observation` of that.
    #[pyo3(signature = (job, observation, /))]
    fn submit_raised(&self, job: &Bound<'_, Job>, observation: Py<PyAny>) -> PyResult<()> {
        self.hand_over(job, self.now(job.py()), |job| self.set_raised(job, observation))
    }

    /// Queues a call that the candidate has answered with a value after so many nanoseconds.
    #[pyo3(signature = (job, value, duration_ns, /))]
    fn submit_served(&self, job: &Bound<'_, Job>, value: &Bound<'_, PyAny>, duration_ns: i64) -> PyResult<()> {
        self.hand_over(job, self.now(job.py()), |job| {
            job.served = Side::Value(self.kept(job, value)?, duration_ns);
            Ok(())
        })
    }

    /// Gives a call up.
    #[pyo3(signature = (job, reason, /))]
    fn abandon(&self, job: &Bound<'_, Job>, reason: &str) {
        self.give_up(&mut job.borrow_mut(), reason);
    }

    /// A forked child: calls begun before are its parent's.
    fn after_fork(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        [&self.control, &self.worker, &self.listener].iter().try_for_each(|held| visit.call(*held))?;
        visit.call(&self.shaper)?;
        visit.call(&self.tally)?;
        visit.call(&self.room)?;
        visit.call(&self.bucket)?;
        self.clock.traverse(&visit)?;
        [&self.prepare, &self.twin, &self.freeze].into_iter().flatten().try_for_each(|held| visit.call(held))
    }
}

impl Observer {
    /// Answers a call with the control and compares it later.
    pub(crate) fn observe<'py>(
        &self,
        py: Python<'py>,
        call: Arguments<'_, 'py>,
        control: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let control = control.unwrap_or_else(|| self.control.bind(py));
        let bucket = self.bucket.get();
        let begun = (!bucket.is_boundless()).then(|| self.now(py));
        let Some(job) = self.begin(py, call)? else {
            return control.call(call.0, call.1);
        };
        let started = self.now(py);
        let answer = control.call(call.0, call.1);
        let ended = self.now(py);
        let answer = match answer {
            Ok(value) => {
                self.hand_over(&job, ended, |job| self.set_control(job, &value, ended - started)).map(|()| value)
            }
            Err(error) => Err(self.hand_over_raised(&job, error, (started, ended))),
        };
        if let Some(begun) = begun {
            bucket.spend_on_caller(started - begun + self.now(py) - ended);
        }
        answer
    }

    /// The error comes back with its traceback, which listeners have read.
    fn hand_over_raised(&self, job: &Bound<'_, Job>, error: PyErr, (started, ended): (i64, i64)) -> PyErr {
        let py = job.py();
        if !error.is_instance_of::<PyException>(py) {
            self.give_up(&mut job.borrow_mut(), "control_interrupted");
            return error;
        }
        let error = error.into_value(py);
        let told = match self.listener.bind(py).call_method1("raised", (&error, ended - started)) {
            Ok(observation) => self.hand_over(job, ended, |job| self.set_raised(job, observation.unbind())),
            Err(failure) => {
                self.give_up(&mut job.borrow_mut(), "machinery_failed");
                self.tell_failed(py, "submit", failure)
            }
        };
        told.err().unwrap_or_else(|| PyErr::from_value(error.into_bound(py).into_any()))
    }

    fn set_control(&self, job: &mut Job, value: &Bound<'_, PyAny>, duration_ns: i64) -> Result<(), Unfit> {
        job.shape = self.shaper.get().profile().with_outcome(job.shape, ControlOutcome::Value);
        job.control = Side::Value(self.kept(job, value)?, duration_ns);
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "beside its neighbours, which can fail")]
    fn set_raised(&self, job: &mut Job, observation: Py<PyAny>) -> Result<(), Unfit> {
        job.shape = self.shaper.get().profile().with_outcome(job.shape, ControlOutcome::Exception);
        job.control = Side::Observed(observation);
        Ok(())
    }

    /// A copy of an answer, which its job keeps alive with the arguments.
    fn kept(&self, job: &mut Job, value: &Bound<'_, PyAny>) -> Result<Frozen, Unfit> {
        if !self.takes_snapshots {
            return Ok(Frozen::unseen(value));
        }
        let frozen = match &self.freeze {
            None => Frozen::value(value, self.max_bytes),
            Some(freeze) => copied(freeze.bind(value.py()), value, self.max_bytes),
        };
        let frozen = frozen.map_err(|reason| match reason {
            Unfreezable::Failed(error) => Unfit::Failed(error),
            _ => Unfit::Shed("unsnapshotable"),
        })?;
        self.room.get().core().grow(frozen.bytes)?;
        job.size += frozen.bytes;
        Ok(frozen)
    }

    /// A clock that fails tells no time.
    fn now(&self, py: Python<'_>) -> i64 {
        self.clock.now(py).unwrap_or_default()
    }

    /// A listener that cannot listen, at the end of the stack, leaves it at the count. What is the program's goes on.
    fn tell_failed(&self, py: Python<'_>, operation: &str, failure: PyErr) -> PyResult<()> {
        if is_from_elsewhere(py, &failure).unwrap_or(false) {
            return Err(failure);
        }
        let _unheard = self.listener.bind(py).call_method1("failed", (operation, failure.into_value(py)));
        Ok(())
    }
}

/// A copy that somebody else makes, who refuses what cannot be copied as `freeze` does.
fn copied(freeze: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>, max_bytes: usize) -> Result<Frozen, Unfreezable> {
    match freeze.call1((value, max_bytes)) {
        Ok(pair) => Ok(Frozen::unseen(&pair.get_item(0)?)),
        Err(error) if error.is_instance_of::<Unsnapshotable>(value.py()) => Err(Unfreezable::Value(error)),
        Err(error) => Err(Unfreezable::Failed(error)),
    }
}

fn panicked() -> PyErr {
    PanicException::new_err("an observer panicked")
}

/// Adds this file's class to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Observer>()
}
