//! What objects of pydantic's hold under a name, read from their parts: asked for what they lack, they look in five places and
//! make an exception of it, which takes microseconds.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple, PyType};

/// A text, and whether something else is there as well.
type Told<'py> = (Bound<'py, PyString>, bool);

/// Leaves out the chunks of a stream that have neither usage nor a reason to finish.
///
/// Args:
///     chunks: As LiteLLM keeps them; they are not changed.
///     classes: Of a chunk and of its choices, neither of which has attributes "usage", "choices" or "`finish_reason`" itself.
///
/// Returns:
///     The others in their order: the first, and every one of which this cannot be told.
#[pyfunction]
#[pyo3(signature = (chunks, classes, /))]
fn telling_chunks<'py>(
    chunks: &Bound<'py, PyList>,
    classes: (Bound<'py, PyType>, Bound<'py, PyType>),
) -> PyResult<Bound<'py, PyList>> {
    let telling = PyList::empty(chunks.py());
    for (index, chunk) in chunks.iter().enumerate() {
        if index == 0 || says_nothing(&chunk, &classes) != Some(true) {
            telling.append(chunk)?;
        }
    }
    Ok(telling)
}

/// `None` when it cannot be told.
fn says_nothing(chunk: &Bound<'_, PyAny>, (whole, one): &(Bound<'_, PyType>, Bound<'_, PyType>)) -> Option<bool> {
    let py = chunk.py();
    let (usage, reason) = (intern!(py, "usage"), intern!(py, "finish_reason"));
    let hidden = hidden_params(chunk)?.get_item(usage).ok()?;
    let choices = held(chunk, whole, intern!(py, "choices"))??;
    let goes_on = |choice: Bound<'_, PyAny>| held(&choice, one, reason).is_some_and(|reason| is_nothing(reason.as_ref()));
    Some(
        is_nothing(hidden.as_ref())
            && is_nothing(held(chunk, whole, usage)?.as_ref())
            && choices.cast_exact::<PyList>().ok()?.iter().all(goes_on),
    )
}

/// A private attribute, unless a field of that name stands before it.
fn hidden_params<'py>(chunk: &Bound<'py, PyAny>) -> Option<Bound<'py, PyDict>> {
    let name = intern!(chunk.py(), "_hidden_params");
    if part(chunk, intern!(chunk.py(), "__dict__"))?.contains(name).ok()? {
        return None;
    }
    part(chunk, intern!(chunk.py(), "__pydantic_private__"))?.get_item(name).ok()??.cast_into_exact().ok()
}

/// Tells what is new in a stream's choice.
///
/// Args:
///     delta: Of LiteLLM.
///     class: What it has to be exactly. It has none of these names itself.
///     names: What else may be there.
///
/// Returns:
///     Its text, "" where that is none, and whether one of the names stands for something true; None when that cannot be told
///     without asking objects of unknown classes.
#[pyfunction]
#[pyo3(signature = (delta, class, names, /))]
fn told_by_delta<'py>(
    delta: &Bound<'py, PyAny>,
    class: &Bound<'py, PyType>,
    names: &Bound<'py, PyTuple>,
) -> Option<Told<'py>> {
    let text = held(delta, class, intern!(delta.py(), "content"))?;
    let text = match text.filter(|text| !text.is_none()) {
        Some(text) => text.cast_into_exact::<PyString>().ok()?,
        None => PyString::new(delta.py(), ""),
    };
    for name in names.iter() {
        let value = held(delta, class, name.cast_exact::<PyString>().ok()?)?;
        if value.map_or(Some(false), |value| truth(&value))? {
            return Some((text, true));
        }
    }
    Some((text, false))
}

/// The truth of a value that cannot answer for itself.
fn truth(value: &Bound<'_, PyAny>) -> Option<bool> {
    let is_plain = value.is_none()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyTuple>()
        || value.is_exact_instance_of::<PyDict>();
    is_plain.then(|| value.is_truthy().ok())?
}

fn is_nothing(value: Option<&Bound<'_, PyAny>>) -> bool {
    value.is_none_or(|value| value.is_none())
}

/// What an object of this very class holds under a name that the class has not: a field, or else an extra. The outer `None`
/// is for what is laid out in another way.
fn held<'py>(
    object: &Bound<'py, PyAny>,
    class: &Bound<'py, PyType>,
    name: &Bound<'py, PyString>,
) -> Option<Option<Bound<'py, PyAny>>> {
    if !object.get_type().is(class) {
        return None;
    }
    match part(object, intern!(object.py(), "__dict__"))?.get_item(name).ok()? {
        Some(value) => Some(Some(value)),
        None => part(object, intern!(object.py(), "__pydantic_extra__"))?.get_item(name).ok(),
    }
}

/// One of the dictionaries that make up an object.
fn part<'py>(object: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> Option<Bound<'py, PyDict>> {
    object.getattr(name).ok()?.cast_into_exact().ok()
}

/// Adds this file's functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(telling_chunks, module)?)?;
    module.add_function(wrap_pyfunction!(told_by_delta, module)?)
}
