//! A stream's chunk of plain text, taken apart; and whether who handles it is as it was.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFrozenSet, PyInt, PyList, PySet, PyString, PyType};

/// A chunk's frame, and what varies.
type Apart<'py> = (Bound<'py, PyList>, Bound<'py, PyList>);

/// Takes a chunk of plain text apart.
///
/// Args:
///     chunk: Of the OpenAI SDK; it is not changed.
///     classes: Of a chunk, of its choices and of what is new in these.
///     first: What the frame begins with: whatever else the answer hangs on.
///
/// Returns:
///     `[first, names of extras, fields, names that were set in the chunk, in its choice and in what is new]` and `[text, values of
///     extras]`; or None when there is more to it than one choice with text, or anything in it is of an unusual class.
#[pyfunction]
#[pyo3(signature = (chunk, classes, first, /))]
fn plain_text<'py>(
    chunk: &Bound<'py, PyAny>,
    classes: [Bound<'py, PyType>; 3],
    first: Bound<'py, PyAny>,
) -> PyResult<Option<Apart<'py>>> {
    let py = chunk.py();
    let [whole, one, part] = classes;
    let Some(outer) = fields_of(chunk, &whole)? else { return Ok(None) };
    let Some(choice) = only_choice(&outer)? else { return Ok(None) };
    let Some(middle) = fields_of(&choice, &one)? else { return Ok(None) };
    let Some(delta) = taken(&middle, intern!(py, "delta"))? else { return Ok(None) };
    let Some(inner) = fields_of(&delta, &part)? else { return Ok(None) };
    let Some(text) = taken(&inner, intern!(py, "content"))? else { return Ok(None) };
    let (names, varying) = (PyList::empty(py), PyList::new(py, [text])?);
    if has_extras(&choice)? || has_extras(&delta)? || !take_extras(chunk, &names, &varying)? {
        return Ok(None);
    }
    let Some(fields) = scalars([outer, middle, inner])? else { return Ok(None) };
    let frame = PyList::new(py, [first, names.into_any(), fields.into_any()])?;
    for object in [chunk, &choice, &delta] {
        let Some(names) = names_set(object)? else { return Ok(None) };
        frame.append(names)?;
    }
    Ok(is_text(&varying)?.then_some((frame, varying)))
}

/// A copy of an object's fields, if it is exactly of this class: an allocation can run a finalizer that changes the original.
fn fields_of<'py>(object: &Bound<'py, PyAny>, class: &Bound<'py, PyType>) -> PyResult<Option<Bound<'py, PyDict>>> {
    if !object.get_type().is(class) {
        return Ok(None);
    }
    let fields = object.getattr(intern!(object.py(), "__dict__"))?;
    fields.cast_exact::<PyDict>().ok().map(PyDictMethods::copy).transpose()
}

fn only_choice<'py>(outer: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(choices) = taken(outer, intern!(outer.py(), "choices"))? else { return Ok(None) };
    match choices.cast_exact::<PyList>() {
        Ok(choices) if choices.len() == 1 => choices.get_item(0).map(Some),
        _ => Ok(None),
    }
}

fn taken<'py>(fields: &Bound<'py, PyDict>, name: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let value = fields.get_item(name)?;
    if value.is_some() {
        fields.del_item(name)?;
    }
    Ok(value)
}

fn extras<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    object.getattr(intern!(object.py(), "__pydantic_extra__"))
}

fn has_extras(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    extras(object)?.is_truthy()
}

/// Adds a chunk's extras to these; false when it has something else in their place.
fn take_extras(chunk: &Bound<'_, PyAny>, names: &Bound<'_, PyList>, values: &Bound<'_, PyList>) -> PyResult<bool> {
    let extras = extras(chunk)?;
    let Ok(extras) = extras.cast_exact::<PyDict>() else { return Ok(false) };
    for (name, value) in &extras.copy()? {
        names.append(name)?;
        values.append(value)?;
    }
    Ok(true)
}

/// All fields with their names, if each is a text, a whole number or nothing.
fn scalars(dicts: [Bound<'_, PyDict>; 3]) -> PyResult<Option<Bound<'_, PyList>>> {
    let fields = PyList::empty(dicts[0].py());
    for dict in dicts {
        for (name, value) in dict {
            let is_scalar =
                value.is_none() || value.is_exact_instance_of::<PyString>() || value.is_exact_instance_of::<PyInt>();
            if !is_scalar {
                return Ok(None);
            }
            fields.append((name, value))?;
        }
    }
    Ok(Some(fields))
}

/// The names of the fields that were set, as they are now.
fn names_set<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let names = object.getattr(intern!(object.py(), "__pydantic_fields_set__"))?;
    let names = names.cast_exact::<PySet>().ok();
    names.map(|names| object.py().get_type::<PyFrozenSet>().call1((names,))).transpose()
}

/// Whether all that varies is text, and the first is not empty.
fn is_text(varying: &Bound<'_, PyList>) -> PyResult<bool> {
    let are_texts = varying.iter().all(|value| value.is_exact_instance_of::<PyString>());
    Ok(are_texts && varying.get_item(0)?.is_truthy()?)
}

/// Whether an object's attributes are what they were.
///
/// Args:
///     attributes: As they are now.
///     state: As they were.
///     varying: The names that do not matter.
#[pyfunction]
#[pyo3(signature = (attributes, state, varying, /))]
fn is_in_state(
    attributes: &Bound<'_, PyDict>,
    state: &Bound<'_, PyDict>,
    varying: &Bound<'_, PyFrozenSet>,
) -> PyResult<bool> {
    let mut found = 0;
    for (name, value) in &attributes.copy()? {
        if varying.contains(&name)? {
            continue;
        }
        match state.get_item(&name)? {
            Some(known) if known.is(&value) || known.eq(&value)? => found += 1,
            _ => return Ok(false),
        }
    }
    Ok(found == state.len())
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(plain_text, module)?)?;
    module.add_function(wrap_pyfunction!(is_in_state, module)?)
}
