//! Calls of a handle without a tuple of arguments: CPython's vectorcall protocol, which PyO3 does not offer for classes.
//!
//! The protocol is PEP 590, <https://docs.python.org/3/c-api/call.html#the-vectorcall-protocol>. What it gains, and what
//! was rejected: `docs/decisions/0009-a-handle-called-without-a-tuple.md`.
#![allow(unsafe_code)] // the record above

use std::ffi::c_ulong;
use std::mem::offset_of;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyo3::exceptions::PyTypeError;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::PyType;
use pyo3::{Borrowed, ffi};

use super::handle::FlagHandle;

/// What CPython calls instead of `__call__`; every handle carries it.
pub(super) const ENTRY: ffi::vectorcallfunc = call;

/// Tells CPython where a handle carries its entry. Without it, calls take the longer way through `__call__`.
pub(super) fn enable(class: &Bound<'_, PyType>) {
    let header = size_of::<ffi::PyObject>();
    let Ok(offset) = isize::try_from(header + offset_of!(FlagHandle, entry)) else { return };
    let class = class.as_type_ptr();
    // SAFETY: `class` is the live type object of `FlagHandle`, made by PyO3 a moment ago: this runs while the module is
    // initialised, so nobody else knows the type, no instance exists, and plain writes to it race with nothing. An
    // instance begins with CPython's header and contains a `FlagHandle`; when its size is the sum of the two there is
    // room for nothing else, so the entry lies at `offset`. PyO3 places `FlagHandle`s only in instances of this class,
    // which cannot be subclassed, and every one has its entry set by `FlagHandle::new`. The cast is for builds without
    // the interpreter's lock, where the field is an atomic integer of the same size. `__call__` stays as the protocol's
    // `tp_call` and means the same.
    unsafe {
        if usize::try_from((*class).tp_basicsize) == Ok(header + size_of::<FlagHandle>()) {
            (*class).tp_vectorcall_offset = offset;
            *ptr::from_mut(&mut (*class).tp_flags).cast::<c_ulong>() |= ffi::Py_TPFLAGS_HAVE_VECTORCALL;
        }
    }
}

/// `handle(unit=None, attributes=None, /)`.
unsafe extern "C" fn call(
    callee: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count_and_flag: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: The protocol: the calling thread is attached; `callee` is an object whose type announces this entry, which
    // `FlagHandle` alone does; `arguments` holds `count` objects, and both outlive the call. Nothing unwinds into C.
    unsafe {
        let py = Python::assume_attached();
        let count = ffi::PyVectorcall_NARGS(count_and_flag).cast_unsigned();
        let argument = |index| {
            let given = (index < count).then(|| Borrowed::from_ptr(py, *arguments.add(index)));
            given.filter(|object| !object.is_none())
        };
        let answer = || {
            if count > 2 || !keywords.is_null() {
                return Err(PyTypeError::new_err("expected at most a unit and attributes, neither by keyword"));
            }
            let handle = Borrowed::from_ptr(py, callee).cast_unchecked::<FlagHandle>();
            Ok(handle.get().serve(py, argument(0).as_deref(), argument(1).as_deref()).into_ptr())
        };
        let answer = catch_unwind(AssertUnwindSafe(answer));
        let answer = answer.unwrap_or_else(|_| Err(PanicException::new_err("a decision panicked")));
        answer.unwrap_or_else(|error| {
            error.restore(py);
            ptr::null_mut()
        })
    }
}
