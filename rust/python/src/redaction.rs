//! Where in a text a secret could begin.

use fast_litellm_core::redaction::{self, Refusal};
use pyo3::import_exception;
use pyo3::prelude::*;
use pyo3::types::PyString;

import_exception!(fast_litellm.errors, Declined);

/// Finds every place where LiteLLM's expression for secrets could match.
///
/// Args:
///     text: An exact `str`.
///
/// Returns:
///     Places in code points, ascending; the expression matches nowhere else.
///
/// Raises:
///     Declined: "surrogates", or "`case_folding`": a letter outside of ASCII that is taken for one inside.
#[pyfunction]
#[pyo3(signature = (text, /))]
fn secret_starts(text: &Bound<'_, PyString>) -> PyResult<Vec<usize>> {
    let text = text.to_str().map_err(|_| Declined::new_err("surrogates"))?;
    redaction::starts(text).map_err(|refusal| {
        Declined::new_err(match refusal {
            Refusal::CaseFolding => "case_folding",
            Refusal::NoSearch => "no_search",
        })
    })
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(secret_starts, module)?)
}
