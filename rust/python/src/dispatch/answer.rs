//! The answer of a call whose way is decided, where the control gives it.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::connection::{Connection, Observe};
use super::way::{Decided, Route};
use super::{Arguments, Dispatcher};
use crate::guard::{self, Stopwatch, TimedControl};

/// Why Python answers a call that the rules give to an implementation: the seam has none of that name.
const ABSENT: &str = "no_such_candidate";

impl Dispatcher {
    /// Answers a call whose way is decided.
    pub(super) fn go_on<'py>(
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

    fn answer_with_timed_control<'py>(
        &self,
        py: Python<'py>,
        connection: &Connection,
        (args, kwargs): Arguments<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let watch = Stopwatch::start();
        let answer = self.control.bind(py).call(args, kwargs);
        guard::record_control(connection.decider.handle.get(), &watch, &answer);
        answer
    }

    /// Python takes over from a candidate.
    pub(super) fn fall_back<'py>(
        &self,
        py: Python<'py>,
        (args, kwargs): Arguments<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
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
            let (control, handle) = (self.control.clone_ref(py), connection.decider.handle.clone_ref(py));
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
}
