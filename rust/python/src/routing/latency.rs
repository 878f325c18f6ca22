//! Deployments by their latency.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::fields::{self, Declined};
use super::standings::{Item, Kept, Standings};

/// Whose rules hold for a latency.
struct Rules<'py> {
    /// The key under which whole calls are kept.
    calls: Bound<'py, PyString>,
    /// The key under which first tokens are kept, for a request that is streamed.
    first_tokens: Option<Bound<'py, PyString>>,
    /// Which of a deployment's first tokens counts, in (0, 1]; the mean when absent.
    percentile: Option<f64>,
    /// Samples that cannot be times are left out.
    leaves_out: bool,
    /// Python's own from 3.12 on, where it adds floats with less error; before, it simply adds them.
    sum: Option<Bound<'py, PyAny>>,
}

/// Reads how deployments stand by latency.
///
/// Args:
///     deployments: The list to select from.
///     usage: What is kept of each, by id.
///     minute: The key of this minute in it.
///     semantics: The release line whose rules hold.
///     streamed: The request is; then the time to the first token counts where it is known.
///     percentile: Which of a deployment's first tokens counts; the mean when None.
///
/// Raises:
///     Declined: Something is not plain, or the control would raise.
#[pyfunction]
#[pyo3(signature = (deployments, usage, minute, semantics, streamed, percentile, /))]
pub(super) fn latency_standings<'py>(
    deployments: &Bound<'py, PyList>,
    usage: &Bound<'py, PyDict>,
    minute: &Bound<'py, PyString>,
    semantics: &str,
    streamed: bool,
    percentile: Option<f64>,
) -> PyResult<Standings> {
    let rules = Rules::new(deployments.py(), semantics, streamed, percentile)?;
    let deployments = fields::deployments(deployments)?;
    Kept { deployments: &deployments, usage, minute }.read(|_, item| rules.latency(item))
}

impl<'py> Rules<'py> {
    fn new(py: Python<'py>, semantics: &str, streamed: bool, percentile: Option<f64>) -> PyResult<Self> {
        let leaves_out = semantics == "1.109";
        let calls = if leaves_out { pyo3::intern!(py, "latency_normalized") } else { pyo3::intern!(py, "latency") };
        let first_tokens = pyo3::intern!(py, "time_to_first_token_seconds");
        Ok(Self {
            calls: calls.clone(),
            first_tokens: streamed.then(|| first_tokens.clone()),
            percentile,
            leaves_out,
            sum: if py.version_info() >= (3, 12) { Some(py.import("builtins")?.getattr("sum")?) } else { None },
        })
    }

    fn latency(&self, item: Item<'_, 'py>) -> PyResult<f64> {
        let Some(item) = item else { return Ok(0.0) };
        let first_tokens = self.first_tokens.as_ref().map(|name| self.samples(item, name)).transpose()?;
        match (first_tokens.filter(|samples| !samples.is_empty()), self.percentile) {
            (None, _) => self.mean(&self.samples(item, &self.calls)?),
            (Some(samples), None) => self.mean(&samples),
            (Some(samples), Some(percentile)) => at_percentile(&samples, percentile),
        }
    }

    /// The samples that count, with what they are to Python.
    fn samples(
        &self,
        item: &Bound<'py, PyDict>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Vec<(f64, Bound<'py, PyAny>)>> {
        let Some(found) = item.get_item(name)? else { return Ok(Vec::new()) };
        let list = found.cast_exact::<PyList>().map_err(|_| Declined::new_err("opaque_value"))?;
        let mut samples = Vec::with_capacity(list.len());
        for sample in list {
            if self.leaves_out && is_no_time(&sample) {
                continue;
            }
            let seconds = fields::number(&sample)?;
            if seconds < 0.0 {
                return Err(Declined::new_err("negative_latency"));
            }
            samples.push((seconds, sample));
        }
        Ok(samples)
    }

    #[expect(clippy::cast_precision_loss, reason = "no list is so long")]
    fn mean(&self, samples: &[(f64, Bound<'py, PyAny>)]) -> PyResult<f64> {
        if samples.is_empty() {
            return Ok(0.0);
        }
        let sum = match &self.sum {
            Some(sum) if samples.len() > 1 => {
                let list = PyList::new(sum.py(), samples.iter().map(|(_, sample)| sample))?;
                fields::number(&sum.call1((list,))?)?
            }
            _ => samples.iter().fold(0.0, |sum, (seconds, _)| sum + seconds),
        };
        Ok(sum / samples.len() as f64)
    }
}

fn is_no_time(sample: &Bound<'_, PyAny>) -> bool {
    sample
        .cast_exact::<pyo3::types::PyFloat>()
        .is_ok_and(|sample| !(sample.value().is_finite() && sample.value() >= 0.0))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is a place"
)]
fn at_percentile(samples: &[(f64, Bound<'_, PyAny>)], percentile: f64) -> PyResult<f64> {
    if samples.iter().any(|(_, sample)| !sample.is_exact_instance_of::<pyo3::types::PyFloat>()) {
        return Err(Declined::new_err("opaque_number"));
    }
    let mut values: Vec<f64> = samples.iter().map(|(seconds, _)| *seconds).collect();
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * percentile).ceil() as usize;
    let found = place.checked_sub(1).and_then(|place| values.get(place)).copied();
    found.ok_or_else(|| Declined::new_err("control_raises"))
}
