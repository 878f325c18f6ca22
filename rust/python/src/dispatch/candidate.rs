//! The answer of a call that the rules give to a candidate, and what becomes of one that cannot answer.

use std::sync::atomic::Ordering;

use fast_litellm_core::account::UNKNOWN;
use fast_litellm_core::guard::Outcome;
use pyo3::exceptions::PyException;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::connection::Connection;
use super::way::Decided;
use super::{Arguments, Dispatcher, is_declined};
use crate::guard::{self, Stopwatch};
use crate::interruption::is_from_elsewhere;

/// Counted like a candidate's failure: somebody who was to be told of something failed to listen.
const UNHEARD: &str = "listener_failed";
/// Why a call that the candidate was to answer is not compared: it did not answer it.
const UNANSWERED: &str = "not_served";

impl Dispatcher {
    pub(super) fn answer_with_candidate<'py>(
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
                self.count_answer(decided);
                self.judge(py, connection, timed, Outcome::Value)?;
                return Ok(value);
            }
            Err(error) => error,
        };
        if is_declined(py, &error) {
            self.tally.get().core().decline(&declined_reason(py, &error));
            return self.fall_back(py, call);
        }
        if is_a_signal(py, &error) || is_from_elsewhere(py, &error)? {
            self.tally.get().core().fail(&kind_of(py, &error));
            return Err(error);
        }
        if !self.effect_free {
            self.count_answer(decided);
            self.judge(py, connection, timed, Outcome::Error)?;
            return Err(error);
        }
        self.answer_for_failed(py, connection, call, (&error, timed))
    }

    /// Counts that the candidate has answered; an exception is an answer where the control is not asked after it.
    fn count_answer(&self, decided: &Decided) {
        if !self.awaited {
            self.tally.get().core().serve(decided.serve.name());
        }
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
            Err(error) if is_a_signal(py, &error) || is_from_elsewhere(py, &error)? => Err(error),
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
        let kind = kind_of(py, error);
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
        let finding = guard::record(connection.decider.handle.get(), false, nanos, outcome, now_ms);
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

/// The name of an exception's class.
fn kind_of(py: Python<'_>, error: &PyErr) -> String {
    error.get_type(py).name().map_or_else(|_| "unknown".to_owned(), |name| name.to_string())
}

/// `KeyboardInterrupt`, `SystemExit`, `CancelledError` and their kind belong to the program; a panic of the candidate is
/// raised as a `BaseException` too, but is the candidate's own failure.
fn is_a_signal(py: Python<'_>, error: &PyErr) -> bool {
    !error.is_instance_of::<PyException>(py) && !error.is_instance_of::<PanicException>(py)
}
