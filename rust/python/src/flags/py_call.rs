//! A call as Python hands it over: its unit and its attributes, read without ever raising.

use std::borrow::Cow;

use fast_litellm_core::flags::moment;
use fast_litellm_core::flags::{Call, Path, Sequence, Standing, Value};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDate, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping, PySet, PyString, PyTuple};

use crate::page::{Places, now};

/// A call seen through Python objects. What raises while it is read counts as absent.
pub(super) struct PyCall<'a, 'py> {
    pub(super) keys: &'a [Keys],
    pub(super) places: &'a Places,
    pub(super) unit: Option<&'a str>,
    pub(super) attributes: Option<&'a Bound<'py, PyAny>>,
}

/// The keys under which an attribute is looked up, made once.
pub(super) struct Keys {
    whole: Py<PyString>,
    parts: Box<[Py<PyString>]>,
}

impl Keys {
    pub(super) fn new(py: Python<'_>, path: &Path) -> Self {
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

impl Call for PyCall<'_, '_> {
    fn unit(&self) -> Option<&str> {
        self.unit
    }

    fn now(&self) -> i64 {
        now()
    }

    #[inline]
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
    match object.cast::<PyString>() {
        Ok(text) => then(text.to_str().map_or(Value::Other, Value::Text)),
        Err(_) => with_other_value(object, then),
    }
}

// Apart, so that the way of a text stays short.
#[inline(never)]
fn with_other_value<R>(object: &Bound<'_, PyAny>, then: impl FnOnce(Value<'_>) -> R) -> R {
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
    if listed {
        return then(Value::Sequence(&Elements(object)));
    }
    then(time(object).map_or(Value::Other, Value::Time))
}

/// A day, which begins at midnight UTC, or a moment with a zone, in Unix milliseconds; one without a zone is neither.
fn time(object: &Bound<'_, PyAny>) -> Option<i64> {
    let written = object.cast::<PyDate>().ok()?.call_method0("isoformat").ok()?;
    moment::parse(text(&written)?)
}

/// The text that is hashed for a unit: a text itself, a whole number in decimal; None for every other type.
#[inline(always)]
pub(super) fn unit_text<'a>(unit: &'a Bound<'_, PyAny>) -> Option<Cow<'a, str>> {
    text(unit).map_or_else(|| number_text(unit), |text| Some(Cow::Borrowed(text)))
}

// Apart, so that the way of a text stays short.
#[inline(never)]
fn number_text<'a>(unit: &Bound<'_, PyAny>) -> Option<Cow<'a, str>> {
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
pub(super) fn text<'a>(object: &'a Bound<'_, PyAny>) -> Option<&'a str> {
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
