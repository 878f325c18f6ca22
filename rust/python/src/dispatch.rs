//! The object that stands at a seam: one native call that decides, routes and counts.
//!
//! It looks like the function it replaces: Python's `functools.update_wrapper` gives it that function's name, documentation
//! and `__wrapped__`, so that `inspect.signature` and pickling by reference keep working, and `__get__` makes it a method
//! where it stands in a class.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arc_swap::ArcSwapOption;
use fast_litellm_core::account::UNKNOWN;
use fast_litellm_core::flags::{Implementation, Outline};
use fast_litellm_core::guard::Outcome;
use fast_litellm_core::sample::Sampler;
use pyo3::exceptions::PyException;
use pyo3::ffi;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::dispatch_entry;
use crate::flags::FlagHandle;
use crate::guard::{self, Stopwatch, TimedControl};
use crate::observer::Observer;
use crate::proven::Proven;
use crate::shape::Shaper;
use crate::tally::Tally;

pyo3::import_exception!(fast_litellm.errors, Declined);

/// Stands at a seam and answers with the control or with the candidate.
#[pyclass(frozen, dict, weakref, module = "fast_litellm._native")]
pub(crate) struct Dispatcher {
    pub(crate) entry: ffi::vectorcallfunc,
    /// The function that stood at the seam.
    control: Py<PyAny>,
    tally: Py<Tally>,
    /// The control's answer can be had again after a candidate failed, because running it changes nothing.
    effect_free: bool,
    /// A call only makes a coroutine: its time, its outcome and who answered are taken where that is awaited.
    awaited: bool,
    sampler: Sampler,
    /// Which calls the candidate may answer; absent while it may answer all that the rules give it.
    proven: ArcSwapOption<Proven>,
    /// Of the calls the candidate answers, how many of a million are compared afterwards.
    reverse_share: AtomicU32,
    /// Absent before `connect` and after `disconnect`: the dispatcher then is the control.
    connection: ArcSwapOption<Connection>,
}

/// What an installation gives a dispatcher to work with.
pub(crate) struct Connection {
    /// Decides for this seam's flag.
    handle: Py<FlagHandle>,
    /// `ContextVar.get` of the call context, a `(unit, attributes)` tuple.
    context: Py<PyAny>,
    /// Has `prepare(args, kwargs)` and `run(plan, args, kwargs)`.
    candidate: Py<PyAny>,
    /// What the rules call it: it is the one that is compared.
    compared: Implementation,
    /// Who answers when the rules name another one: neither compared nor held to what is certified.
    others: HashMap<String, Py<PyAny>>,
    /// Answers with the control and hands the other side over.
    observe: Observe,
    /// Called with the class name of an exception a serving candidate failed with.
    failed: Py<PyAny>,
    /// Called with what the flag's guard concludes, if anybody wants to know.
    concluded: Option<Py<PyAny>>,
    /// The `ShadowRunner` that compares calls the candidate has answered.
    reverse: Option<Py<PyAny>>,
}

/// Who answers a call that is compared, given its arguments and, perhaps, the control inside something that measures it.
enum Observe {
    Natively(Py<Observer>),
    Otherwise(Py<PyAny>),
}

/// How one call goes on after the decision.
#[derive(Clone, Copy)]
enum Route {
    Control,
    Candidate,
    Shadow,
}

/// Counted like a candidate's failure: somebody who was to be told of something failed to listen.
const UNHEARD: &str = "listener_failed";
/// Why Python answers a call that the rules give to the candidate: its shape is not certified.
const UNPROVEN: &str = "unproven_shape";
/// Why Python answers a call that the rules give to an implementation: the seam has none of that name.
const ABSENT: &str = "no_such_candidate";
/// Why a call that the candidate was to answer is not compared: it did not answer it.
const UNANSWERED: &str = "not_served";

pub(crate) type Arguments<'a, 'py> = (&'a Bound<'py, PyTuple>, Option<&'a Bound<'py, PyDict>>);

#[pymethods]
impl Dispatcher {
    #[new]
    #[pyo3(signature = (control, tally, *, effect_free, awaited=false))]
    fn new(control: Py<PyAny>, tally: Py<Tally>, effect_free: bool, awaited: bool) -> Self {
        let sampler = Sampler::new(RandomState::new().hash_one("sampler"));
        Self {
            entry: dispatch_entry::ENTRY,
            control,
            tally,
            effect_free,
            awaited,
            sampler,
            proven: ArcSwapOption::empty(),
            reverse_share: AtomicU32::new(0),
            connection: ArcSwapOption::empty(),
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
        let context = context.getattr("get")?.unbind();
        let observe = match observe.cast_into::<Observer>() {
            Ok(observer) => Observe::Natively(observer.unbind()),
            Err(other) => Observe::Otherwise(other.into_inner().unbind()),
        };
        let (compared, others) = (compared.into(), others.unwrap_or_default());
        let connection =
            Connection { handle, context, candidate, compared, others, observe, failed, concluded, reverse };
        self.connection.store(Some(Arc::new(connection)));
        Ok(())
    }

    /// Stops routing: every call goes to the control, uncounted.
    fn disconnect(&self) {
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

    /// Pickled by reference, as functions are.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.getattr("__qualname__")
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<fast_litellm seam at {}>", self.control.bind(py).repr()?))
    }
}

/// How a call goes on, as far as that is known without its arguments.
pub(crate) enum ShortWay {
    /// The control answers, and nothing else happens; the pointer is the dispatcher's own.
    Control(*mut ffi::PyObject),
    /// There is more to do.
    Long(Decided),
}

/// A decision that has been counted as far as it is certain. It holds the connection itself, not a guard: the control may run
/// for seconds and may come back to this seam.
pub(crate) struct Decided {
    connection: Arc<Connection>,
    route: Option<Route>,
    serve: Implementation,
    is_guarded: bool,
}

impl Decided {
    /// Whether the one that the rules name is the one that is compared.
    fn is_compared(&self) -> bool {
        self.serve == self.connection.compared
    }

    /// The candidate that the rules name, if the seam has it.
    fn candidate<'py>(&self, py: Python<'py>) -> Option<&Bound<'py, PyAny>> {
        let connection = &*self.connection;
        let other = || connection.others.get(self.serve.name());
        let found = if self.is_compared() { Some(&connection.candidate) } else { other() };
        found.map(|candidate| candidate.bind(py))
    }
}

impl Dispatcher {
    /// Decides, and counts what is thereby certain: that Python answers.
    pub(crate) fn short_way(&self, py: Python<'_>) -> ShortWay {
        let loaded = self.connection.load();
        let Some(connection) = &*loaded else {
            return ShortWay::Control(self.control.as_ptr());
        };
        let (decision, is_guarded) = decide(py, connection);
        let is_guarded = is_guarded && !self.awaited;
        let route = decision.serves_control().then(|| self.python_route(&decision));
        match (route, is_guarded) {
            (Some(Route::Control), false) => ShortWay::Control(self.control.as_ptr()),
            (route, is_guarded) => {
                let (connection, serve) = (Arc::clone(connection), decision.serve);
                ShortWay::Long(Decided { connection, route, serve, is_guarded })
            }
        }
    }

    /// Answers a call whose way is decided.
    pub(crate) fn go_on<'py>(
        &self,
        py: Python<'py>,
        decided: &Decided,
        call: Arguments<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (connection, is_guarded) = (&*decided.connection, decided.is_guarded);
        match (decided.route.unwrap_or_else(|| self.candidate_route(decided, call)), is_guarded) {
            (Route::Control, false) => self.control.bind(py).call(call.0, call.1),
            (Route::Control, true) => self.answer_with_timed_control(py, connection, call),
            (Route::Candidate, _) => match decided.candidate(py) {
                Some(candidate) => self.answer_with_candidate(py, decided, candidate, call),
                None => self.answer_for_absent(py, call),
            },
            (Route::Shadow, _) => self.answer_observed(py, connection, call, is_guarded),
        }
    }

    fn python_route(&self, decision: &Outline) -> Route {
        let tally = self.tally.get().core();
        if decision.shadow_share == 0 || !self.effect_free {
            tally.serve("python");
            Route::Control
        } else if self.sampler.takes(decision.shadow_share) {
            tally.serve("python");
            Route::Shadow
        } else {
            tally.serve_sampled_out();
            Route::Control
        }
    }

    /// What is certified is certified of the candidate that is compared.
    fn candidate_route(&self, decided: &Decided, call: Arguments<'_, '_>) -> Route {
        if decided.is_compared() { self.proven_route(call) } else { Route::Candidate }
    }

    /// A call of a shape that is not proven is Python's, and compared whatever the sample: it is what evidence is missing of.
    fn proven_route(&self, call: Arguments<'_, '_>) -> Route {
        let is_proven = self.proven.load().as_ref().is_none_or(|proven| proven.covers(call));
        if is_proven {
            return Route::Candidate;
        }
        let tally = self.tally.get().core();
        tally.decline(UNPROVEN);
        tally.serve("python");
        if self.effect_free { Route::Shadow } else { Route::Control }
    }

    fn answer_with_timed_control<'py>(
        &self,
        py: Python<'py>,
        connection: &Connection,
        (args, kwargs): Arguments<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let watch = Stopwatch::start();
        let answer = self.control.bind(py).call(args, kwargs);
        guard::record_control(connection.handle.get(), &watch, &answer);
        answer
    }

    /// Python takes over from a candidate.
    fn fall_back<'py>(&self, py: Python<'py>, (args, kwargs): Arguments<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
        self.tally.get().core().serve("python");
        self.control.bind(py).call(args, kwargs)
    }

    fn answer_for_absent<'py>(&self, py: Python<'py>, call: Arguments<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
        self.tally.get().core().decline(ABSENT);
        self.fall_back(py, call)
    }

    fn answer_observed<'py>(
        &self,
        py: Python<'py>,
        connection: &Connection,
        call: Arguments<'_, 'py>,
        is_guarded: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let timed = || {
            let (control, handle) = (self.control.clone_ref(py), connection.handle.clone_ref(py));
            Ok::<_, PyErr>(Bound::new(py, TimedControl { control, handle })?.into_any())
        };
        let timed = is_guarded.then(timed).transpose()?;
        match &connection.observe {
            Observe::Natively(observer) => observer.get().observe(py, call, timed.as_ref()),
            Observe::Otherwise(observe) => {
                let kwargs = call.1.cloned().unwrap_or_else(|| PyDict::new(py));
                match timed {
                    None => observe.bind(py).call1((call.0, kwargs)),
                    Some(timed) => observe.bind(py).call1((call.0, kwargs, timed)),
                }
            }
        }
    }

    fn answer_with_candidate<'py>(
        &self,
        py: Python<'py>,
        decided: &Decided,
        candidate: &Bound<'py, PyAny>,
        call: Arguments<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (connection, is_guarded) = (&*decided.connection, decided.is_guarded);
        let reversed = self.begin_reversed(py, decided, call)?;
        let watch = (is_guarded || reversed.is_some()).then(Stopwatch::start);
        let answer = run_candidate(candidate, call);
        let taken = watch.map(|watch| watch.stop());
        let timed = taken.filter(|_| is_guarded);
        if let (Some(reversed), Some((nanos, _))) = (reversed, taken) {
            self.end_reversed(py, connection, &reversed, answer.as_ref().ok().map(|value| (value, nanos)))?;
        }
        let error = match answer {
            Ok(value) => {
                if !self.awaited {
                    self.tally.get().core().serve(decided.serve.name());
                }
                self.judge(py, connection, timed, Outcome::Value)?;
                return Ok(value);
            }
            Err(error) => error,
        };
        if is_declined(py, &error) {
            self.tally.get().core().decline(&declined_reason(py, &error));
            return self.fall_back(py, call);
        }
        if is_a_signal(py, &error) {
            return Err(error);
        }
        if !self.effect_free {
            self.judge(py, connection, timed, Outcome::Error)?;
            return Err(error);
        }
        self.answer_for_failed(py, connection, call, (&error, timed))
    }

    /// Copies a call that the candidate is about to answer, if it belongs to those that are compared afterwards.
    fn begin_reversed<'py>(
        &self,
        py: Python<'py>,
        decided: &Decided,
        (args, kwargs): Arguments<'_, 'py>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let share = self.reverse_share.load(Ordering::Relaxed);
        let is_wanted = self.effect_free && share > 0 && decided.is_compared();
        let Some(runner) = decided.connection.reverse.as_ref().filter(|_| is_wanted) else {
            return Ok(None);
        };
        if !self.sampler.takes(share) {
            self.tally.get().core().sample_out(UNKNOWN);
            return Ok(None);
        }
        let kwargs = kwargs.cloned().unwrap_or_else(|| PyDict::new(py));
        let job = self.unless_failed(py, runner.bind(py).call_method1(pyo3::intern!(py, "prepare"), (args, kwargs)))?;
        Ok(job.filter(|job| !job.is_none()))
    }

    /// Hands over what the candidate answered, and how many nanoseconds that took; without an answer the copy is given up.
    fn end_reversed<'py>(
        &self,
        py: Python<'py>,
        connection: &Connection,
        job: &Bound<'py, PyAny>,
        answer: Option<(&Bound<'py, PyAny>, u64)>,
    ) -> PyResult<()> {
        let Some(runner) = connection.reverse.as_ref().map(|runner| runner.bind(py)) else {
            return Ok(());
        };
        let told = match answer {
            Some((value, nanos)) => runner.call_method1(pyo3::intern!(py, "submit_served"), (job, value, nanos)),
            None => runner.call_method1(pyo3::intern!(py, "abandon"), (job, UNANSWERED)),
        };
        self.unless_failed(py, told).map(drop)
    }

    /// What a listener returned. That it failed is counted and is not the caller's to know; an interrupt is.
    fn unless_failed<'py>(
        &self,
        py: Python<'py>,
        answer: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        match answer {
            Err(error) if is_a_signal(py, &error) => Err(error),
            Err(_) => {
                self.tally.get().core().fail(UNHEARD);
                Ok(None)
            }
            Ok(answer) => Ok(Some(answer)),
        }
    }

    /// The control answers; a candidate that failed as the control fails has not failed.
    fn answer_for_failed<'py>(
        &self,
        py: Python<'py>,
        connection: &Connection,
        call: Arguments<'_, 'py>,
        (error, timed): (&PyErr, Option<(u64, u64)>),
    ) -> PyResult<Bound<'py, PyAny>> {
        let kind = error.get_type(py).name().map_or_else(|_| "unknown".to_owned(), |name| name.to_string());
        self.tally.get().core().fail(&kind);
        self.tell(py, &connection.failed, (kind,))?;
        let answer = self.fall_back(py, call);
        let is_alike = answer.as_ref().is_err_and(|other| other.get_type(py).is(error.get_type(py)));
        let outcome = if is_alike { Outcome::ErrorOfBoth } else { Outcome::Error };
        self.judge(py, connection, timed, outcome)?;
        answer
    }

    /// Counts a candidate's call whose time was taken, and passes on what the guard concludes from it.
    fn judge(
        &self,
        py: Python<'_>,
        connection: &Connection,
        timed: Option<(u64, u64)>,
        outcome: Outcome,
    ) -> PyResult<()> {
        let Some((nanos, now_ms)) = timed else {
            return Ok(());
        };
        let finding = guard::record(connection.handle.get(), false, nanos, outcome, now_ms);
        match (finding, &connection.concluded) {
            (Some(finding), Some(concluded)) => self.tell(py, concluded, finding),
            _ => Ok(()),
        }
    }

    /// Tells somebody of something. That they cannot listen is counted and is not the caller's to know; an interrupt is.
    fn tell<'py>(&self, py: Python<'py>, listener: &Py<PyAny>, news: impl pyo3::call::PyCallArgs<'py>) -> PyResult<()> {
        self.unless_failed(py, listener.bind(py).call1(news)).map(drop)
    }
}

fn decide(py: Python<'_>, connection: &Connection) -> (Outline, bool) {
    let context = || connection.context.bind(py).call0().ok()?.cast_into::<PyTuple>().ok();
    connection.handle.get().outline(context)
}

fn run_candidate<'py>(
    candidate: &Bound<'py, PyAny>,
    (args, kwargs): Arguments<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = candidate.py();
    let kwargs = kwargs.cloned().unwrap_or_else(|| PyDict::new(py));
    let plan = candidate.call_method1(pyo3::intern!(py, "prepare"), (args, &kwargs))?;
    candidate.call_method1(pyo3::intern!(py, "run"), (plan, args, &kwargs))
}

fn declined_reason(py: Python<'_>, error: &PyErr) -> String {
    error
        .value(py)
        .getattr(pyo3::intern!(py, "reason"))
        .and_then(|reason| reason.extract())
        .unwrap_or_else(|_| "unspecified".to_owned())
}

/// Whether a candidate refuses a call before doing anything.
pub(crate) fn is_declined(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<Declined>(py)
}

/// `KeyboardInterrupt`, `SystemExit`, `CancelledError` and their kind belong to the program; a panic of the candidate is
/// raised as a `BaseException` too, but is the candidate's own failure.
fn is_a_signal(py: Python<'_>, error: &PyErr) -> bool {
    !error.is_instance_of::<PyException>(py) && !error.is_instance_of::<PanicException>(py)
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Dispatcher>()?;
    dispatch_entry::enable(&module.py().get_type::<Dispatcher>());
    Ok(())
}
