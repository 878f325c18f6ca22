//! `fast_litellm._native`: the Python border.
//!
//! # Layout
//!
//! One file per concept, each with a `register` function that adds its classes and functions:
//! signatures, conversions and errors live here, every algorithm lives in `fast-litellm-core`.
#![deny(unsafe_code)]

mod dispatch;
mod encoding;
mod flags;
mod freeze;
mod guard;
mod memory;
mod messages;
mod page;
mod redaction;
mod rules;
mod tally;
mod transform;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("DEBUG_BUILD", cfg!(debug_assertions))?;
    dispatch::register(module)?;
    encoding::register(module)?;
    flags::register(module)?;
    freeze::register(module)?;
    messages::register(module)?;
    page::register(module)?;
    redaction::register(module)?;
    rules::register(module)?;
    tally::register(module)?;
    transform::register(module)
}
