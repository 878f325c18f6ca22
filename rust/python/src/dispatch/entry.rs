//! Calls of a dispatcher without a tuple of arguments: `CPython`'s vectorcall protocol, as for handles of flags.
//!
//! A call that goes to the control and is not compared is passed on as it came. Every other call takes the way of
//! `__call__`, with a tuple and a dict. What it gains: `docs/decisions/0014-the-callers-path.md`.
#![allow(unsafe_code)] // the record above

use std::ffi::c_ulong;
use std::mem::offset_of;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};
use pyo3::{Borrowed, ffi};

use super::Dispatcher;
use super::way::{Decided, ShortWay};

/// What `CPython` calls instead of `__call__`; every dispatcher carries it.
pub(super) const ENTRY: ffi::vectorcallfunc = call;

/// Tells `CPython` where a dispatcher carries its entry, and that it is a method's function: `instance.method(...)` then is a call
/// with the instance first, without an object for the bound method. Without it, calls take the longer way through `__call__`.
pub(super) fn enable(class: &Bound<'_, PyType>) {
    let header = size_of::<ffi::PyObject>();
    let Ok(offset) = isize::try_from(header + offset_of!(Dispatcher, entry)) else { return };
    let whole = header + size_of::<Dispatcher>() + size_of::<*mut ffi::PyObject>();
    let class = class.as_type_ptr();
    // SAFETY: `class` is the live type object of `Dispatcher`, made by PyO3 a moment ago: this runs while the module is
    // initialised, so nobody else knows the type, no instance exists, and plain writes to it race with nothing. PyO3 lays an
    // instance out as C would: CPython's header, the `Dispatcher` and its list of weak references. When its
    // size is the sum of these there is room for nothing else, so the entry lies at `offset`. `Dispatcher`s are placed only in
    // instances of this class, which cannot be subclassed, and every one has its entry set by `Dispatcher::new`. The cast is
    // for builds without the interpreter's lock, where the field is an atomic integer of the same size. `__call__` stays as
    // the protocol's `tp_call` and means the same. `METHOD_DESCRIPTOR` promises that `type(d).__get__(d, instance, owner)(*args)`
    // is `d(instance, *args)`, which `types.MethodType`, all that `Dispatcher::__get__` returns, is made for.
    unsafe {
        if usize::try_from((*class).tp_basicsize) == Ok(whole) {
            (*class).tp_vectorcall_offset = offset;
            *ptr::from_mut(&mut (*class).tp_flags).cast::<c_ulong>() |=
                ffi::Py_TPFLAGS_HAVE_VECTORCALL | ffi::Py_TPFLAGS_METHOD_DESCRIPTOR;
        }
    }
}

/// `dispatcher(*args, **kwargs)`.
unsafe extern "C" fn call(
    callee: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count_and_flag: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: The protocol: the calling thread is attached; `callee` is an object whose type announces this entry, which
    // `Dispatcher` alone does; `arguments` holds the positional arguments and then one for each of `keywords`, a tuple of
    // texts or null; all of them outlive the call, and so does `callee` with the control it owns. They are passed on as they
    // came, with the flag that says what may be done with the word before them. Nothing unwinds into C.
    unsafe {
        let py = Python::assume_attached();
        let dispatcher = Borrowed::from_ptr(py, callee).cast_unchecked::<Dispatcher>();
        let dispatcher = dispatcher.get();
        let answer = catch_unwind(AssertUnwindSafe(|| match dispatcher.short_way(py) {
            ShortWay::Control(control) => ffi::PyObject_Vectorcall(control, arguments, count_and_flag, keywords),
            ShortWay::Long(decided) => go_on(dispatcher, decided, arguments, count_and_flag, keywords),
        }));
        answer.unwrap_or_else(|_| raise(py, PanicException::new_err("a decision panicked")))
    }
}

/// The way of `__call__`, of a call that is decided. Apart, so that the short way stays short.
///
/// # Safety
///
/// As of [`call`], which hands over what it was given.
#[inline(never)]
unsafe fn go_on(
    dispatcher: &Dispatcher,
    decided: Decided,
    arguments: *const *mut ffi::PyObject,
    count_and_flag: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: As in `call`, by whose word the pointers are what the protocol says. Nothing unwinds into C.
    unsafe {
        let mut decided = Some(decided);
        let mut go_on = |py: Python<'_>| {
            let positional = ffi::PyVectorcall_NARGS(count_and_flag).cast_unsigned();
            let argument = |index: usize| Borrowed::from_ptr(py, *arguments.add(index)).to_owned();
            let args = PyTuple::new(py, (0..positional).map(argument))?;
            let names = (!keywords.is_null()).then(|| Borrowed::from_ptr(py, keywords).cast_unchecked::<PyTuple>());
            let kwargs = names.map(|names| named(&names, positional, argument)).transpose()?;
            let decided = decided.take().ok_or_else(|| PanicException::new_err("a call goes on once"))?;
            dispatcher.go_on(py, &decided, (&args, kwargs.as_ref())).map(Bound::into_ptr)
        };
        // PyO3 is told that the thread is attached, so that what is let go of on the long way, the decision among it, is let go of
        // at once. While the interpreter is ending nobody can tell it; then that waits.
        let py = Python::assume_attached();
        let answer = catch_unwind(AssertUnwindSafe(|| Python::try_attach(&mut go_on).unwrap_or_else(|| go_on(py))));
        let answer = answer.unwrap_or_else(|_| Err(PanicException::new_err("a dispatcher panicked")));
        answer.unwrap_or_else(|error| raise(py, error))
    }
}

fn raise(py: Python<'_>, error: PyErr) -> *mut ffi::PyObject {
    error.restore(py);
    ptr::null_mut()
}

fn named<'py>(
    names: &Bound<'py, PyTuple>,
    positional: usize,
    argument: impl Fn(usize) -> Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let kwargs = PyDict::new(names.py());
    for (index, name) in names.iter().enumerate() {
        kwargs.set_item(name.cast_into::<PyString>()?, argument(positional + index))?;
    }
    Ok(kwargs)
}
