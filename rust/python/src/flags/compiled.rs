//! A snapshot with what Python needs of it.

use std::sync::atomic::{AtomicU32, Ordering};

use fast_litellm_core::flags::{Path, Snapshot};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::py_call::{Keys, PyCall};
use crate::page::{Places, Stops};
use crate::rules::Rules;

/// A snapshot and the Python strings its decisions and lookups need, made once.
pub(super) struct Compiled {
    /// Different for every snapshot of the process.
    pub(super) generation: u32,
    pub(super) snapshot: Snapshot,
    pub(super) revision: Py<PyString>,
    pub(super) flags: Box<[FlagNames]>,
    keys: Box<[Keys]>,
    places: Places,
}

pub(super) struct FlagNames {
    pub(super) name: Py<PyString>,
    pub(super) rules: Box<[Py<PyString>]>,
}

static GENERATIONS: AtomicU32 = AtomicU32::new(0);

impl Compiled {
    pub(super) fn new(py: Python<'_>, rules: &Rules, process: &str, stops: &Stops) -> PyResult<Self> {
        let refused = |error: &dyn std::fmt::Display| PyValueError::new_err(error.to_string());
        let process = serde_json::from_str(process).map_err(|error| refused(&error))?;
        let snapshot = py.detach(|| Snapshot::compile(&rules.0.document, &process)).map_err(|error| refused(&error))?;
        let intern = |text: &str| PyString::intern(py, text).unbind();
        let flags = snapshot.flags.iter().map(|flag| FlagNames {
            name: intern(&flag.name),
            rules: flag.rules.iter().map(|rule| intern(&rule.name)).collect(),
        });
        Ok(Self {
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
            revision: intern(&snapshot.revision),
            flags: flags.collect(),
            keys: snapshot.paths.iter().map(|path: &Path| Keys::new(py, path)).collect(),
            places: stops.places(snapshot.flags.iter().map(|flag| &*flag.name)),
            snapshot,
        })
    }

    /// A call of these rules.
    pub(super) fn call<'a, 'py>(
        &'a self,
        unit: Option<&'a str>,
        attributes: Option<&'a Bound<'py, PyAny>>,
    ) -> PyCall<'a, 'py> {
        PyCall { keys: &self.keys, places: &self.places, unit, attributes }
    }
}
