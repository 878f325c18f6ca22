//! A snapshot with what Python needs of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use fast_litellm_core::flags::{Implementation, Path, Snapshot, Standing};
use fast_litellm_core::guard::Guard;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::py_call::{Keys, PyCall, text};
use crate::page::{Places, Stops};
use crate::rules::Rules;

/// A snapshot and the Python strings its decisions and lookups need, made once.
pub(super) struct Compiled {
    /// Different for every snapshot of the process.
    pub(super) generation: u32,
    pub(super) snapshot: Snapshot,
    pub(super) revision: Py<PyString>,
    pub(super) flags: Box<[FlagNames]>,
    // By Python's own texts, which remember their hash: quicker than to hash a name anew.
    positions: Py<PyDict>,
    keys: Box<[Keys]>,
    places: Places,
    guards: Box<[Option<Arc<Guard>>]>,
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
        let snapshot = py.detach(|| rules.compile(&process)).map_err(|error| refused(&error))?;
        let intern = |text: &str| PyString::intern(py, text).unbind();
        let positions = PyDict::new(py);
        for (position, flag) in snapshot.flags.iter().enumerate() {
            positions.set_item(PyString::intern(py, &flag.name), position)?;
        }
        let flags = snapshot.flags.iter().map(|flag| FlagNames {
            name: intern(&flag.name),
            rules: flag.rules.iter().map(|rule| intern(&rule.name)).collect(),
        });
        let guards = snapshot.flags.iter().map(|flag| flag.guard.as_deref().map(|it| Arc::new(Guard::new(*it))));
        Ok(Self {
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
            revision: intern(&snapshot.revision),
            flags: flags.collect(),
            positions: positions.unbind(),
            keys: snapshot.paths.iter().map(|path: &Path| Keys::new(py, path)).collect(),
            places: stops.places(snapshot.flags.iter().map(|flag| &*flag.name)),
            guards: guards.collect(),
            snapshot,
        })
    }

    /// The position of the flag with a name, which may be anything.
    pub(super) fn position(&self, flag: &Bound<'_, PyAny>) -> Option<usize> {
        match flag.cast_exact::<PyString>() {
            Ok(name) => self.positions.bind(flag.py()).get_item(name).ok()??.extract().ok(),
            Err(_) => text(flag).and_then(|name| self.snapshot.position(name)),
        }
    }

    /// A guard whose definition has not changed goes on with what it has counted.
    pub(super) fn keep_guards(&mut self, before: &Self) {
        for (flag, guard) in self.snapshot.flags.iter().zip(&mut self.guards) {
            let earlier = before.snapshot.position(&flag.name).and_then(|position| before.guards[position].as_ref());
            if let (Some(guard), Some(earlier)) = (guard, earlier)
                && guard.definition() == earlier.definition()
            {
                *guard = earlier.clone();
            }
        }
    }

    /// The guard of the flag at a position and the flag's standing, if it has a guard.
    pub(super) fn guard(&self, position: usize) -> Option<(&Arc<Guard>, Standing)> {
        Some((self.guards.get(position)?.as_ref()?, self.places.standing(position)))
    }

    /// Who serves every call of the flag at a position, while that hangs on no call.
    #[inline(always)]
    pub(super) fn settled(&self, position: usize) -> Option<&Implementation> {
        self.snapshot.settled(position, || self.places.standing(position))
    }

    /// How many of a million calls are compared, while Python answers every call of the flag at a position and no guard wants to know.
    #[inline(always)]
    pub(super) fn settled_share(&self, position: usize) -> Option<u32> {
        let is_guarded = self.guards.get(position)?.is_some();
        let share = || self.snapshot.settled_share(position, || self.places.standing(position));
        if is_guarded { None } else { share() }
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
