//! Exceptions that are the program's, whatever they come out of: `fast_litellm/interruptions.py` says which.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// Whether a signal's handler has raised it, or another thread has set it.
pub(crate) fn is_from_elsewhere(py: Python<'_>, error: &PyErr) -> PyResult<bool> {
    static ASKED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let asked = ASKED.import(py, "fast_litellm.interruptions", "is_from_elsewhere")?;
    asked.call1((error.value(py), error.traceback(py)))?.extract()
}
