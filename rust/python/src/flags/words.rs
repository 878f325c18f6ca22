//! Decisions as Python sees them.

use fast_litellm_core::flags::{Decision, Implementation, Reason, Stage};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString, PyType};

use super::compiled::Compiled;
use super::named_tuple::NamedTuple;

/// The Python objects that decisions are made of, made once.
pub(super) struct Words {
    decision: NamedTuple<10>,
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
            decision: NamedTuple::new(decision_type)?,
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
        let or_none = |number: Option<u32>| number.into_pyobject(py);
        let fields = [
            names.map_or(flag, |names| names.name.bind(py).as_any()).clone(),
            self.stage(py, decision.stage).clone().into_any(),
            self.implementation(py, &decision.serve).into_any(),
            PyBool::new(py, decision.shadow).to_owned().into_any(),
            self.reasons[decision.reason as usize].bind(py).clone().into_any(),
            self.detail(py, decision.detail.name()).into_any(),
            rule.map_or_else(|| py.None().into_bound(py), |rule| rule.clone().into_any()),
            or_none(decision.bucket)?,
            or_none(decision.threshold)?,
            current.revision.bind(py).clone().into_any(),
        ];
        self.decision.make(py, fields)
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
