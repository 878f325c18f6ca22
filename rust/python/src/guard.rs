//! The border of the guard: calls in, and now and then a finding out.

use std::sync::LazyLock;
use std::time::Instant;

use fast_litellm_core::flags::Standing;
use fast_litellm_core::flags::bucket::BUCKETS;
use fast_litellm_core::flags::document::Scope;
use fast_litellm_core::guard::{self, Action, Guard, Measured, Outcome, Side, Verdict};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::flags::FlagHandle;

/// Calls, errors, and the nanoseconds that at most 1 % of the calls took or exceeded.
pub(crate) type Figures = (u64, u64, u64);

/// What has come to pass (the cause of a stop, `retrying` or `closed`), for how many milliseconds, how many of a million
/// units try again then, who is told, and the figures of candidate and control.
pub(crate) type Finding = (&'static str, u64, u32, &'static str, Figures, Figures);

/// Milliseconds since a guard first asked. Never goes back, unlike the time of day.
pub(crate) fn now_ms() -> u64 {
    ms_at(Instant::now())
}

fn ms_at(moment: Instant) -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(moment.saturating_duration_since(*START).as_millis()).unwrap_or(u64::MAX)
}

/// Counts one call of a flag, if it has a guard. What a candidate still answers after a stop counts no longer.
pub(crate) fn record(
    handle: &FlagHandle,
    is_control: bool,
    nanos: u64,
    outcome: Outcome,
    now_ms: u64,
) -> Option<Finding> {
    let (guard, standing) = handle.guard()?;
    let side = match standing {
        _ if is_control => Side::Control,
        Standing::Stopped(_) => return None,
        Standing::Retrying(_, share) if share < BUCKETS => Side::Retried,
        Standing::Retrying(..) | Standing::Running => Side::Candidate,
    };
    guard.record(Measured { side, nanos, outcome }, now_ms).map(|verdict| finding(&guard, &verdict))
}

/// What a flag's guard sees in its window, candidate first.
pub(crate) fn figures(handle: &FlagHandle, now_ms: u64) -> Option<(Figures, Figures)> {
    let (candidate, control) = handle.guard()?.0.figures(now_ms);
    Some((of_side(&candidate), of_side(&control)))
}

fn finding(guard: &Guard, verdict: &Verdict) -> Finding {
    let (event, hold_ms) = match verdict.action {
        Action::Trip(cause, hold_ms) => (cause.name(), hold_ms),
        Action::Retry => ("retrying", 0),
        Action::Close => ("closed", 0),
    };
    let definition = guard.definition();
    let scope = match definition.scope {
        Scope::Process => "process",
        Scope::Host => "host",
        Scope::Fleet => "fleet",
    };
    (event, hold_ms, definition.retry, scope, of_side(&verdict.candidate), of_side(&verdict.control))
}

fn of_side(figures: &guard::Figures) -> Figures {
    (figures.calls, figures.errors, figures.p99_nanos)
}

/// A call whose time is taken.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// How many nanoseconds have passed, and the time in milliseconds: one question to the clock for both.
    pub(crate) fn stop(&self) -> (u64, u64) {
        let end = Instant::now();
        (u64::try_from((end - self.0).as_nanos()).unwrap_or(u64::MAX), ms_at(end))
    }
}

/// The control of a guarded flag, for those who call it on the dispatcher's behalf: only its own time is taken.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct TimedControl {
    pub(crate) control: Py<PyAny>,
    pub(crate) handle: Py<FlagHandle>,
}

#[pymethods]
impl TimedControl {
    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let watch = Stopwatch::start();
        let answer = self.control.bind(py).call(args, kwargs);
        record_control(self.handle.get(), &watch, &answer);
        answer
    }
}

/// Counts what the control did; it concludes nothing, because only a candidate's call can.
pub(crate) fn record_control<T>(handle: &FlagHandle, watch: &Stopwatch, answer: &PyResult<T>) {
    let outcome = if answer.is_ok() { Outcome::Value } else { Outcome::Error };
    let (nanos, now_ms) = watch.stop();
    record(handle, true, nanos, outcome, now_ms);
}
