//! How deployments stand, read from their usage.

use fast_litellm_core::routing::{self, Limits, RequestLimit, Standing, Usage};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::fields::{self, Chain, Deployment};
use super::ids::{ById, Id};

/// How the deployments of one request stand, in the order in which their usage is kept.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Standings {
    pub(super) core: routing::Standings,
    pub(super) missing: Vec<Py<PyString>>,
    pub(super) bases: Vec<Option<Py<PyAny>>>,
}

#[pymethods]
impl Standings {
    fn __len__(&self) -> usize {
        self.core.len()
    }

    /// The ids of deployments of which no usage is kept yet, in the order in which they are to be added.
    #[getter]
    fn missing(&self, py: Python<'_>) -> Vec<Py<PyString>> {
        self.missing.iter().map(|id| id.clone_ref(py)).collect()
    }

    /// Whether a request's tokens matter: some deployment has a limit of them.
    #[getter]
    fn are_limited(&self) -> bool {
        self.core.are_limited()
    }

    /// The places in the list of those with room for a request whose value is at most the lowest and a share of it more.
    ///
    /// Args:
    ///     order: A permutation of all places in the usage; equal ones keep it.
    ///     tokens: How many the request has.
    ///     share: How much more than the lowest.
    #[pyo3(signature = (order, tokens, share, /))]
    #[expect(clippy::needless_pass_by_value, reason = "it is extracted from a list")]
    fn within(&self, order: Vec<usize>, tokens: f64, share: f64) -> Vec<usize> {
        self.core.within(&order, tokens, share)
    }

    /// The places in the list of those with room for a request that have the lowest value.
    #[pyo3(signature = (tokens, /))]
    fn lowest(&self, tokens: f64) -> Vec<usize> {
        self.core.lowest(tokens)
    }

    /// Each deployment's value by the address of its provider, in an order of the usage.
    #[pyo3(signature = (order, /))]
    #[expect(clippy::needless_pass_by_value, reason = "it is extracted from a list")]
    fn by_address<'py>(&self, py: Python<'py>, order: Vec<usize>) -> PyResult<Bound<'py, PyDict>> {
        let values = PyDict::new(py);
        for standing in order.iter().filter_map(|id| self.core.get(*id)) {
            if let Some(Some(base)) = self.bases.get(standing.place) {
                values.set_item(base, standing.value)?;
            }
        }
        Ok(values)
    }
}

/// Where the usage of each deployment is found.
pub(super) struct Kept<'a, 'py> {
    pub(super) deployments: &'a [Deployment<'py>],
    /// By id.
    pub(super) usage: &'a Bound<'py, PyDict>,
    /// The key of this minute in it.
    pub(super) minute: &'a Bound<'py, PyString>,
}

/// What is kept of one deployment: nothing, when it has not been used.
pub(super) type Item<'a, 'py> = Option<&'a Bound<'py, PyDict>>;

impl<'py> Kept<'_, 'py> {
    /// Reads how all stand.
    pub(super) fn read(&self, value: impl Fn(&Deployment<'py>, Item<'_, 'py>) -> PyResult<f64>) -> PyResult<Standings> {
        let ids = fields::ids(self.deployments)?;
        let keys = ids.iter().map(Id::of).collect::<PyResult<Vec<_>>>()?;
        let places: ById<'_, usize> = routing::last_places(keys.iter().copied());
        let mut standings = self.used(&places, &value)?;
        let mut known = vec![false; ids.len()];
        standings.iter().flatten().for_each(|standing| known[standing.place] = true);
        let mut missing = Vec::new();
        for (id, key) in ids.iter().zip(&keys) {
            let Some(place) = places.get(key).copied().filter(|place| !known[*place]) else { continue };
            known[place] = true;
            standings.push(Some(self.standing(place, None, &value)?));
            missing.push(id.clone().unbind());
        }
        let bases = self.deployments.iter().map(base).collect::<PyResult<_>>()?;
        Ok(Standings { core: routing::Standings::new(standings, RequestLimit::Exceeded), missing, bases })
    }

    /// How those stand of which usage is kept; there may be ids without a deployment among them.
    fn used(
        &self,
        places: &ById<'_, usize>,
        value: &impl Fn(&Deployment<'py>, Item<'_, 'py>) -> PyResult<f64>,
    ) -> PyResult<Vec<Option<Standing>>> {
        let mut standings = Vec::with_capacity(self.usage.len());
        for (id, item) in self.usage {
            let id = fields::id(&id)?;
            let place = places.get(&Id::of(&id)?);
            let standing = place.map(|place| self.standing(*place, Some(&fields::dict(&item)?), value));
            standings.push(standing.transpose()?);
        }
        Ok(standings)
    }

    fn standing(
        &self,
        place: usize,
        item: Item<'_, 'py>,
        value: &impl Fn(&Deployment<'py>, Item<'_, 'py>) -> PyResult<f64>,
    ) -> PyResult<Standing> {
        let deployment = &self.deployments[place];
        let now = item.map(|item| fields::optional_dict(item, self.minute)).transpose()?.flatten();
        let py = self.minute.py();
        let (tokens, requests) = (pyo3::intern!(py, "tpm"), pyo3::intern!(py, "rpm"));
        Ok(Standing {
            place,
            value: value(deployment, item)?,
            usage: Usage {
                tokens: fields::count(now.as_ref(), tokens)?,
                requests: Some(fields::count(now.as_ref(), requests)?),
            },
            limits: Limits {
                tokens: deployment.limit(tokens, Chain::Truthy)?,
                requests: deployment.limit(requests, Chain::Truthy)?,
            },
        })
    }
}

/// The address of a deployment's provider; empty when it has none, and absent when it is None.
fn base(deployment: &Deployment<'_>) -> PyResult<Option<Py<PyAny>>> {
    let py = deployment.whole.py();
    let name = pyo3::intern!(py, "api_base");
    match deployment.params.as_ref().map(|params| params.get_item(name)).transpose()?.flatten() {
        None => Ok(Some(PyString::intern(py, "").into_any().unbind())),
        Some(base) if base.is_none() => Ok(None),
        Some(base) => fields::id(&base).map(|base| Some(base.into_any().unbind())),
    }
}
