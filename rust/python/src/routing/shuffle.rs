//! Deployments by the weights they are given.

use fast_litellm_core::routing;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use super::fields::{self, Declined, Deployment};

/// The weights with which one of the deployments is drawn.
///
/// Args:
///     deployments: The list to select from.
///
/// Returns:
///     Running sums of the first of weight, requests and tokens a minute that any of them is given, as shares of the
///     largest; None when nothing is given, and all are alike.
///
/// Raises:
///     Declined: Something is not plain, or the control would raise.
#[pyfunction]
#[pyo3(signature = (deployments, /))]
pub(super) fn shuffle_weights(deployments: &Bound<'_, PyList>) -> PyResult<Option<Vec<f64>>> {
    let py = deployments.py();
    let deployments = fields::deployments(deployments)?;
    for metric in [pyo3::intern!(py, "weight"), pyo3::intern!(py, "rpm"), pyo3::intern!(py, "tpm")] {
        let weights = deployments.iter().map(|deployment| weight(deployment, metric)).collect::<PyResult<Vec<_>>>()?;
        if let Some(sums) = routing::cumulative(&weights) {
            return Ok(Some(sums));
        }
    }
    Ok(None)
}

fn weight<'py>(deployment: &Deployment<'py>, metric: &Bound<'py, PyString>) -> PyResult<f64> {
    let weight = deployment.param(metric)?.map_or(Ok(0.0), |value| fields::number(&value))?;
    if weight < 0.0 { Err(Declined::new_err("negative_weight")) } else { Ok(weight) }
}
