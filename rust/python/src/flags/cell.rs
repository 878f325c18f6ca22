//! The rules in force, as Python asks them.

use std::sync::Arc;

use fast_litellm_core::flags::{At, Call};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};

use super::compiled::Compiled;
use super::handle::FlagHandle;
use super::latest::Latest;
use super::py_call::unit_text;
use super::words::Words;
use crate::page::{StandingPage, Stops};
use crate::rules::Rules;

/// The rules in force: one pointer that is swapped as a whole.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct SnapshotCell(Arc<Shared>);

/// What a cell and its handles have in common.
pub(super) struct Shared {
    pub(super) latest: Latest,
    words: Words,
    stops: Stops,
}

#[pymethods]
impl SnapshotCell {
    /// Flags are stopped by the page, if there is one, and by `stand`.
    #[new]
    #[pyo3(signature = (rules, process, decision_type, page=None))]
    fn new(
        rules: &Rules,
        process: &str,
        decision_type: Bound<'_, PyType>,
        page: Option<&Bound<'_, StandingPage>>,
    ) -> PyResult<Self> {
        let stops = Stops::new(page.map(Bound::get));
        let latest = Latest::new(Compiled::new(decision_type.py(), rules, process, &stops)?);
        Ok(Self(Arc::new(Shared { latest, words: Words::new(decision_type)?, stops })))
    }

    /// Replaces the rules; decisions under way finish with those they began with.
    fn swap(&self, py: Python<'_>, rules: &Rules, process: &str) -> PyResult<()> {
        let mut compiled = Compiled::new(py, rules, process, &self.0.stops)?;
        self.0.latest.with(|before| compiled.keep_guards(before));
        self.0.latest.swap(compiled);
        Ok(())
    }

    /// Stops (or, with 0, releases) a flag in this process, also one that is declared later.
    fn stand(&self, flag: &str, word: u64) {
        self.0.stops.stand(flag, word);
    }

    #[getter]
    fn revision(&self, py: Python<'_>) -> Py<PyString> {
        self.0.latest.with(|current| current.revision.clone_ref(py))
    }

    /// Decides one call. Never raises: whatever cannot be read counts as absent.
    #[pyo3(signature = (flag, unit=None, attributes=None))]
    fn decide<'py>(
        &self,
        flag: &Bound<'py, PyAny>,
        unit: Option<&Bound<'py, PyAny>>,
        attributes: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.0.latest.with(|current| {
            let position = current.position(flag);
            let unit = unit.and_then(unit_text);
            let decision = current.snapshot.decide(position, &current.call(unit.as_deref(), attributes));
            self.0.words.decision(current, flag, position, &decision)
        })
    }

    /// Who serves the call: the decision without its reasons. Never raises.
    #[pyo3(signature = (flag, unit=None, attributes=None))]
    fn serve<'py>(
        &self,
        flag: &Bound<'py, PyAny>,
        unit: Option<&Bound<'py, PyAny>>,
        attributes: Option<&Bound<'py, PyAny>>,
    ) -> Bound<'py, PyString> {
        self.0.latest.with(|current| {
            let position = current.position(flag);
            self.0.serve(flag.py(), current, position, unit, attributes)
        })
    }

    /// Binds one flag; the handle follows every swap, and answers for a flag that does not exist (yet).
    fn bind(&self, flag: &str) -> FlagHandle {
        FlagHandle::new(self.0.clone(), flag)
    }

    /// Every flag's stage.
    fn stages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.0.latest.with(|current| {
            let stages = PyDict::new(py);
            for (flag, names) in current.snapshot.flags.iter().zip(&current.flags) {
                stages.set_item(&names.name, self.0.words.stage(py, flag.stage))?;
            }
            Ok(stages)
        })
    }

    /// Whether the step of its plan decides what a flag serves where no rule does.
    fn follows_plan(&self, flag: &str) -> bool {
        self.0.latest.with(|current| current.snapshot.follows_plan(flag))
    }

    /// What a flag would do, as JSON; None when it is not declared.
    fn describe(&self, flag: &str) -> PyResult<Option<String>> {
        self.0.latest.with(|current| current.snapshot.describe(flag).map(|view| json(&view)).transpose())
    }

    /// Decides one call, now or at a moment, and says, rule by rule, why, as JSON; None when the flag is not declared.
    #[pyo3(signature = (flag, unit=None, attributes=None, moment=None))]
    fn explain(
        &self,
        flag: &str,
        unit: Option<&Bound<'_, PyAny>>,
        attributes: Option<&Bound<'_, PyAny>>,
        moment: Option<i64>,
    ) -> PyResult<Option<String>> {
        self.0.latest.with(|current| {
            let unit = unit.and_then(unit_text);
            let call = current.call(unit.as_deref(), attributes);
            let call = At { call: &call, moment: moment.unwrap_or_else(|| call.now()) };
            current.snapshot.explain(flag, &call).map(|view| json(&view)).transpose()
        })
    }
}

impl Shared {
    /// Who serves a call, by the flag at a position.
    #[inline(always)]
    pub(super) fn serve<'py>(
        &self,
        py: Python<'py>,
        current: &Compiled,
        position: Option<usize>,
        unit: Option<&Bound<'py, PyAny>>,
        attributes: Option<&Bound<'py, PyAny>>,
    ) -> Bound<'py, PyString> {
        if let Some(serve) = position.and_then(|position| current.settled(position)) {
            return self.words.implementation(py, serve);
        }
        let unit = unit.and_then(unit_text);
        let serve = current.snapshot.serve(position, &current.call(unit.as_deref(), attributes));
        self.words.implementation(py, serve)
    }
}

fn json(view: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(view).map_err(|error| PyValueError::new_err(error.to_string()))
}
