//! What counts prove about rates.

use fast_litellm_core::gate::limit::{Counts, Limit, upper_bound};
use fast_litellm_core::gate::sign;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A rate in (0, 1) that counts are held against; `ValueError` for another one. Counts are how many were bad, of all.
///
/// Evidence is the logarithm of an e-value: at any time at all, it reaches `-log(alpha)` against a hypothesis that is
/// true with a probability of at most `alpha`.
#[pyclass(frozen, module = "fast_litellm._native")]
struct RateLimit {
    core: Limit,
}

#[pymethods]
impl RateLimit {
    #[new]
    fn new(rate: f64) -> PyResult<Self> {
        Ok(Self { core: Limit::new(between(rate, "rate")?) })
    }

    #[getter]
    fn rate(&self) -> f64 {
        self.core.rate()
    }

    /// Evidence against a rate at or above the limit.
    fn below(&self, bad: u64, total: u64) -> f64 {
        self.core.below(Counts { bad, all: total })
    }

    /// Evidence against a rate at or below the limit.
    fn above(&self, bad: u64, total: u64) -> f64 {
        self.core.above(Counts { bad, all: total })
    }

    /// How many further ones, none of them bad, prove the rate to lie below the limit.
    fn further(&self, alpha: f64, bad: u64, total: u64) -> PyResult<u64> {
        Ok(self.core.further(between(alpha, "alpha")?, Counts { bad, all: total }))
    }
}

/// What a rate exceeds with a probability of at most `alpha`, whenever it is asked for.
#[pyfunction]
fn rate_upper_bound(alpha: f64, bad: u64, total: u64) -> PyResult<f64> {
    Ok(upper_bound(between(alpha, "alpha")?, Counts { bad, all: total }))
}

/// Evidence against the first outcome being at most as frequent as the second.
#[pyfunction]
fn sign_excess(first: u64, second: u64) -> f64 {
    sign::excess(first, second)
}

/// The probability of the first outcome; the interval is wrong with a probability of at most `alpha`.
#[pyfunction]
fn sign_interval(alpha: f64, first: u64, second: u64) -> PyResult<(f64, f64)> {
    Ok(sign::interval(between(alpha, "alpha")?, first, second))
}

fn between(value: f64, name: &str) -> PyResult<f64> {
    if 0.0 < value && value < 1.0 {
        Ok(value)
    } else {
        Err(PyValueError::new_err(format!("{name} must be between 0 and 1, not {value}")))
    }
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<RateLimit>()?;
    module.add_function(wrap_pyfunction!(rate_upper_bound, module)?)?;
    module.add_function(wrap_pyfunction!(sign_excess, module)?)?;
    module.add_function(wrap_pyfunction!(sign_interval, module)?)
}
