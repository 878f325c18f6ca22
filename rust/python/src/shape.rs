//! The walk over a call's arguments that finds its shape. It runs no code of theirs and never fails.

use fast_litellm_core::shape::{ChatFacts, ControlOutcome, Kind, PlainFacts, Profile, TextClass};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple,
};

/// So many values of a call are looked at; what comes later changes no shape.
const LOOKED_AT: usize = 4_096;
/// Containers deeper than this are not entered.
const MAX_DEPTH: usize = 8;

/// Finds the shapes of one function's calls.
///
/// Args:
///     profile: "chat" | "plain".
///     parameters: The names of the function's positional parameters.
///     nested: The parameter whose dict holds the parameters of a request, if there is one.
///
/// Raises:
///     `ValueError`: There is no such profile.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Shaper {
    profile: Profile,
    parameters: Vec<String>,
    nested: Option<String>,
}

#[pymethods]
impl Shaper {
    #[new]
    #[pyo3(signature = (profile, parameters=Vec::new(), nested=None))]
    fn new(profile: &str, parameters: Vec<String>, nested: Option<String>) -> PyResult<Self> {
        Ok(Self { profile: named(profile)?, parameters, nested })
    }

    /// The shape of a call; what the control did is not known yet.
    ///
    /// Args:
    ///     args: Positional arguments.
    ///     kwargs: Keyword arguments.
    #[pyo3(signature = (args, kwargs=None, /))]
    fn shape(&self, args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> u64 {
        self.of(args, kwargs)
    }
}

impl Shaper {
    /// The table of its dimensions.
    pub(crate) fn profile(&self) -> Profile {
        self.profile
    }

    /// The shape of a call.
    pub(crate) fn of(&self, args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> u64 {
        match self.profile {
            Profile::Chat => self.chat(args, kwargs),
            Profile::Plain => plain(args, kwargs),
        }
    }

    fn chat(&self, args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> u64 {
        let mut walk = ChatWalk { facts: ChatFacts::default(), left: LOOKED_AT };
        for (name, value) in self.parameters.iter().zip(args) {
            self.parameter(&mut walk, name, &value);
        }
        for (name, value) in kwargs.into_iter().flatten() {
            if let Some(name) = name.cast_exact::<PyString>().ok().and_then(|name| name.to_str().ok()) {
                self.parameter(&mut walk, name, &value);
            }
        }
        walk.facts.shape()
    }

    fn parameter(&self, walk: &mut ChatWalk, name: &str, value: &Bound<'_, PyAny>) {
        match value.cast_exact::<PyDict>() {
            Ok(request) if self.nested.as_deref() == Some(name) => {
                for (name, value) in request {
                    if let Some(name) = name.cast_exact::<PyString>().ok().and_then(|name| name.to_str().ok()) {
                        walk.parameter(name, &value);
                    }
                }
            }
            _ => walk.parameter(name, value),
        }
    }
}

struct ChatWalk {
    facts: ChatFacts,
    left: usize,
}

impl ChatWalk {
    fn parameter(&mut self, name: &str, value: &Bound<'_, PyAny>) {
        match name {
            "model" => {
                if let Ok(Ok(model)) = value.cast_exact::<PyString>().map(|model| model.to_str()) {
                    self.facts.model(model);
                }
            }
            "messages" if !value.is_none() => self.messages(value),
            "tools" => self.facts.tools(value.cast_exact::<PyList>().map_or(0, PyListMethods::len)),
            _ if kind(value) == Kind::None || kind(value) == Kind::Other => {}
            _ => {
                self.facts.option(name);
                if name == "text" {
                    self.texts(value, 0);
                }
            }
        }
    }

    fn messages(&mut self, messages: &Bound<'_, PyAny>) {
        let Ok(messages) = messages.cast_exact::<PyList>() else {
            return self.facts.content("other");
        };
        for message in messages.iter().take(self.left) {
            self.facts.message();
            match message.cast_exact::<PyDict>() {
                Ok(message) => self.message(message),
                Err(_) => self.facts.role("other"),
            }
        }
    }

    fn message(&mut self, message: &Bound<'_, PyDict>) {
        for (key, value) in message {
            let Some(key) = key.cast_exact::<PyString>().ok().and_then(|key| key.to_str().ok()) else {
                self.facts.key("other");
                continue;
            };
            match key {
                "role" => match value.cast_exact::<PyString>().map(|role| role.to_str()) {
                    Ok(Ok(role)) => self.facts.role(role),
                    _ => self.facts.role("other"),
                },
                "content" => self.content(&value),
                other => {
                    self.facts.key(other);
                    self.texts(&value, 1);
                }
            }
        }
    }

    fn content(&mut self, content: &Bound<'_, PyAny>) {
        match kind(content) {
            Kind::Str => self.facts.content("text"),
            Kind::None => self.facts.content("none"),
            Kind::List => return self.parts(content),
            _ => self.facts.content("other"),
        }
        self.texts(content, 1);
    }

    fn parts(&mut self, parts: &Bound<'_, PyAny>) {
        self.facts.content("list");
        for part in parts.cast_exact::<PyList>().into_iter().flatten().take(self.left) {
            let named = part.cast_exact::<PyDict>().ok().and_then(|part| part.get_item("type").ok().flatten());
            match named.as_ref().and_then(|it| it.cast_exact::<PyString>().ok()).map(|it| it.to_str()) {
                Some(Ok(named)) => self.facts.content(named),
                _ => self.facts.content("other"),
            }
            self.texts(&part, 1);
        }
    }

    /// Every text inside a value.
    fn texts(&mut self, value: &Bound<'_, PyAny>, depth: usize) {
        if self.left == 0 || depth > MAX_DEPTH {
            return;
        }
        self.left -= 1;
        if let Ok(text) = value.cast_exact::<PyString>() {
            let (class, length) = told(text);
            self.facts.text(class, length);
        } else if let Ok(list) = value.cast_exact::<PyList>() {
            list.iter().take(self.left).for_each(|item| self.texts(&item, depth + 1));
        } else if let Ok(dict) = value.cast_exact::<PyDict>() {
            dict.iter().take(self.left).for_each(|(_, item)| self.texts(&item, depth + 1));
        }
    }
}

fn plain(args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> u64 {
    let mut walk = PlainWalk { facts: PlainFacts::default(), left: LOOKED_AT };
    let named = kwargs.into_iter().flatten().map(|(_, value)| value);
    for value in args.iter().chain(named) {
        walk.facts.argument();
        walk.value(&value, 0);
    }
    walk.facts.shape()
}

struct PlainWalk {
    facts: PlainFacts,
    left: usize,
}

impl PlainWalk {
    fn value(&mut self, value: &Bound<'_, PyAny>, depth: usize) {
        if self.left == 0 || depth > MAX_DEPTH {
            return;
        }
        self.left -= 1;
        if let Ok(text) = value.cast_exact::<PyString>() {
            let (class, length) = told(text);
            self.facts.value(Kind::Str, depth, length);
            self.facts.text(class);
            return;
        }
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            self.facts.value(Kind::Dict, depth, dict.len());
            for (key, value) in dict {
                self.value(&key, depth + 1);
                self.value(&value, depth + 1);
            }
        } else if let Ok(list) = value.cast_exact::<PyList>() {
            self.facts.value(Kind::List, depth, list.len());
            self.items(list.iter(), depth);
        } else {
            self.rarer(value, depth);
        }
    }

    fn rarer(&mut self, value: &Bound<'_, PyAny>, depth: usize) {
        let kind = kind(value);
        let is_sized = !matches!(kind, Kind::None | Kind::Bool | Kind::Int | Kind::Float | Kind::Other);
        self.facts.value(kind, depth, if is_sized { value.len().unwrap_or(0) } else { 0 });
        if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            self.items(tuple.iter(), depth);
        }
    }

    fn items<'py>(&mut self, items: impl Iterator<Item = Bound<'py, PyAny>>, depth: usize) {
        items.take(self.left).for_each(|item| self.value(&item, depth + 1));
    }
}

/// A text's class and its length. Half a pair of surrogates is all that keeps a text from being read.
fn told(text: &Bound<'_, PyString>) -> (TextClass, usize) {
    match text.to_str() {
        Ok(read) => {
            let (class, is_whole) = (TextClass::of(read), read.len() <= TextClass::LOOKED_AT);
            let is_counted = is_whole && class == TextClass::Ascii; // one byte a character
            (class, if is_counted { read.len() } else { text.len().unwrap_or(0) })
        }
        Err(_) => (TextClass::Surrogate, text.len().unwrap_or(0)),
    }
}

fn kind(value: &Bound<'_, PyAny>) -> Kind {
    if value.is_exact_instance_of::<PyString>() {
        Kind::Str
    } else if value.is_none() {
        Kind::None
    } else if value.is_exact_instance_of::<PyBool>() {
        Kind::Bool
    } else if value.is_exact_instance_of::<PyInt>() {
        Kind::Int
    } else if value.is_exact_instance_of::<PyFloat>() {
        Kind::Float
    } else {
        container_kind(value)
    }
}

fn container_kind(value: &Bound<'_, PyAny>) -> Kind {
    if value.is_exact_instance_of::<PyList>() {
        Kind::List
    } else if value.is_exact_instance_of::<PyDict>() {
        Kind::Dict
    } else if value.is_exact_instance_of::<PyTuple>() {
        Kind::Tuple
    } else if value.is_exact_instance_of::<PyBytes>() || value.is_exact_instance_of::<PyByteArray>() {
        Kind::Bytes
    } else if value.is_exact_instance_of::<PySet>() || value.is_exact_instance_of::<PyFrozenSet>() {
        Kind::Set
    } else {
        Kind::Other
    }
}

/// The value of each dimension of a shape; empty for a number that is none.
///
/// Raises:
///     `ValueError`: There is no such profile.
#[pyfunction]
#[pyo3(signature = (profile, shape))]
fn shape_values<'py>(py: Python<'py>, profile: &str, shape: u64) -> PyResult<Bound<'py, PyDict>> {
    let values = PyDict::new(py);
    for (name, word) in named(profile)?.values(shape) {
        values.set_item(name, word)?;
    }
    Ok(values)
}

/// Every cell that a shape lies in, such as `unicode=rtl` and `tools=some&unicode=rtl`.
///
/// Raises:
///     `ValueError`: There is no such profile.
#[pyfunction]
#[pyo3(signature = (profile, shape))]
fn shape_cells(profile: &str, shape: u64) -> PyResult<Vec<String>> {
    Ok(named(profile)?.cells(shape))
}

/// The same shape with what the control did: returned, or raised.
///
/// Raises:
///     `ValueError`: There is no such profile.
#[pyfunction]
#[pyo3(signature = (profile, shape, *, raised))]
fn shape_with_outcome(profile: &str, shape: u64, raised: bool) -> PyResult<u64> {
    let outcome = if raised { ControlOutcome::Exception } else { ControlOutcome::Value };
    Ok(named(profile)?.with_outcome(shape, outcome))
}

fn named(profile: &str) -> PyResult<Profile> {
    Profile::named(profile).ok_or_else(|| PyValueError::new_err("profile must be 'chat' or 'plain'"))
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Shaper>()?;
    module.add_function(wrap_pyfunction!(shape_values, module)?)?;
    module.add_function(wrap_pyfunction!(shape_cells, module)?)?;
    module.add_function(wrap_pyfunction!(shape_with_outcome, module)?)
}
