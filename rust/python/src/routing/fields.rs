//! The fields of a deployment, a dict of dicts.

use pyo3::import_exception;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyList, PyString};

import_exception!(fast_litellm.errors, Declined);

/// Beyond it a float does not hold every whole number.
const EXACT: i64 = 1 << 53;

/// One deployment of a list.
pub(super) struct Deployment<'py> {
    pub(super) whole: Bound<'py, PyDict>,
    pub(super) params: Option<Bound<'py, PyDict>>,
    pub(super) info: Option<Bound<'py, PyDict>>,
}

/// Which of several fields holds a limit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Chain {
    /// The first that is neither missing nor zero.
    Truthy,
    /// The first that is not missing.
    Given,
}

impl<'py> Deployment<'py> {
    pub(super) fn read(value: &Bound<'py, PyAny>) -> PyResult<Self> {
        let whole = dict(value)?;
        let py = value.py();
        let params = optional_dict(&whole, pyo3::intern!(py, "litellm_params"))?;
        let info = optional_dict(&whole, pyo3::intern!(py, "model_info"))?;
        Ok(Self { whole, params, info })
    }

    /// Its id, which the router always sets.
    pub(super) fn id(&self) -> PyResult<Bound<'py, PyString>> {
        let id = given(self.info.as_ref(), pyo3::intern!(self.whole.py(), "id"))?;
        id.ok_or_else(|| Declined::new_err("opaque_id")).and_then(|id| self::id(&id))
    }

    pub(super) fn param(&self, name: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
        given(self.params.as_ref(), name)
    }

    /// A limit, looked for in the deployment, its parameters and its description; infinite when there is none.
    pub(super) fn limit(&self, name: &Bound<'py, PyString>, chain: Chain) -> PyResult<f64> {
        for holder in [Some(&self.whole), self.params.as_ref(), self.info.as_ref()] {
            let Some(value) = given(holder, name)? else { continue };
            let limit = number(&value)?;
            if chain == Chain::Given || limit != 0.0 {
                return Ok(limit);
            }
        }
        Ok(f64::INFINITY)
    }
}

/// Every deployment of a list.
pub(super) fn deployments<'py>(list: &Bound<'py, PyList>) -> PyResult<Vec<Deployment<'py>>> {
    list.iter().map(|deployment| Deployment::read(&deployment)).collect()
}

/// The ids of deployments, in their order.
pub(super) fn ids<'py>(deployments: &[Deployment<'py>]) -> PyResult<Vec<Bound<'py, PyString>>> {
    deployments.iter().map(Deployment::id).collect()
}

/// The text of an id.
pub(super) fn text<'a>(id: &'a Bound<'_, PyString>) -> PyResult<&'a str> {
    id.to_str().map_err(|_| Declined::new_err("surrogates"))
}

/// An exact dict.
pub(super) fn dict<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    value.cast_exact::<PyDict>().cloned().map_err(|_| Declined::new_err("opaque_value"))
}

/// An exact text, of which equality is known.
pub(super) fn id<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    value.cast_exact::<PyString>().cloned().map_err(|_| Declined::new_err("opaque_id"))
}

/// What stands under a key and is not None.
pub(super) fn given<'py>(
    holder: Option<&Bound<'py, PyDict>>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(holder) = holder else { return Ok(None) };
    Ok(holder.get_item(name)?.filter(|value| !value.is_none()))
}

/// The dict under a key, if there is the key.
pub(super) fn optional_dict<'py>(
    holder: &Bound<'py, PyDict>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    holder.get_item(name)?.map(|value| dict(&value)).transpose()
}

/// A plain number that a float holds exactly.
pub(super) fn number(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    let read = if let Ok(float) = value.cast_exact::<PyFloat>() { Some(float.value()) } else { whole_number(value) };
    read.filter(|number| number.is_finite()).ok_or_else(|| Declined::new_err("opaque_number"))
}

#[expect(clippy::cast_precision_loss, reason = "it is held exactly")]
fn whole_number(value: &Bound<'_, PyAny>) -> Option<f64> {
    let int: i64 = value.cast_exact::<PyInt>().ok()?.extract().ok()?;
    (-EXACT..=EXACT).contains(&int).then_some(int as f64)
}

/// A number under a key; zero when there is no such key.
pub(super) fn count(holder: Option<&Bound<'_, PyDict>>, name: &Bound<'_, PyString>) -> PyResult<f64> {
    let Some(holder) = holder else { return Ok(0.0) };
    holder.get_item(name)?.map_or(Ok(0.0), |value| number(&value))
}
