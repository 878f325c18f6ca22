//! The border of flags: Python objects in, one decision out.
//!
//! # Layout
//!
//! - [`cell`]: the rules in force, asked by a flag's name.
//! - [`handle`]: one flag of them, asked often.
//! - [`latest`]: the pointer to the newest snapshot.
//! - [`compiled`]: a snapshot with what Python needs of it.
//! - [`py_call`]: a call as Python hands it over.
//! - [`vector_call`]: the short way from a call of a handle to its answer.
//! - [`words`]: decisions as Python sees them.

mod cell;
mod compiled;
mod handle;
mod latest;
mod py_call;
mod vector_call;
mod words;

use pyo3::prelude::*;

pub(crate) use handle::FlagHandle;

/// Adds the classes to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<cell::SnapshotCell>()?;
    vector_call::enable(&module.py().get_type::<FlagHandle>());
    module.add_class::<FlagHandle>()
}
