//! Instances of a named tuple, made as `tuple.__new__` makes them, without calling anything written in Python.
//!
//! What it gains, and what was rejected: `docs/decisions/0009-short-ways-into-and-out-of-a-decision.md`.
#![allow(unsafe_code)] // the record above

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

/// A subclass of `tuple` whose instances have `N` items.
pub(super) struct NamedTuple<const N: usize>(Py<PyType>);

impl<const N: usize> NamedTuple<N> {
    pub(super) fn new(class: Bound<'_, PyType>) -> PyResult<Self> {
        if class.is_subclass_of::<PyTuple>()? {
            return Ok(Self(class.unbind()));
        }
        Err(PyTypeError::new_err(format!("expected a subclass of tuple, got {class}")))
    }

    /// An instance with these items, which the class's own `__new__` does not see.
    pub(super) fn make<'py>(&self, py: Python<'py>, items: [Bound<'py, PyAny>; N]) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: The class is a live subclass of `tuple`, so the allocator every subclass of it inherits gives room for
        // the `N` items asked for, all of them null, which is what a tuple under construction holds when the collector
        // looks at it. Nobody else has a reference. Each item's place is written once and takes over the reference. From
        // CPython 3.14 on, a tuple remembers its hash; -1 is "not yet known", as `tuple.__new__` leaves it.
        unsafe {
            let tuple = ffi::PyType_GenericAlloc(self.0.as_ptr().cast(), N.cast_signed());
            let made = Bound::from_owned_ptr_or_err(py, tuple)?;
            #[cfg(Py_3_14)]
            {
                (*tuple.cast::<ffi::PyTupleObject>()).ob_hash = -1;
            }
            for (place, item) in (0..).zip(items) {
                ffi::PyTuple_SET_ITEM(tuple, place, item.into_ptr());
            }
            Ok(made)
        }
    }
}
