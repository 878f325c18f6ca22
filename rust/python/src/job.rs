//! A call on its way from its caller to its comparison.

use fast_litellm_core::account::Ticket as CoreTicket;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::freeze::Frozen;
use crate::tally::Ticket;

/// A copied call, which waits for its control or, with a ticket, for its comparison.
///
/// Its arguments, and what its control did, become Python objects when somebody asks for them.
///
/// Args:
///     shape: The shape of the call.
///     plan: What the candidate prepared.
///     call: A frozen copy of the arguments.
///     size: How many bytes it keeps alive, approximately.
///     reserved: What was taken from the budget for it, in nanoseconds.
///     generation: How many forks its runner had seen.
#[pyclass(module = "fast_litellm._native")]
pub(crate) struct Job {
    #[pyo3(get, set)]
    pub(crate) shape: u64,
    #[pyo3(get, set)]
    plan: Py<PyAny>,
    call: Kept,
    #[pyo3(get)]
    pub(crate) size: usize,
    #[pyo3(get)]
    pub(crate) reserved: f64,
    #[pyo3(get)]
    pub(crate) generation: u64,
    pub(crate) control: Side,
    pub(crate) served: Side,
    pub(crate) ticket: Held,
    #[pyo3(get, set)]
    pub(crate) queued_at: i64,
}

/// A value that is thawed when it is first asked for.
enum Kept {
    Frozen(Frozen),
    Thawed(Py<PyAny>),
}

/// What one side did.
pub(crate) enum Side {
    /// Nothing that is known.
    Nothing,
    /// It returned, after so many nanoseconds.
    Value(Frozen, i64),
    /// An `Observation`.
    Observed(Py<PyAny>),
}

/// The ticket of a call, once it has one.
pub(crate) enum Held {
    Nothing,
    Core(CoreTicket),
    Python(Py<Ticket>),
}

#[pymethods]
impl Job {
    #[new]
    #[pyo3(signature = (shape, plan, call, *, size, reserved, generation))]
    fn from_python(shape: u64, plan: Py<PyAny>, call: Py<PyAny>, size: usize, reserved: f64, generation: u64) -> Self {
        Self::made(shape, plan, Kept::Thawed(call), (size, reserved, generation))
    }

    /// The arguments, as a tuple and a dict.
    #[getter]
    fn call<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if let Kept::Frozen(frozen) = &self.call {
            self.call = Kept::Thawed(frozen.thaw(py)?.unbind());
        }
        match &self.call {
            Kept::Thawed(call) => Ok(call.bind(py).clone()),
            Kept::Frozen(frozen) => frozen.thaw(py),
        }
    }

    /// What the control did.
    #[getter]
    fn control<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.control.observation(py)? {
            Some(observation) => Ok(observation),
            None => observation_type(py)?.call0(),
        }
    }

    #[setter]
    fn set_control(&mut self, observation: Py<PyAny>) {
        self.control = Side::Observed(observation);
    }

    /// What the candidate did, when it has answered the caller.
    #[getter]
    fn served<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.served.observation(py)
    }

    /// What ends the call; None while it has not been accepted.
    #[getter]
    fn ticket<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, Ticket>>> {
        if let Held::Core(_) = &self.ticket
            && let Held::Core(ticket) = std::mem::replace(&mut self.ticket, Held::Nothing)
        {
            self.ticket = Held::Python(Py::new(py, Ticket::of(ticket))?);
        }
        match &self.ticket {
            Held::Python(ticket) => Ok(Some(ticket.bind(py).clone())),
            _ => Ok(None),
        }
    }

    #[setter]
    fn set_ticket(&mut self, ticket: Py<Ticket>) {
        self.ticket = Held::Python(ticket);
    }
}

impl Job {
    /// A call that has been admitted: its size, what was reserved for it, and its generation.
    pub(crate) fn new(shape: u64, plan: Py<PyAny>, call: Frozen, admitted: (usize, f64, u64)) -> Self {
        Self::made(shape, plan, Kept::Frozen(call), admitted)
    }

    fn made(shape: u64, plan: Py<PyAny>, call: Kept, (size, reserved, generation): (usize, f64, u64)) -> Self {
        let (control, served) = (Side::Nothing, Side::Nothing);
        Self { shape, plan, call, size, reserved, generation, control, served, ticket: Held::Nothing, queued_at: 0 }
    }
}

impl Held {
    /// Gives the call up where it was accepted, or else does something else.
    pub(crate) fn shed_or(&mut self, reason: &str, otherwise: impl FnOnce()) {
        match std::mem::replace(self, Self::Nothing) {
            Self::Nothing => otherwise(),
            Self::Core(ticket) => ticket.shed(reason),
            Self::Python(ticket) => {
                let _ended = ticket.get().shed(reason);
            }
        }
    }
}

impl Side {
    fn observation<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        if let Self::Value(frozen, duration_ns) = self {
            let (nothing, value) = (py.None(), frozen.thaw(py)?);
            let observation = observation_type(py)?.call1((value, nothing, "", *duration_ns))?;
            *self = Self::Observed(observation.unbind());
        }
        match self {
            Self::Observed(observation) => Ok(Some(observation.bind(py).clone())),
            _ => Ok(None),
        }
    }
}

fn observation_type(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static OBSERVATION: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    OBSERVATION.import(py, "fast_litellm.shadow.observation", "Observation")
}

/// Adds this file's class to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Job>()
}
