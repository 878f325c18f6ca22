//! What an installation gives a dispatcher to work with.

use std::collections::HashMap;

use fast_litellm_core::flags::{Implementation, Outline};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::flags::FlagHandle;
use crate::observer::Observer;

/// What an installation gives a dispatcher to work with.
pub(super) struct Connection {
    pub(super) decider: Decider,
    /// Has `prepare(args, kwargs)` and `run(plan, args, kwargs)`.
    pub(super) candidate: Py<PyAny>,
    /// What the rules call it: it is the one that is compared.
    pub(super) compared: Implementation,
    /// Who answers when the rules name another one: neither compared nor held to what is certified.
    pub(super) others: HashMap<String, Py<PyAny>>,
    /// Answers with the control and hands the other side over.
    pub(super) observe: Observe,
    /// Called with the class name of an exception a serving candidate failed with.
    pub(super) failed: Py<PyAny>,
    /// Called with what the flag's guard concludes, if anybody wants to know.
    pub(super) concluded: Option<Py<PyAny>>,
    /// The `ShadowRunner` that compares calls the candidate has answered.
    pub(super) reverse: Option<Py<PyAny>>,
}

/// Decides for a seam's flag.
pub(super) struct Decider {
    pub(super) handle: Py<FlagHandle>,
    /// The call context, a variable that holds a `(unit, attributes)` tuple, and its `get`.
    pub(super) variable: Py<PyAny>,
    pub(super) get: Py<PyAny>,
}

/// Who answers a call that is compared, given its arguments and, perhaps, the control inside something that measures it.
pub(super) enum Observe {
    Natively(Py<Observer>),
    Otherwise(Py<PyAny>),
}

impl Decider {
    /// The decision of a call.
    pub(super) fn outline(&self, py: Python<'_>) -> (Outline, bool) {
        let context = || self.get.bind(py).call0().ok()?.cast_into::<PyTuple>().ok();
        self.handle.get().outline(context)
    }

    /// Whether another one decides the same, always.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.variable.is(&other.variable) && self.handle.get().is_of_same(other.handle.get())
    }

    pub(super) fn clone_ref(&self, py: Python<'_>) -> Self {
        let clone = |object: &Py<PyAny>| object.clone_ref(py);
        Self { handle: self.handle.clone_ref(py), variable: clone(&self.variable), get: clone(&self.get) }
    }
}
