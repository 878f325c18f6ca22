//! Deployments by what they are used for at the moment.

use std::collections::HashMap;

use fast_litellm_core::routing::{self, Limits, RequestLimit, Standing, Usage};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use super::fields::{self, Chain, Declined, Deployment};
use super::standings::Standings;

/// Keys of a cache, and the values found under them.
type Counts<'py> = (Bound<'py, PyList>, Bound<'py, PyList>);

/// Reads how deployments stand by the tokens they have used in this minute.
///
/// Args:
///     deployments: The list to select from.
///     tokens: The keys of their counts, which begin with an id and a colon, and the counts.
///     requests: The same of requests.
///
/// Raises:
///     Declined: Something is not plain, or the control would raise.
#[pyfunction]
#[pyo3(signature = (deployments, tokens, requests, /))]
#[expect(clippy::needless_pass_by_value, reason = "they are extracted from tuples")]
pub(super) fn usage_standings<'py>(
    deployments: &Bound<'py, PyList>,
    tokens: Counts<'py>,
    requests: Counts<'py>,
) -> PyResult<Standings> {
    let deployments = fields::deployments(deployments)?;
    let ids = fields::ids(&deployments)?;
    let keys = [keys(&tokens)?, keys(&requests)?];
    let mut slots = Slots::default();
    for (key, value) in keys[0].iter().zip(tokens.1.iter()) {
        slots.of(id_of(key)?).tokens = count(&value)?;
    }
    for (place, id) in ids.iter().enumerate() {
        slots.of(plain_text(id)?).place = Some(place);
    }
    for (key, value) in keys[1].iter().zip(requests.1.iter()) {
        slots.of(id_of(key)?).requests = count(&value)?;
    }
    let standings = slots.all.iter().map(|slot| slot.standing(&deployments)).collect::<PyResult<_>>()?;
    Ok(Standings {
        core: routing::Standings::new(standings, RequestLimit::Reached),
        missing: Vec::new(),
        bases: Vec::new(),
    })
}

/// What is known of one id.
#[derive(Default)]
struct Slot {
    /// The last deployment that has it.
    place: Option<usize>,
    tokens: Option<f64>,
    requests: Option<f64>,
}

impl Slot {
    fn standing(&self, deployments: &[Deployment<'_>]) -> PyResult<Option<Standing>> {
        let Some(place) = self.place else { return Ok(None) };
        let usage = Usage { tokens: self.tokens.unwrap_or(0.0), requests: self.requests };
        standing(&deployments[place], place, usage).map(Some)
    }
}

/// A slot for each id, in the order in which the ids came first.
#[derive(Default)]
struct Slots<'a> {
    at: HashMap<&'a str, usize>,
    all: Vec<Slot>,
}

impl<'a> Slots<'a> {
    fn of(&mut self, id: &'a str) -> &mut Slot {
        let at = *self.at.entry(id).or_insert(self.all.len());
        if at == self.all.len() {
            self.all.push(Slot::default());
        }
        &mut self.all[at]
    }
}

fn keys<'py>((keys, values): &Counts<'py>) -> PyResult<Vec<Bound<'py, PyString>>> {
    if values.len() < keys.len() {
        return Err(Declined::new_err("control_raises"));
    }
    keys.iter().map(|key| fields::id(&key)).collect()
}

fn id_of<'a>(key: &'a Bound<'_, PyString>) -> PyResult<&'a str> {
    Ok(fields::text(key)?.split(':').next().unwrap_or_default())
}

fn count(value: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    if value.is_none() { Ok(None) } else { fields::number(value).map(Some) }
}

/// A key is cut at its first colon, and so is an id that has one.
fn plain_text<'a>(id: &'a Bound<'_, PyString>) -> PyResult<&'a str> {
    let text = fields::text(id)?;
    if text.contains(':') { Err(Declined::new_err("colon_in_id")) } else { Ok(text) }
}

fn standing(deployment: &Deployment<'_>, place: usize, usage: Usage) -> PyResult<Standing> {
    let py = deployment.whole.py();
    let limits = Limits {
        tokens: deployment.limit(pyo3::intern!(py, "tpm"), Chain::Given)?,
        requests: deployment.limit(pyo3::intern!(py, "rpm"), Chain::Given)?,
    };
    Ok(Standing { place, value: usage.tokens, usage, limits })
}

/// The place of the smallest count, the first of several.
///
/// Args:
///     counts: Whole numbers, one for each deployment.
///
/// Raises:
///     Declined: Something is not plain, or there is nothing to select from.
#[pyfunction]
#[pyo3(signature = (counts, /))]
pub(super) fn least_busy(counts: &Bound<'_, PyTuple>) -> PyResult<usize> {
    let counts: Vec<i64> = counts.extract().map_err(|_| Declined::new_err("opaque_number"))?;
    routing::least(&counts).ok_or_else(|| Declined::new_err("no_deployments"))
}

/// A key for the count of each deployment.
///
/// Args:
///     deployments: The list to select from.
///     prefix: What stands before each id.
///
/// Raises:
///     Declined: Something is not plain.
#[pyfunction]
#[pyo3(signature = (deployments, prefix, /))]
pub(super) fn deployment_ids<'py>(
    deployments: &Bound<'py, PyList>,
    prefix: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyTuple>> {
    let ids = deployments.iter().map(|deployment| Deployment::read(&deployment)?.id());
    let keys = ids.map(|id| prefix.add(id?)).collect::<PyResult<Vec<_>>>()?;
    PyTuple::new(prefix.py(), keys)
}
