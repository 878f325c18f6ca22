//! The object that stands at a seam: one native call that decides, routes and counts.
//!
//! It looks like the function it replaces, which is asked for every attribute but a few (`docs/decisions/0046-the-functions-face.md`),
//! and `__get__` makes it a method where it stands in a class.
//!
//! # Layout
//!
//! - [`connection`]: what it is given to work with.
//! - [`entry`]: the short way from a call to the control.
//! - [`way`]: how a call goes on.
//! - [`answer`]: the control's answer.
//! - [`candidate`]: a candidate's.
//! - [`face`]: what is the function's to show, and what its own.

mod answer;
mod candidate;
mod connection;
mod entry;
mod face;
mod way;

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use fast_litellm_core::sample::Sampler;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};
use pyo3::{IntoPyObjectExt, ffi};

use crate::flags::FlagHandle;
use crate::observer::Observer;
use crate::proven::Proven;
use crate::shape::Shaper;
use crate::tally::Tally;
use connection::{Connection, Decider, Observe};
use way::ShortWay;

pyo3::import_exception!(fast_litellm.errors, Declined);

/// Stands at a seam and answers with the control or with the candidate.
#[pyclass(frozen, weakref, module = "fast_litellm._native")]
pub(crate) struct Dispatcher {
    entry: ffi::vectorcallfunc,
    /// The function that stood at the seam.
    control: Py<PyAny>,
    tally: Py<Tally>,
    /// The control's answer can be had again after a candidate failed, because running it changes nothing.
    effect_free: bool,
    /// A call only makes a coroutine: its time, its outcome and who answered are taken where that is awaited.
    awaited: bool,
    /// The control is also found under its own name, because the dispatcher stands elsewhere.
    apart: bool,
    /// Somebody has given the function other code or defaults, so it answers whatever the rules say.
    altered: AtomicBool,
    sampler: Sampler,
    /// Which calls the candidate may answer; absent while it may answer all that the rules give it.
    proven: ArcSwapOption<Proven>,
    /// Of the calls the candidate answers, how many of a million are compared afterwards.
    reverse_share: AtomicU32,
    /// Absent before `connect` and after `disconnect`: the dispatcher then is the control.
    connection: ArcSwapOption<Connection>,
    /// The first connection's decider, which never changes and so is read without a count of its readers.
    first: OnceLock<Decider>,
    /// Whether that decides for the present connection, as it does unless rules of another manager came in force.
    is_first: AtomicBool,
}

pub(crate) type Arguments<'a, 'py> = (&'a Bound<'py, PyTuple>, Option<&'a Bound<'py, PyDict>>);

#[pymethods]
impl Dispatcher {
    #[new]
    #[pyo3(signature = (control, tally, *, effect_free, awaited=false, apart=false))]
    fn new(control: Py<PyAny>, tally: Py<Tally>, effect_free: bool, awaited: bool, apart: bool) -> Self {
        let sampler = Sampler::new(RandomState::new().hash_one("sampler"));
        Self {
            entry: entry::ENTRY,
            control,
            tally,
            effect_free,
            awaited,
            apart,
            altered: AtomicBool::new(false),
            sampler,
            proven: ArcSwapOption::empty(),
            reverse_share: AtomicU32::new(0),
            connection: ArcSwapOption::empty(),
            first: OnceLock::new(),
            is_first: AtomicBool::new(false),
        }
    }

    /// Starts routing.
    #[pyo3(signature = (
        handle, context, candidate, observe, failed, concluded=None, reverse=None, /, *, compared="rust", others=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "one for each field of a connection")]
    fn connect(
        &self,
        handle: Py<FlagHandle>,
        context: &Bound<'_, PyAny>,
        candidate: Py<PyAny>,
        observe: Bound<'_, PyAny>,
        failed: Py<PyAny>,
        concluded: Option<Py<PyAny>>,
        reverse: Option<Py<PyAny>>,
        compared: &str,
        others: Option<HashMap<String, Py<PyAny>>>,
    ) -> PyResult<()> {
        let py = context.py();
        let decider = Decider { handle, variable: context.clone().unbind(), get: context.getattr("get")?.unbind() };
        let observe = match observe.cast_into::<Observer>() {
            Ok(observer) => Observe::Natively(observer.unbind()),
            Err(other) => Observe::Otherwise(other.into_inner().unbind()),
        };
        let (compared, others) = (compared.into(), others.unwrap_or_default());
        let connection = Connection { decider, candidate, compared, others, observe, failed, concluded, reverse };
        let is_first = connection.decider.is_same(self.first.get_or_init(|| connection.decider.clone_ref(py)));
        self.is_first.store(false, Ordering::Release);
        self.connection.store(Some(Arc::new(connection)));
        self.is_first.store(is_first, Ordering::Release);
        self.leave_if_altered();
        Ok(())
    }

    /// Stops routing: every call goes to the control, uncounted.
    fn disconnect(&self) {
        self.is_first.store(false, Ordering::Release);
        self.connection.store(None);
    }

    /// Lets the candidate answer only calls all of whose cells are certified, or every call that the rules give it.
    #[pyo3(signature = (shaper, cells, /))]
    fn certify(&self, shaper: Option<Py<Shaper>>, cells: HashSet<String>) {
        self.proven.store(shaper.map(|shaper| Arc::new(Proven::new(shaper, cells))));
    }

    /// Compares so many of a million calls that the candidate answers.
    #[pyo3(signature = (millionths, /))]
    fn compare_served(&self, millionths: u32) {
        self.reverse_share.store(millionths, Ordering::Relaxed);
    }

    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self.short_way(py) {
            ShortWay::Control(_) => self.control.bind(py).call(args, kwargs),
            ShortWay::Long(decided) => self.go_on(py, &decided, (args, kwargs)),
        }
    }

    /// A function that stands in a class becomes a method of its instances.
    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        instance: Option<&Bound<'py, PyAny>>,
        _owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        static METHOD_TYPE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        match instance {
            None => Ok(slf.clone().into_any()),
            Some(instance) => METHOD_TYPE.import(slf.py(), "types", "MethodType")?.call1((slf, instance)),
        }
    }

    /// Pickled by reference, as functions are: by its name, or as the control where that has the name.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        if this.apart {
            return (py.import("copy")?.getattr("copy")?, (this.control.bind(py),)).into_bound_py_any(py);
        }
        this.control.bind(py).getattr("__qualname__")
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    /// The function's own attribute, but for what the dispatcher has to answer itself.
    fn __getattribute__<'py>(slf: &Bound<'py, Self>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        let (py, own) = (slf.py(), name.to_str()?);
        if own == "__wrapped__" {
            return Ok(slf.get().control.bind(py).clone());
        }
        if face::is_own(own) {
            return py.get_type::<PyAny>().call_method1("__getattribute__", (slf, name));
        }
        slf.get().control.bind(py).getattr(name)
    }

    /// Asked for what nobody has, so that the function says so.
    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        self.control.bind(name.py()).getattr(name)
    }

    fn __setattr__(&self, name: &Bound<'_, PyString>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.control.bind(name.py()).setattr(name, value)?;
        self.look_at(name.to_str()?);
        Ok(())
    }

    fn __delattr__(&self, name: &Bound<'_, PyString>) -> PyResult<()> {
        self.control.bind(name.py()).delattr(name)?;
        self.look_at(name.to_str()?);
        Ok(())
    }

    fn __dir__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.control.bind(py).dir()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<fast_litellm seam at {}>", self.control.bind(py).repr()?))
    }
}

/// Whether a candidate refuses a call before doing anything.
pub(crate) fn is_declined(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<Declined>(py)
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add_class::<Dispatcher>()?;
    entry::enable(&py.get_type::<Dispatcher>());
    show_documentation(py)
}

/// `help()` passes `__getattribute__` by and would find the class's text, which is made before any property can be.
fn show_documentation(py: Python<'_>) -> PyResult<()> {
    let find = py.import("operator")?.getattr("attrgetter")?.call1(("__wrapped__.__doc__",))?;
    py.get_type::<Dispatcher>().setattr("__doc__", py.import("builtins")?.getattr("property")?.call1((find,))?)
}
