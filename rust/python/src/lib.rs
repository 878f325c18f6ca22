//! `fast_litellm._native`: the Python border.
//!
//! # Layout
//!
//! One file per concept, each with a `register` function that adds its classes and functions:
//! signatures, conversions and errors live here, every algorithm lives in `fast-litellm-core`.
#![deny(unsafe_code)]

mod attributes;
mod batch;
mod chunk;
mod construct;
mod dispatch;
mod distinct;
mod encoding;
mod flags;
mod freeze;
mod gate;
mod guard;
mod holders;
mod identical;
mod identity;
mod interruption;
mod job;
mod listener;
mod memory;
mod messages;
mod model;
mod observer;
mod page;
mod pool;
mod proven;
mod recipe;
mod redaction;
mod ring;
mod room;
mod routing;
mod rules;
mod shape;
mod tally;
mod token_call;
mod transform;
mod window_cache;
mod windows;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("DEBUG_BUILD", cfg!(debug_assertions))?;
    module.add("WALK_DEPTH", fast_litellm_core::messages::walk::MAX_DEPTH)?;
    attributes::register(module)?;
    batch::register(module)?;
    chunk::register(module)?;
    construct::register(module)?;
    dispatch::register(module)?;
    distinct::register(module)?;
    encoding::register(module)?;
    flags::register(module)?;
    freeze::register(module)?;
    gate::register(module)?;
    holders::register(module)?;
    identical::register(module)?;
    identity::register(module)?;
    job::register(module)?;
    listener::register(module)?;
    messages::register(module)?;
    observer::register(module)?;
    page::register(module)?;
    pool::register(module)?;
    recipe::register(module)?;
    redaction::register(module)?;
    ring::register(module)?;
    room::register(module)?;
    routing::register(module)?;
    rules::register(module)?;
    shape::register(module)?;
    tally::register(module)?;
    token_call::register(module)?;
    transform::register(module)?;
    windows::register(module)
}
