//! `fast_litellm._native`: the Python border.
//!
//! # Layout
//!
//! One file per concept, each with a `register` function that adds its classes and functions:
//! signatures, conversions and errors live here, every algorithm lives in `fast-litellm-core`.
#![deny(unsafe_code)]

mod batch;
mod dispatch;
mod dispatch_entry;
mod distinct;
mod encoding;
mod flags;
mod freeze;
mod gate;
mod guard;
mod memory;
mod messages;
mod page;
mod proven;
mod redaction;
mod ring;
mod routing;
mod rules;
mod shape;
mod tally;
mod transform;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("DEBUG_BUILD", cfg!(debug_assertions))?;
    batch::register(module)?;
    dispatch::register(module)?;
    distinct::register(module)?;
    encoding::register(module)?;
    flags::register(module)?;
    freeze::register(module)?;
    gate::register(module)?;
    messages::register(module)?;
    page::register(module)?;
    redaction::register(module)?;
    ring::register(module)?;
    routing::register(module)?;
    rules::register(module)?;
    shape::register(module)?;
    tally::register(module)?;
    transform::register(module)
}
