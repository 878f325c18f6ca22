//! The border of rule files: text or Python objects in, checked rules or every problem out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use fast_litellm_core::flags::document::Plan;
use fast_litellm_core::flags::{CompileError, Document, Implementation, Process, Snapshot};
use fast_litellm_core::rules::findings::{self, Findings, Problem, Trail};
use fast_litellm_core::rules::node::{DEPTH_LIMIT, Entry, Node, Place, Value};
use fast_litellm_core::rules::table::MODES;
use fast_litellm_core::rules::{self, percent, plan, schema};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDate, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple};
use serde_json::json;

use crate::memory;

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Rules>()?;
    module.add_function(wrap_pyfunction!(read_rule_text, module)?)?;
    module.add_function(wrap_pyfunction!(read_rule_objects, module)?)?;
    module.add_function(wrap_pyfunction!(parse_percentage, module)?)?;
    module.add_function(wrap_pyfunction!(nearest, module)?)?;
    module.add_function(wrap_pyfunction!(json_schema, module)?)
}

/// Rules in which nothing is wrong.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Rules {
    revision: String,
    notes: BTreeMap<Box<str>, rules::Notes>,
    unused_segments: Vec<(String, u32)>,
    source: Source,
}

/// Where a document to compile comes from. A document is several times as large as its text, and is needed a second time
/// only when a block or a rejected file changes what the process adds to the rules.
enum Source {
    /// The text, and what was read from it until that is compiled for the first time.
    Text(Box<[u8]>, Mutex<Option<rules::Rules>>),
    Document(Box<Document>),
}

impl Rules {
    fn of_text(data: &[u8], rules: rules::Rules) -> Self {
        let revision = rules.document.revision.clone();
        // Copied into this thread's memory, so that the reader's can be given back whole.
        let (notes, unused_segments) = (rules.notes.clone(), rules.unused_segments.clone());
        Self { revision, notes, unused_segments, source: Source::Text(data.into(), Mutex::new(Some(rules))) }
    }

    fn of_objects(rules: rules::Rules) -> Self {
        let revision = rules.document.revision.clone();
        let source = Source::Document(Box::new(rules.document));
        Self { revision, notes: rules.notes, unused_segments: rules.unused_segments, source }
    }

    /// Compiles the rules with what the process adds to them.
    pub(crate) fn compile(&self, process: &Process) -> Result<Snapshot, CompileError> {
        match &self.source {
            Source::Document(document) => Snapshot::compile(document, process),
            Source::Text(data, fresh) => {
                let fresh = fresh.lock().unwrap_or_else(PoisonError::into_inner).take();
                let read = fresh.map_or_else(|| apart(data), Ok);
                let snapshot = read.map_or_else(
                    |_| Snapshot::compile(&Document::default(), process),
                    |rules| Snapshot::compile(&rules.document, process),
                );
                memory::give_back(data.len());
                snapshot
            }
        }
    }
}

const PER_PERCENT: f64 = 10_000.0;

/// Line, column, message, hint.
type Told = (u32, u32, String, String);

/// Owner, expiry, percent of calls to compare, percent of a core.
type Notes<'a> = (Option<&'a str>, Option<&'a str>, f64, f64);

/// A step of a plan as written, its millionths, and how long it lasts at least in milliseconds.
type PlanStep = (String, u32, Option<u64>);

#[pymethods]
impl Rules {
    #[getter]
    fn revision(&self) -> &str {
        &self.revision
    }

    /// The flags that are declared, in the order of their names.
    fn names(&self) -> Vec<&str> {
        self.notes.keys().map(AsRef::as_ref).collect()
    }

    /// The segments that nothing names, and their lines.
    fn unused_segments(&self) -> Vec<(String, u32)> {
        self.unused_segments.clone()
    }

    /// What only people and the shadow runner need of a flag; the defaults when it is not declared.
    fn notes(&self, flag: &str) -> Notes<'_> {
        let notes = self.notes.get(flag).unwrap_or(&rules::Notes::DEFAULT);
        let shadow = [notes.shadow.percent, notes.shadow.budget].map(|share| f64::from(share) / PER_PERCENT);
        (notes.owner.as_deref(), notes.expires.as_deref(), shadow[0], shadow[1])
    }

    /// How a flag's calls are compared: mode, deadline in milliseconds, memory in bytes; the defaults when undeclared.
    fn comparing(&self, flag: &str) -> (&'static str, u64, u64) {
        let shadow = self.notes.get(flag).unwrap_or(&rules::Notes::DEFAULT).shadow;
        (MODES[shadow.mode], shadow.deadline_ms, shadow.memory)
    }

    /// The implementation of a flag that is compared and promoted.
    fn candidate(&self, flag: &str) -> &str {
        let candidate = self.notes.get(flag).and_then(|notes| notes.candidate.as_deref());
        candidate.unwrap_or(Implementation::Rust.name())
    }

    /// What is written of a flag's gate, as JSON: fractions, and seconds.
    fn gate(&self, flag: &str) -> String {
        let gate = self.notes.get(flag).and_then(|notes| notes.gate.as_deref());
        gate.map_or_else(|| "{}".to_owned(), |gate| json!(gate).to_string())
    }

    /// Whether the gate takes a flag's next step, and the steps: as written, millionths, milliseconds or None.
    fn plan(&self, flag: &str) -> (bool, Vec<PlanStep>) {
        let default = Plan::default();
        let plan = self.notes.get(flag).and_then(|notes| notes.plan.as_deref()).unwrap_or(&default);
        let steps = plan.steps.iter().map(|step| (plan::written(step.share), step.share, step.bake_ms));
        (plan.is_automatic, steps.collect())
    }
}

/// Reads the text of a rule file: rules and no problems, or no rules and every problem.
#[pyfunction]
fn read_rule_text(py: Python<'_>, data: &Bound<'_, PyBytes>) -> (Option<Rules>, Vec<Told>) {
    let data = data.as_bytes();
    py.detach(|| outcome(apart(data).map(|rules| Rules::of_text(data, rules))))
}

/// Reads a rule file in a thread of its own: glibc gives each thread memory of its own, so that nothing which stays lies amid
/// the document, whose memory can then be given back whole.
fn apart(data: &[u8]) -> Result<rules::Rules, Vec<Problem>> {
    let read = thread::scope(|scope| scope.spawn(|| rules::from_text(data)).join());
    read.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Reads rules from plain objects, by the same standard as a file.
#[pyfunction]
fn read_rule_objects(rules: &Bound<'_, PyAny>) -> PyResult<(Option<Rules>, Vec<Told>)> {
    let mut converter = Converter { findings: Findings::default(), left: NODE_LIMIT };
    let root = converter.node(rules, &Trail::ROOT, 0)?;
    Ok(outcome(rules::from_tree(&root, converter.findings).map(Rules::of_objects)))
}

/// Reads a percentage as it was written: millionths and an empty hint, or None and a hint.
#[pyfunction]
fn parse_percentage(text: &str) -> (Option<u32>, String) {
    match percent::parsed(text) {
        Ok(millionths) => (Some(millionths), String::new()),
        Err(refusal) => (None, refusal.hint(text)),
    }
}

/// A hint that names the allowed word most like this one; empty when none is.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "extracted from Python objects")]
fn nearest(word: &str, allowed: Vec<String>) -> String {
    findings::nearest(word, allowed.iter().map(String::as_str))
}

/// The JSON schema of rule files, as text.
#[pyfunction]
fn json_schema() -> String {
    format!("{:#}", schema::schema())
}

fn outcome(read: Result<Rules, Vec<Problem>>) -> (Option<Rules>, Vec<Told>) {
    let told = |problem: Problem| (problem.place.line, problem.place.column, problem.message, problem.hint);
    match read {
        Ok(rules) => (Some(rules), Vec::new()),
        Err(problems) => (None, problems.into_iter().map(told).collect()),
    }
}

// Lists that contain each other many times grow without end; a rule file of 4 MiB stays below.
const NODE_LIMIT: isize = 500_000;

/// Turns plain Python objects into nodes; what rules cannot contain is noted and read as nothing.
struct Converter {
    findings: Findings,
    left: isize,
}

impl Converter {
    fn node(&mut self, object: &Bound<'_, PyAny>, trail: &Trail<'_>, depth: usize) -> PyResult<Node<'static>> {
        self.left -= 1;
        if depth > DEPTH_LIMIT || self.left < 0 {
            if self.left >= -1 {
                // once too large, once said
                let message = format!("expected at most {DEPTH_LIMIT} levels and {NODE_LIMIT} values, got more");
                self.refuse(trail, message);
            }
            return Ok(scalar(Value::Null, ""));
        }
        if let Ok(list) = object.cast::<PyList>() {
            return self.list(list.iter(), trail, depth);
        }
        if let Ok(tuple) = object.cast::<PyTuple>() {
            return self.list(tuple.iter(), trail, depth);
        }
        match object.cast::<PyMapping>() {
            Ok(mapping) => self.mapping(mapping, trail, depth),
            Err(_) => self.scalar(object, trail),
        }
    }

    fn list<'py>(
        &mut self,
        items: impl Iterator<Item = Bound<'py, PyAny>>,
        trail: &Trail<'_>,
        depth: usize,
    ) -> PyResult<Node<'static>> {
        let nodes = items.enumerate().map(|(index, item)| self.node(&item, &trail.item(index), depth + 1));
        Ok(Node::new(Value::List(nodes.collect::<PyResult<_>>()?), Place::default()))
    }

    fn mapping(&mut self, mapping: &Bound<'_, PyMapping>, trail: &Trail<'_>, depth: usize) -> PyResult<Node<'static>> {
        let mut entries = Vec::new();
        for pair in mapping.items()?.iter() {
            let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
            match key.cast::<PyString>().ok().and_then(|key| key.to_str().ok()) {
                Some(name) => {
                    let value = self.node(&value, &trail.key(name), depth + 1)?;
                    entries.push(Entry { key: scalar(Value::Text, name), value });
                }
                None => self.refuse(trail, format!("expected a name as key, got {}", described(&key)?)),
            }
        }
        Ok(Node::new(Value::Map(entries), Place::default()))
    }

    fn scalar(&mut self, object: &Bound<'_, PyAny>, trail: &Trail<'_>) -> PyResult<Node<'static>> {
        if object.is_none() {
            return Ok(scalar(Value::Null, ""));
        }
        if let Ok(text) = object.cast::<PyString>() {
            if text.to_str().is_err() {
                self.refuse(trail, "expected Unicode text, got a lone surrogate".to_owned());
            }
            return Ok(scalar(Value::Text, &text.to_string_lossy()));
        }
        if let Ok(truth) = object.cast::<PyBool>() {
            return Ok(scalar(Value::Bool(truth.is_true()), if truth.is_true() { "true" } else { "false" }));
        }
        if let Ok(number) = object.cast::<PyInt>() {
            return Ok(whole_number(number));
        }
        if let Ok(number) = object.cast::<PyFloat>() {
            return Ok(scalar(Value::Float(number.value()), &fraction(number.value())));
        }
        if object.is_instance_of::<PyDate>() {
            return Ok(scalar(Value::Text, object.call_method0("isoformat")?.extract::<Cow<'_, str>>()?.as_ref()));
        }
        let message = format!("expected a plain value, got {}", described(object)?);
        self.refuse(trail, message);
        Ok(scalar(Value::Null, ""))
    }

    fn refuse(&mut self, trail: &Trail<'_>, message: String) {
        self.findings.add_at(trail, Place::default(), message, "");
    }
}

fn scalar(value: Value<'static>, text: &str) -> Node<'static> {
    Node { value, text: Cow::Owned(text.to_owned()), place: Place::default() }
}

fn whole_number(number: &Bound<'_, PyInt>) -> Node<'static> {
    match number.extract::<i64>() {
        Ok(number) => scalar(Value::Int(number), &number.to_string()),
        Err(_) => scalar(Value::Big, "a number beyond 64 bits"),
    }
}

/// A fraction as people write it: never with an exponent, always with a point.
fn fraction(number: f64) -> String {
    let digits = number.to_string();
    if number.is_finite() && !digits.contains('.') { format!("{digits}.0") } else { digits }
}

fn described(object: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(format!("an object of the type {}", object.get_type().name()?))
}
