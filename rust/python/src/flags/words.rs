//! Decisions as Python sees them.

use fast_litellm_core::flags::{Decision, Implementation, Reason, Stage};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple, PyType};

use super::compiled::Compiled;

/// The Python objects that decisions are made of, made once.
pub(super) struct Words {
    decision_type: Py<PyType>,
    new_tuple: Py<PyAny>,
    python: Py<PyString>,
    rust: Py<PyString>,
    empty: Py<PyString>,
    stages: [Py<PyString>; Stage::ALL.len()],
    reasons: [Py<PyString>; Reason::ALL.len()],
}

impl Words {
    pub(super) fn new(decision_type: Bound<'_, PyType>) -> PyResult<Self> {
        let py = decision_type.py();
        let intern = |text: &str| PyString::intern(py, text).unbind();
        Ok(Self {
            new_tuple: py.get_type::<PyTuple>().getattr("__new__")?.unbind(),
            decision_type: decision_type.unbind(),
            python: intern("python"),
            rust: intern("rust"),
            empty: intern(""),
            stages: Stage::ALL.map(|stage| intern(stage.name())),
            reasons: Reason::ALL.map(|reason| intern(reason.name())),
        })
    }

    /// A decision as a tuple with names.
    pub(super) fn decision<'py>(
        &self,
        current: &Compiled,
        flag: &Bound<'py, PyAny>,
        position: Option<usize>,
        decision: &Decision,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = flag.py();
        let names = position.map(|position| &current.flags[position]);
        let rule = names.zip(decision.rule).map(|(names, rule)| names.rules[rule].bind(py));
        let fields = (
            names.map_or(flag, |names| names.name.bind(py)),
            self.stage(py, decision.stage),
            self.implementation(py, &decision.serve),
            decision.shadow,
            self.reasons[decision.reason as usize].bind(py),
            self.detail(py, decision.detail.name()),
            rule,
            decision.bucket,
            decision.threshold,
            current.revision.bind(py),
        );
        self.new_tuple.bind(py).call1((&self.decision_type, fields))
    }

    pub(super) fn implementation<'py>(&self, py: Python<'py>, implementation: &Implementation) -> Bound<'py, PyString> {
        match implementation {
            Implementation::Python => self.python.bind(py).clone(),
            Implementation::Rust => self.rust.bind(py).clone(),
            Implementation::Other(name) => PyString::intern(py, name),
        }
    }

    pub(super) fn stage<'a, 'py>(&'a self, py: Python<'py>, stage: Stage) -> &'a Bound<'py, PyString> {
        self.stages[stage as usize].bind(py)
    }

    fn detail<'py>(&self, py: Python<'py>, detail: &str) -> Bound<'py, PyString> {
        if detail.is_empty() { self.empty.bind(py).clone() } else { PyString::intern(py, detail) }
    }
}
