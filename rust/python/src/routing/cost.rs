//! Deployments by their price.

use std::cell::RefCell;
use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyType};

use super::fields::{self, Declined, Deployment};
use super::standings::{Kept, Standings};

/// What a token costs of which nobody knows the price.
const UNKNOWN: f64 = 5.0;

/// What a model costs, input and output, as far as the price list says.
type Rates = (Option<f64>, Option<f64>);

/// LiteLLM's price list, as one selection reads it.
struct Prices<'a, 'py> {
    list: &'a Bound<'py, PyDict>,
    /// A class of dicts that its rows may have.
    named: &'a Bound<'py, PyType>,
    /// By model; None where the list has no price of a token.
    read: RefCell<HashMap<String, Option<Rates>>>,
}

/// Reads how deployments stand by the price of a token of input and one of output.
///
/// Args:
///     deployments: The list to select from.
///     usage: What is kept of each, by id.
///     minute: The key of this minute in it.
///     prices: LiteLLM's price list.
///     named: A class that rows of it may have, besides being plain dicts.
///
/// Raises:
///     Declined: Something is not plain, or the control would raise.
#[pyfunction]
#[pyo3(signature = (deployments, usage, minute, prices, named, /))]
pub(super) fn cost_standings<'py>(
    deployments: &Bound<'py, PyList>,
    usage: &Bound<'py, PyDict>,
    minute: &Bound<'py, PyString>,
    prices: &Bound<'py, PyDict>,
    named: &Bound<'py, PyType>,
) -> PyResult<Standings> {
    let prices = Prices { list: prices, named, read: RefCell::default() };
    let deployments = fields::deployments(deployments)?;
    Kept { deployments: &deployments, usage, minute }.read(|deployment, _| prices.cost(deployment))
}

impl<'py> Prices<'_, 'py> {
    fn cost(&self, deployment: &Deployment<'py>) -> PyResult<f64> {
        let py = deployment.whole.py();
        let (input, output) = self.listed(deployment)?;
        let input = own(deployment, pyo3::intern!(py, "input_cost_per_token"))?.or(input);
        let output = own(deployment, pyo3::intern!(py, "output_cost_per_token"))?.or(output);
        Ok(input.unwrap_or(UNKNOWN) + output.unwrap_or(UNKNOWN))
    }

    /// The price of the first of a deployment's models of which the list has one.
    fn listed(&self, deployment: &Deployment<'py>) -> PyResult<Rates> {
        for part in
            [Some(&deployment.whole), deployment.params.as_ref(), deployment.info.as_ref()].into_iter().flatten()
        {
            check_keys(part)?;
        }
        let base = pyo3::intern!(deployment.whole.py(), "base_model");
        let base_model = match model(deployment.info.as_ref(), base)? {
            None => model(deployment.params.as_ref(), base)?,
            found => found,
        };
        let own_model = model(deployment.params.as_ref(), pyo3::intern!(deployment.whole.py(), "model"))?;
        for name in [base_model, own_model].into_iter().flatten() {
            if let Some(rates) = self.rates(&name)? {
                return Ok(rates);
            }
        }
        Ok((None, None))
    }

    fn rates(&self, name: &Bound<'py, PyString>) -> PyResult<Option<Rates>> {
        let text = fields::text(name)?;
        if let Some(known) = self.read.borrow().get(text) {
            return Ok(*known);
        }
        let rates = self.row(name)?;
        self.read.borrow_mut().insert(text.to_owned(), rates);
        Ok(rates)
    }

    fn row(&self, name: &Bound<'py, PyString>) -> PyResult<Option<Rates>> {
        let Some(row) = fields::given(Some(self.list), name)? else { return Ok(None) };
        let row = if row.get_type().is(self.named) { row.cast_into::<PyDict>()? } else { fields::dict(&row)? };
        check_keys(&row)?;
        let py = row.py();
        let input = fields::given(Some(&row), pyo3::intern!(py, "input_cost_per_token"))?;
        let output = fields::given(Some(&row), pyo3::intern!(py, "output_cost_per_token"))?;
        if input.is_none() && output.is_none() {
            return Ok(None);
        }
        Ok(Some((rate(input)?, rate(output)?)))
    }
}

/// LiteLLM takes a dict with other keys for an empty one, and converts some.
fn check_keys(dict: &Bound<'_, PyDict>) -> PyResult<()> {
    let are_texts = dict.iter().all(|(key, _)| key.is_exact_instance_of::<PyString>());
    are_texts.then_some(()).ok_or_else(|| Declined::new_err("opaque_value"))
}

/// A model's name under a key, if it is one.
fn model<'py>(
    holder: Option<&Bound<'py, PyDict>>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyString>>> {
    let Some(found) = fields::given(holder, name)? else { return Ok(None) };
    let found = fields::id(&found)?;
    Ok(Some(found).filter(|found| found.len().is_ok_and(|length| length > 0)))
}

/// A price that the deployment itself names; zero is none.
fn own<'py>(deployment: &Deployment<'py>, name: &Bound<'py, PyString>) -> PyResult<Option<f64>> {
    let own = deployment.param(name)?.map(|value| fields::number(&value)).transpose()?;
    Ok(own.filter(|price| *price != 0.0))
}

/// A price of the list; what is no number is none.
fn rate(value: Option<Bound<'_, PyAny>>) -> PyResult<Option<f64>> {
    let Some(value) = value else { return Ok(None) };
    let is_number = value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>();
    if !is_number || value.is_exact_instance_of::<PyBool>() {
        return Ok(None);
    }
    fields::number(&value).map(Some)
}
