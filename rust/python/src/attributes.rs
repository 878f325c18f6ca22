//! What objects of pydantic's hold under a name, read from their parts: asked for what they lack, they look in five places and
//! make an exception of it, which takes microseconds.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple, PyType};

/// Something is laid out in another way, or is of another class, so that only the control can tell.
struct Untold;

impl From<PyErr> for Untold {
    fn from(_error: PyErr) -> Self {
        Self
    }
}

/// Leaves out the chunks of a stream that have neither usage nor a reason to finish.
///
/// Args:
///     chunks: As LiteLLM keeps them; they are not changed.
///     whole: The class of a chunk, which has no attributes "usage" and "choices" itself.
///     one: The class of its choices, which has no attribute "`finish_reason`" itself.
///
/// Returns:
///     The others in their order: the first, and every one of which this cannot be told.
#[pyfunction]
#[pyo3(signature = (chunks, whole, one, /))]
fn telling_chunks<'py>(
    chunks: &Bound<'py, PyList>,
    whole: &Bound<'py, PyType>,
    one: &Bound<'py, PyType>,
) -> PyResult<Bound<'py, PyList>> {
    let telling = PyList::empty(chunks.py());
    for (index, chunk) in chunks.iter().enumerate() {
        if index == 0 || !says_nothing(&chunk, whole, one).unwrap_or(false) {
            telling.append(chunk)?;
        }
    }
    Ok(telling)
}

fn says_nothing(chunk: &Bound<'_, PyAny>, whole: &Bound<'_, PyType>, one: &Bound<'_, PyType>) -> Result<bool, Untold> {
    let py = chunk.py();
    let usage = intern!(py, "usage");
    let is_used = is_there(hidden_params(chunk)?.get_item(usage)?) || is_there(held(chunk, whole, usage)?);
    let choices = held(chunk, whole, intern!(py, "choices"))?.ok_or(Untold)?;
    for choice in choices.cast_exact::<PyList>().map_err(|_| Untold)? {
        if is_used || is_there(held(&choice, one, intern!(py, "finish_reason"))?) {
            return Ok(false);
        }
    }
    Ok(!is_used)
}

/// A private attribute, unless a field of that name stands before it.
fn hidden_params<'py>(chunk: &Bound<'py, PyAny>) -> Result<Bound<'py, PyDict>, Untold> {
    let name = intern!(chunk.py(), "_hidden_params");
    if part(chunk, intern!(chunk.py(), "__dict__"))?.contains(name)? {
        return Err(Untold);
    }
    let hidden = part(chunk, intern!(chunk.py(), "__pydantic_private__"))?.get_item(name)?.ok_or(Untold)?;
    hidden.cast_into_exact().map_err(|_| Untold)
}

/// Tells what is new in a stream's choice.
///
/// Args:
///     delta: Of LiteLLM.
///     `class_`: What it has to be exactly. It has none of these names itself.
///     names: What else may be there.
///
/// Returns:
///     Its text, "" where that is none, and whether one of the names stands for something true; None when that cannot be told
///     without asking objects of unknown classes.
#[pyfunction]
#[pyo3(signature = (delta, class_, names, /))]
fn told_by_delta<'py>(
    delta: &Bound<'py, PyAny>,
    class_: &Bound<'py, PyType>,
    names: &Bound<'py, PyTuple>,
) -> Option<(Bound<'py, PyString>, bool)> {
    let text = text_of(delta, class_).ok()?;
    let has_more = has_any(delta, class_, names).ok()?;
    Some((text, has_more))
}

fn text_of<'py>(delta: &Bound<'py, PyAny>, class: &Bound<'py, PyType>) -> Result<Bound<'py, PyString>, Untold> {
    if part(delta, intern!(delta.py(), "__dict__"))?.contains(intern!(delta.py(), "get"))? {
        return Err(Untold); // by which the control asks
    }
    match held(delta, class, intern!(delta.py(), "content"))?.filter(|text| !text.is_none()) {
        Some(text) => text.cast_into_exact().map_err(|_| Untold),
        None => Ok(PyString::new(delta.py(), "")),
    }
}

fn has_any(delta: &Bound<'_, PyAny>, class: &Bound<'_, PyType>, names: &Bound<'_, PyTuple>) -> Result<bool, Untold> {
    for name in names {
        let name = name.cast_exact::<PyString>().map_err(|_| Untold)?;
        if held(delta, class, name)?.map_or(Ok(false), |value| truth(&value))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The truth of a value that cannot answer for itself.
fn truth(value: &Bound<'_, PyAny>) -> Result<bool, Untold> {
    let is_plain = value.is_none()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyTuple>()
        || value.is_exact_instance_of::<PyDict>();
    if is_plain { Ok(value.is_truthy()?) } else { Err(Untold) }
}

fn is_there(value: Option<Bound<'_, PyAny>>) -> bool {
    value.is_some_and(|value| !value.is_none())
}

/// What an object of this very class holds under a name that the class has not: a field, or else an extra.
fn held<'py>(
    object: &Bound<'py, PyAny>,
    class: &Bound<'py, PyType>,
    name: &Bound<'py, PyString>,
) -> Result<Option<Bound<'py, PyAny>>, Untold> {
    if !object.get_type().is(class) {
        return Err(Untold);
    }
    match part(object, intern!(object.py(), "__dict__"))?.get_item(name)? {
        Some(value) => Ok(Some(value)),
        None => Ok(part(object, intern!(object.py(), "__pydantic_extra__"))?.get_item(name)?),
    }
}

/// One of the dictionaries that make up an object.
fn part<'py>(object: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> Result<Bound<'py, PyDict>, Untold> {
    object.getattr(name)?.cast_into_exact().map_err(|_| Untold)
}

/// Adds this file's functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(telling_chunks, module)?)?;
    module.add_function(wrap_pyfunction!(told_by_delta, module)?)
}
