//! Whether two plain values are the same beyond doubt.

use pyo3::PyTypeInfo;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple,
};

/// As deep as `freeze` copies. A cycle ends here, too.
const MAX_DEPTH: usize = 200;

/// Whether two values are identical to every comparator that walks through them.
///
/// Types are identical, items and keys are in the same order, a float has the same bits, keys and members are strings. It spares
/// the walk in Python where nothing differs. No code of a value's own is run.
///
/// Args:
///     control: Any value.
///     candidate: Any value.
///
/// Returns:
///     True when they are; False when they are not, and where that is left to the walk: beyond 200 levels, for other keys and
///     members, and for two objects of a type that is not plain.
#[pyfunction]
#[pyo3(signature = (control, candidate, /))]
fn identical(control: &Bound<'_, PyAny>, candidate: &Bound<'_, PyAny>) -> PyResult<bool> {
    are_identical(control, candidate, 0)
}

fn are_identical(control: &Bound<'_, PyAny>, candidate: &Bound<'_, PyAny>, depth: usize) -> PyResult<bool> {
    if !control.get_type().is(candidate.get_type()) {
        return Ok(false);
    }
    if let Some((ours, theirs)) = both::<PyFloat>(control, candidate) {
        return Ok(ours.value().to_bits() == theirs.value().to_bits());
    }
    if is_other_scalar(control) {
        return control.eq(candidate);
    }
    containers(control, candidate, depth)
}

fn containers(control: &Bound<'_, PyAny>, candidate: &Bound<'_, PyAny>, depth: usize) -> PyResult<bool> {
    if depth == MAX_DEPTH {
        return Ok(false);
    }
    if let Some((ours, theirs)) = both::<PyDict>(control, candidate) {
        return dicts(ours, theirs, depth);
    }
    if let Some((ours, theirs)) = both::<PyList>(control, candidate) {
        return Ok(ours.len() == theirs.len() && items(ours.iter().zip(theirs), depth)?);
    }
    if let Some((ours, theirs)) = both::<PyTuple>(control, candidate) {
        return Ok(ours.len() == theirs.len() && items(ours.iter().zip(theirs), depth)?);
    }
    if control.is_exact_instance_of::<PySet>() || control.is_exact_instance_of::<PyFrozenSet>() {
        return members(control, candidate);
    }
    Ok(control.is(candidate))
}

fn dicts(ours: &Bound<'_, PyDict>, theirs: &Bound<'_, PyDict>, depth: usize) -> PyResult<bool> {
    if ours.len() != theirs.len() {
        return Ok(false);
    }
    for ((key, value), (other_key, other)) in ours.iter().zip(theirs) {
        let is_same = is_text(&key) && is_text(&other_key) && key.eq(other_key)?;
        if !is_same || !are_identical(&value, &other, depth + 1)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn items<'py>(pairs: impl Iterator<Item = (Bound<'py, PyAny>, Bound<'py, PyAny>)>, depth: usize) -> PyResult<bool> {
    for (one, other) in pairs {
        if !are_identical(&one, &other, depth + 1)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Sets have no order. Of strings alone, one that is in both is the same string.
fn members(ours: &Bound<'_, PyAny>, theirs: &Bound<'_, PyAny>) -> PyResult<bool> {
    if ours.len()? != theirs.len()? {
        return Ok(false);
    }
    for member in theirs.try_iter()? {
        if !is_text(&member?) {
            return Ok(false);
        }
    }
    for member in ours.try_iter()? {
        let member = member?;
        if !is_text(&member) || !theirs.contains(member)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn both<'a, 'py, T: PyTypeInfo>(
    one: &'a Bound<'py, PyAny>,
    other: &'a Bound<'py, PyAny>,
) -> Option<(&'a Bound<'py, T>, &'a Bound<'py, T>)> {
    one.cast_exact::<T>().ok().zip(other.cast_exact::<T>().ok())
}

fn is_text(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyString>()
}

fn is_other_scalar(value: &Bound<'_, PyAny>) -> bool {
    is_text(value)
        || value.is_none()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyBytes>()
        || value.is_exact_instance_of::<PyByteArray>()
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(identical, module)?)
}
