//! Which namespaces hold an object: a program has some hundred thousand names, too many to look at in Python.

use std::cell::RefCell;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

type Holder<'py> = (Bound<'py, PyDict>, Bound<'py, PyAny>, Bound<'py, PyAny>);

/// Finds objects by identity; nothing of them is called, no `__eq__` and no `__hash__`.
///
/// Args:
///     namespaces: Where to look.
///     objects: What to look for, a few.
///
/// Returns:
///     For every place that holds one: the namespace, the name in it, and the object.
#[pyfunction]
#[pyo3(signature = (namespaces, objects, /))]
fn holders<'py>(namespaces: &Bound<'py, PyList>, objects: &Bound<'py, PyList>) -> PyResult<Vec<Holder<'py>>> {
    let sought: Vec<_> = objects.iter().collect();
    let found = RefCell::new(Vec::new());
    for namespace in namespaces {
        let namespace = namespace.cast_into::<PyDict>()?;
        // Locked, because without a global lock another thread may be importing.
        namespace.locked_for_each(|name, value| {
            if sought.iter().any(|object| object.is(&value)) {
                found.borrow_mut().push((namespace.clone(), name, value));
            }
            Ok(())
        })?;
    }
    Ok(found.into_inner())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(holders, module)?)
}
