//! The border of flags: Python objects in, one decision out.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use fast_litellm_core::flags::Standing;
use fast_litellm_core::flags::{Call, Decision, Implementation, Path, Reason, Sequence, Snapshot, Stage, Value};
use fast_litellm_core::guard::{Guard, Outcome};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping, PySet, PyString, PyTuple, PyType};

use crate::guard::{self, Figures, Finding};
use crate::page::{Places, StandingPage, Stops, now};
use crate::rules::Rules;

/// What the dispatcher works with.
pub(crate) type CoreDecision = Decision;

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SnapshotCell>()?;
    module.add_class::<FlagHandle>()
}

/// The rules in force: one pointer that is swapped as a whole.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct SnapshotCell(Arc<Shared>);

/// One flag of a cell, for callers that ask for it often.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct FlagHandle {
    shared: Arc<Shared>,
    name: Box<str>,
    // Generation (upper half) and position (lower half) of the snapshot in which the flag was last looked up.
    found: AtomicU64,
}

struct Shared {
    current: ArcSwap<Compiled>,
    generations: AtomicU32,
    decision_type: Py<PyType>,
    new_tuple: Py<PyAny>,
    words: Words,
    stops: Stops,
}

/// A snapshot and the Python strings its decisions and lookups need, made once.
struct Compiled {
    generation: u32,
    snapshot: Snapshot,
    revision: Py<PyString>,
    flags: Vec<FlagNames>,
    keys: Vec<Keys>,
    places: Places,
    guards: Vec<Option<Arc<Guard>>>,
}

struct FlagNames {
    name: Py<PyString>,
    rules: Vec<Py<PyString>>,
}

struct Keys {
    whole: Py<PyString>,
    parts: Vec<Py<PyString>>,
}

struct Words {
    python: Py<PyString>,
    rust: Py<PyString>,
    empty: Py<PyString>,
    stages: [Py<PyString>; Stage::ALL.len()],
    reasons: [Py<PyString>; Reason::ALL.len()],
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
        let py = decision_type.py();
        let stops = Stops::new(page.map(Bound::get));
        let new_tuple = py.get_type::<PyTuple>().getattr("__new__")?.unbind();
        Ok(Self(Arc::new(Shared {
            current: ArcSwap::from_pointee(Compiled::new(py, rules, process, 0, &stops)?),
            generations: AtomicU32::new(1),
            decision_type: decision_type.unbind(),
            new_tuple,
            words: Words::new(py),
            stops,
        })))
    }

    /// Replaces the rules; decisions under way finish with those they began with.
    fn swap(&self, py: Python<'_>, rules: &Rules, process: &str) -> PyResult<()> {
        let generation = self.0.generations.fetch_add(1, Ordering::Relaxed);
        let mut compiled = Compiled::new(py, rules, process, generation, &self.0.stops)?;
        compiled.keep_guards(&self.0.current.load());
        self.0.current.store(Arc::new(compiled));
        Ok(())
    }

    /// Stops (or, with 0, releases) a flag in this process, also one that is declared later.
    fn stand(&self, flag: &str, word: u64) {
        self.0.stops.stand(flag, word);
    }

    #[getter]
    fn revision(&self, py: Python<'_>) -> Py<PyString> {
        self.0.current.load().revision.clone_ref(py)
    }

    /// Decides one call. Never raises: whatever cannot be read counts as absent.
    #[pyo3(signature = (flag, unit=None, attributes=None))]
    fn decide<'py>(
        &self,
        flag: &Bound<'py, PyAny>,
        unit: Option<&Bound<'py, PyAny>>,
        attributes: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let current = self.0.current.load();
        let position = text(flag).and_then(|name| current.snapshot.position(name));
        let unit = unit.and_then(unit_text);
        let decision = current.snapshot.decide(position, &current.call(unit.as_deref(), attributes));
        self.0.decision(&current, flag, position, &decision)
    }

    /// Who serves the call: the decision without its reasons. Never raises.
    #[pyo3(signature = (flag, unit=None, attributes=None))]
    fn serve<'py>(
        &self,
        flag: &Bound<'py, PyAny>,
        unit: Option<&Bound<'py, PyAny>>,
        attributes: Option<&Bound<'py, PyAny>>,
    ) -> Bound<'py, PyString> {
        let current = self.0.current.load();
        let position = text(flag).and_then(|name| current.snapshot.position(name));
        self.0.serve(flag.py(), &current, position, unit, attributes)
    }

    /// Binds one flag; the handle follows every swap, and answers for a flag that does not exist (yet).
    fn bind(&self, flag: &str) -> FlagHandle {
        FlagHandle { shared: self.0.clone(), name: flag.into(), found: AtomicU64::new(u64::MAX) }
    }

    /// Every flag's stage.
    fn stages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let current = self.0.current.load();
        let stages = PyDict::new(py);
        for (flag, names) in current.snapshot.flags.iter().zip(&current.flags) {
            stages.set_item(&names.name, &self.0.words.stages[flag.stage as usize])?;
        }
        Ok(stages)
    }

    /// What a flag would do, as JSON; None when it is not declared.
    fn describe(&self, flag: &str) -> PyResult<Option<String>> {
        self.0.current.load().snapshot.describe(flag).map(|view| json(&view)).transpose()
    }

    /// Decides one call and says, rule by rule, why, as JSON; None when the flag is not declared.
    #[pyo3(signature = (flag, unit=None, attributes=None))]
    fn explain(
        &self,
        flag: &str,
        unit: Option<&Bound<'_, PyAny>>,
        attributes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<String>> {
        let current = self.0.current.load();
        let unit = unit.and_then(unit_text);
        let call = current.call(unit.as_deref(), attributes);
        current.snapshot.explain(flag, &call).map(|view| json(&view)).transpose()
    }
}

#[pymethods]
impl FlagHandle {
    /// Who serves the call. A plain method, because Python calls those without building a tuple of arguments.
    #[pyo3(signature = (unit=None, attributes=None, /))]
    fn serve<'py>(
        &self,
        py: Python<'py>,
        unit: Option<&Bound<'py, PyAny>>,
        attributes: Option<&Bound<'py, PyAny>>,
    ) -> Bound<'py, PyString> {
        let current = self.shared.current.load();
        self.shared.serve(py, &current, self.position(&current), unit, attributes)
    }

    /// The same as `serve`.
    #[pyo3(signature = (unit=None, attributes=None, /))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        unit: Option<&Bound<'py, PyAny>>,
        attributes: Option<&Bound<'py, PyAny>>,
    ) -> Bound<'py, PyString> {
        self.serve(py, unit, attributes)
    }

    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// Counts one call that an implementation answered in so many nanoseconds, or that it failed.
    ///
    /// Returns what the flag's guard concludes from it, mostly nothing; the clock counts milliseconds and never goes back.
    #[pyo3(signature = (implementation, nanos, is_error, now_ms=None, /))]
    fn record(&self, implementation: &str, nanos: u64, is_error: bool, now_ms: Option<u64>) -> Option<Finding> {
        let outcome = if is_error { Outcome::Error } else { Outcome::Value };
        guard::record(self, implementation == "python", nanos, outcome, now_ms.unwrap_or_else(guard::now_ms))
    }

    /// Calls, errors and p99 in nanoseconds of the candidate, then of the control; None without a guard.
    #[pyo3(signature = (now_ms=None, /))]
    fn figures(&self, now_ms: Option<u64>) -> Option<(Figures, Figures)> {
        guard::figures(self, now_ms.unwrap_or_else(guard::now_ms))
    }
}

impl FlagHandle {
    /// Decides one call without making a Python object, and says whether a guard wants to know how it went.
    pub(crate) fn decide_core(
        &self,
        unit: Option<&str>,
        attributes: Option<&Bound<'_, PyDict>>,
    ) -> (CoreDecision, bool) {
        let current = self.shared.current.load();
        let call = current.call(unit, attributes.map(Bound::as_any));
        let position = self.position(&current);
        let decision = current.snapshot.decide(position, &call);
        let is_live = matches!(decision.stage, Stage::Canary | Stage::On);
        let is_guarded = is_live && position.is_some_and(|position| current.guards[position].is_some());
        (decision, is_guarded)
    }

    /// The guard of the flag and the flag's standing, if it has a guard.
    pub(crate) fn guard(&self) -> Option<(Arc<Guard>, Standing)> {
        let current = self.shared.current.load();
        let (guard, standing) = current.guard(self.position(&current)?)?;
        Some((guard.clone(), standing))
    }

    fn position(&self, current: &Compiled) -> Option<usize> {
        let found = self.found.load(Ordering::Relaxed);
        let position = if found >> 32 == u64::from(current.generation) { low_half(found) } else { self.find(current) };
        (position != u32::MAX).then_some(position as usize)
    }

    #[cold]
    fn find(&self, current: &Compiled) -> u32 {
        let position = current.snapshot.position(&self.name).and_then(|position| u32::try_from(position).ok());
        let position = position.unwrap_or(u32::MAX);
        self.found.store(u64::from(current.generation) << 32 | u64::from(position), Ordering::Relaxed);
        position
    }
}

impl Shared {
    fn serve<'py>(
        &self,
        py: Python<'py>,
        current: &Compiled,
        position: Option<usize>,
        unit: Option<&Bound<'py, PyAny>>,
        attributes: Option<&Bound<'py, PyAny>>,
    ) -> Bound<'py, PyString> {
        let unit = unit.and_then(unit_text);
        let serve = current.snapshot.serve(position, &current.call(unit.as_deref(), attributes));
        self.words.implementation(py, serve)
    }

    fn decision<'py>(
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
            self.words.stages[decision.stage as usize].bind(py),
            self.words.implementation(py, &decision.serve),
            decision.shadow,
            self.words.reasons[decision.reason as usize].bind(py),
            self.words.detail(py, decision.detail.name()),
            rule,
            decision.bucket,
            decision.threshold,
            current.revision.bind(py),
        );
        self.new_tuple.bind(py).call1((&self.decision_type, fields))
    }
}

impl Compiled {
    fn new(py: Python<'_>, rules: &Rules, process: &str, generation: u32, stops: &Stops) -> PyResult<Self> {
        let refused = |error: &dyn std::fmt::Display| PyValueError::new_err(error.to_string());
        let process = serde_json::from_str(process).map_err(|error| refused(&error))?;
        let snapshot = py.detach(|| Snapshot::compile(&rules.0.document, &process)).map_err(|error| refused(&error))?;
        let intern = |text: &str| PyString::intern(py, text).unbind();
        let flags = snapshot.flags.iter().map(|flag| FlagNames {
            name: intern(&flag.name),
            rules: flag.rules.iter().map(|rule| intern(&rule.name)).collect(),
        });
        let flags = flags.collect();
        let keys = snapshot.paths.iter().map(|path| Keys::new(py, path)).collect();
        let places = stops.places(snapshot.flags.iter().map(|flag| &*flag.name));
        let guards = snapshot.flags.iter().map(|flag| flag.guard.as_deref().map(|it| Arc::new(Guard::new(*it))));
        let guards = guards.collect();
        Ok(Self { generation, revision: intern(&snapshot.revision), snapshot, flags, keys, places, guards })
    }

    /// A guard whose definition has not changed goes on with what it has counted.
    fn keep_guards(&mut self, before: &Self) {
        for (flag, guard) in self.snapshot.flags.iter().zip(&mut self.guards) {
            let earlier = before.snapshot.position(&flag.name).and_then(|position| before.guards[position].as_ref());
            if let (Some(guard), Some(earlier)) = (guard, earlier)
                && guard.definition() == earlier.definition()
            {
                *guard = earlier.clone();
            }
        }
    }

    fn guard(&self, position: usize) -> Option<(&Arc<Guard>, Standing)> {
        Some((self.guards.get(position)?.as_ref()?, self.places.standing(position)))
    }

    fn call<'a, 'py>(&'a self, unit: Option<&'a str>, attributes: Option<&'a Bound<'py, PyAny>>) -> PyCall<'a, 'py> {
        PyCall { keys: &self.keys, places: &self.places, unit, attributes }
    }
}

impl Keys {
    fn new(py: Python<'_>, path: &Path) -> Self {
        let intern = |text: &str| PyString::intern(py, text).unbind();
        Self { whole: intern(&path.text), parts: path.parts().map(intern).collect() }
    }

    fn find<'py>(&self, attributes: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        item(attributes, &self.whole).or_else(|| {
            let (first, rest) = self.parts.split_first()?;
            rest.iter().try_fold(item(attributes, first)?, |inner, part| item(&inner, part))
        })
    }
}

impl Words {
    fn new(py: Python<'_>) -> Self {
        let intern = |text: &str| PyString::intern(py, text).unbind();
        Self {
            python: intern("python"),
            rust: intern("rust"),
            empty: intern(""),
            stages: Stage::ALL.map(|stage| intern(stage.name())),
            reasons: Reason::ALL.map(|reason| intern(reason.name())),
        }
    }

    fn implementation<'py>(&self, py: Python<'py>, implementation: &Implementation) -> Bound<'py, PyString> {
        match implementation {
            Implementation::Python => self.python.bind(py).clone(),
            Implementation::Rust => self.rust.bind(py).clone(),
            Implementation::Other(name) => PyString::intern(py, name),
        }
    }

    fn detail<'py>(&self, py: Python<'py>, detail: &str) -> Bound<'py, PyString> {
        if detail.is_empty() { self.empty.bind(py).clone() } else { PyString::intern(py, detail) }
    }
}

/// A call seen through Python objects. What raises while it is read counts as absent.
struct PyCall<'a, 'py> {
    keys: &'a [Keys],
    places: &'a Places,
    unit: Option<&'a str>,
    attributes: Option<&'a Bound<'py, PyAny>>,
}

impl Call for PyCall<'_, '_> {
    fn unit(&self) -> Option<&str> {
        self.unit
    }

    fn now(&self) -> i64 {
        now()
    }

    fn standing(&self, flag: usize) -> Standing {
        self.places.standing(flag)
    }

    fn look<R>(&self, path: &Path, then: impl FnOnce(Value<'_>) -> R) -> R {
        match self.attributes.and_then(|attributes| self.keys[path.index].find(attributes)) {
            Some(found) => with_value(&found, then),
            None => then(Value::Missing),
        }
    }
}

/// A Python list, tuple or set.
struct Elements<'a, 'py>(&'a Bound<'py, PyAny>);

impl Sequence for Elements<'_, '_> {
    fn any(&self, check: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        if let Ok(list) = self.0.cast::<PyList>() {
            return list.iter().any(|element| with_value(&element, &mut *check));
        }
        if let Ok(tuple) = self.0.cast::<PyTuple>() {
            return tuple.iter_borrowed().any(|element| with_value(&element, &mut *check));
        }
        let Ok(mut elements) = self.0.try_iter() else {
            return false;
        };
        elements.any(|element| element.is_ok_and(|element| with_value(&element, &mut *check)))
    }
}

fn with_value<R>(object: &Bound<'_, PyAny>, then: impl FnOnce(Value<'_>) -> R) -> R {
    if let Ok(text) = object.cast::<PyString>() {
        return then(text.to_str().map_or(Value::Other, Value::Text));
    }
    if object.is_none() {
        return then(Value::Missing);
    }
    if let Ok(truth) = object.cast::<PyBool>() {
        return then(Value::Bool(truth.is_true()));
    }
    if let Ok(number) = object.cast::<PyInt>() {
        return match number.extract::<i64>() {
            Ok(number) => then(Value::Int(number)),
            Err(_) => then(decimal(number).as_deref().map_or(Value::Other, Value::Big)),
        };
    }
    if let Ok(number) = object.cast::<PyFloat>() {
        return then(Value::Float(number.value()));
    }
    let listed = object.is_instance_of::<PyList>()
        || object.is_instance_of::<PyTuple>()
        || object.is_instance_of::<PySet>()
        || object.is_instance_of::<PyFrozenSet>();
    if listed { then(Value::Sequence(&Elements(object))) } else { then(Value::Other) }
}

/// The text that is hashed for a unit: a text itself, a whole number in decimal; None for every other type.
fn unit_text<'a>(unit: &'a Bound<'_, PyAny>) -> Option<Cow<'a, str>> {
    if let Some(text) = text(unit) {
        return Some(Cow::Borrowed(text));
    }
    let number = unit.cast::<PyInt>().ok().filter(|_| !unit.is_instance_of::<PyBool>())?;
    decimal(number).map(Cow::Owned)
}

/// The digits of a whole number, whatever a subclass calls itself; None beyond Python's limit on digits.
fn decimal(number: &Bound<'_, PyInt>) -> Option<String> {
    if let Ok(number) = number.extract::<i64>() {
        return Some(number.to_string());
    }
    number.py().get_type::<PyInt>().call_method1("__repr__", (number,)).and_then(|digits| digits.extract()).ok()
}

/// A text's characters; None for other types and for lone surrogates.
fn text<'a>(object: &'a Bound<'_, PyAny>) -> Option<&'a str> {
    object.cast::<PyString>().ok()?.to_str().ok()
}

/// An entry of a mapping. Only real mappings are asked; one that raises has no such entry.
fn item<'py>(container: &Bound<'py, PyAny>, key: &Py<PyString>) -> Option<Bound<'py, PyAny>> {
    let key = key.bind(container.py());
    match container.cast::<PyDict>() {
        Ok(dict) => dict.get_item(key).ok().flatten(),
        Err(_) => container.cast::<PyMapping>().ok()?.get_item(key).ok(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
fn low_half(pair: u64) -> u32 {
    pair as u32
}

fn json(view: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(view).map_err(|error| PyValueError::new_err(error.to_string()))
}
