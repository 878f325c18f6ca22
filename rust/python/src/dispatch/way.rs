//! How a call goes on: the decision, and what is counted with it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use fast_litellm_core::flags::{Implementation, Outline};
use pyo3::ffi;
use pyo3::prelude::*;

use super::connection::Connection;
use super::{Arguments, Dispatcher};

/// Why Python answers a call that the rules give to the candidate: its shape is not certified.
const UNPROVEN: &str = "unproven_shape";

/// How one call goes on after the decision.
#[derive(Clone, Copy)]
pub(super) enum Route {
    Control,
    Candidate,
    Shadow,
}

/// How a call goes on, as far as that is known without its arguments.
pub(super) enum ShortWay {
    /// The control answers, and nothing else happens; the pointer is the dispatcher's own.
    Control(*mut ffi::PyObject),
    /// There is more to do.
    Long(Decided),
}

/// A decision that has been counted as far as it is certain. It holds the connection itself, not a guard: the control may run
/// for seconds and may come back to this seam.
pub(super) struct Decided {
    pub(super) connection: Arc<Connection>,
    pub(super) route: Option<Route>,
    pub(super) serve: Implementation,
    pub(super) is_guarded: bool,
}

impl Decided {
    /// Whether the one that the rules name is the one that is compared.
    pub(super) fn is_compared(&self) -> bool {
        self.serve == self.connection.compared
    }

    /// The candidate that the rules name, if the seam has it.
    pub(super) fn candidate<'py>(&self, py: Python<'py>) -> Option<&Bound<'py, PyAny>> {
        let connection = &*self.connection;
        let other = || connection.others.get(self.serve.name());
        let found = if self.is_compared() { Some(&connection.candidate) } else { other() };
        found.map(|candidate| candidate.bind(py))
    }
}

impl Dispatcher {
    /// Decides, and counts what is thereby certain: that Python answers.
    #[inline(always)]
    pub(super) fn short_way(&self, py: Python<'_>) -> ShortWay {
        let Some(decider) = self.first.get().filter(|_| self.is_first.load(Ordering::Acquire)) else {
            return self.way_of_another(py);
        };
        match decider.handle.get().settled_share() {
            Some(share) => match self.python_route(share) {
                Route::Control => ShortWay::Control(self.control.as_ptr()),
                route => self.long_way(Some(route), Implementation::Python, false),
            },
            None => self.way(decider.outline(py)),
        }
    }

    #[cold]
    fn way_of_another(&self, py: Python<'_>) -> ShortWay {
        match &*self.connection.load() {
            Some(connection) => self.way(connection.decider.outline(py)),
            None => ShortWay::Control(self.control.as_ptr()),
        }
    }

    #[inline(never)]
    fn way(&self, (decision, is_guarded): (Outline, bool)) -> ShortWay {
        let is_guarded = is_guarded && !self.awaited;
        let route = decision.serves_control().then(|| self.python_route(decision.shadow_share));
        match (route, is_guarded) {
            (Some(Route::Control), false) => ShortWay::Control(self.control.as_ptr()),
            (route, is_guarded) => self.long_way(route, decision.serve, is_guarded),
        }
    }

    /// What another thread has disconnected since the decision is gone, and what it has connected takes the call.
    fn long_way(&self, route: Option<Route>, serve: Implementation, is_guarded: bool) -> ShortWay {
        match self.connection.load_full() {
            Some(connection) => ShortWay::Long(Decided { connection, route, serve, is_guarded }),
            None => ShortWay::Control(self.control.as_ptr()),
        }
    }

    #[inline(always)]
    fn python_route(&self, shadow_share: u32) -> Route {
        let tally = self.tally.get().core();
        if shadow_share == 0 || !self.effect_free {
            tally.serve("python");
            Route::Control
        } else if tally.serve_sampled(|call| self.sampler.takes_call(shadow_share, call)) {
            Route::Shadow
        } else {
            Route::Control
        }
    }

    /// What is certified is certified of the candidate that is compared.
    pub(super) fn candidate_route(&self, decided: &Decided, call: Arguments<'_, '_>) -> Route {
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
}
