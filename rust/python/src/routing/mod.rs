//! Deployments as LiteLLM's router keeps them, and what is selected from them.
//!
//! One file for each strategy; `fields` reads what they have in common, and declines whatever is not plain. Everything is
//! read before anything is changed, so that a call can be declined to the end.

mod cost;
mod draw;
mod fields;
mod ids;
mod latency;
mod shuffle;
mod standings;
mod usage;

use pyo3::prelude::*;

/// Adds this folder's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<standings::Standings>()?;
    module.add_function(wrap_pyfunction!(cost::cost_standings, module)?)?;
    module.add_function(wrap_pyfunction!(draw::permutation, module)?)?;
    module.add_function(wrap_pyfunction!(latency::latency_standings, module)?)?;
    module.add_function(wrap_pyfunction!(usage::usage_standings, module)?)?;
    module.add_function(wrap_pyfunction!(usage::least_busy, module)?)?;
    module.add_function(wrap_pyfunction!(usage::deployment_ids, module)?)?;
    module.add_function(wrap_pyfunction!(shuffle::shuffle_weights, module)?)
}
