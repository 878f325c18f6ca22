//! Objects of pydantic's classes, made of their parts.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// What an object consists of: its fields, private attributes, extras, and the names of the fields that were set.
pub(crate) type Parts<'py> = [Bound<'py, PyAny>; 4];

/// An object as `model_construct` leaves it. Its own `__new__` and `__setattr__` are passed by, as there.
pub(crate) fn instance<'py>(class: &Bound<'py, PyType>, parts: &Parts<'py>) -> PyResult<Bound<'py, PyAny>> {
    static NEW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static SET: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = class.py();
    let object = || py.import("builtins")?.getattr("object");
    let new = NEW.get_or_try_init(py, || object()?.getattr("__new__").map(Bound::unbind))?.bind(py);
    let put = SET.get_or_try_init(py, || object()?.getattr("__setattr__").map(Bound::unbind))?.bind(py);
    let names = [
        intern!(py, "__dict__"),
        intern!(py, "__pydantic_private__"),
        intern!(py, "__pydantic_extra__"),
        intern!(py, "__pydantic_fields_set__"),
    ];
    let made = new.call1((class,))?;
    for (name, part) in names.into_iter().zip(parts) {
        put.call1((&made, name, part))?;
    }
    Ok(made)
}
