//! Deployments by their latency.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyList, PyString};

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
        if let Some(first_token) = self.first_token(item)? {
            return Ok(first_token);
        }
        Ok(self.mean(item, &self.calls)?.unwrap_or(0.0))
    }

    fn first_token(&self, item: &Bound<'py, PyDict>) -> PyResult<Option<f64>> {
        match (&self.first_tokens, self.percentile) {
            (None, _) => Ok(None),
            (Some(name), None) => self.mean(item, name),
            (Some(name), Some(percentile)) => self.at_percentile(item, name, percentile),
        }
    }

    /// Hands on the samples that count, each with what it is to Python.
    fn each(
        &self,
        item: &Bound<'py, PyDict>,
        name: &Bound<'py, PyString>,
        mut take: impl FnMut(f64, Bound<'py, PyAny>),
    ) -> PyResult<()> {
        let Some(found) = item.get_item(name)? else { return Ok(()) };
        for sample in found.cast_exact::<PyList>().map_err(|_| Declined::new_err("opaque_value"))? {
            if self.leaves_out && is_no_time(&sample) {
                continue;
            }
            let seconds = fields::number(&sample)?;
            if seconds < 0.0 {
                return Err(Declined::new_err("negative_latency"));
            }
            take(seconds, sample);
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "no list is so long")]
    fn mean(&self, item: &Bound<'py, PyDict>, name: &Bound<'py, PyString>) -> PyResult<Option<f64>> {
        let (mut total, mut count, mut samples) = (0.0, 0_usize, Vec::new());
        self.each(item, name, |seconds, sample| {
            total += seconds;
            count += 1;
            if self.sum.is_some() {
                samples.push(sample);
            }
        })?;
        if let Some(sum) = self.sum.as_ref().filter(|_| count > 1) {
            total = fields::number(&sum.call1((PyList::new(sum.py(), samples)?,))?)?;
        }
        Ok((count > 0).then(|| total / count as f64))
    }

    fn at_percentile(
        &self,
        item: &Bound<'py, PyDict>,
        name: &Bound<'py, PyString>,
        percentile: f64,
    ) -> PyResult<Option<f64>> {
        let (mut values, mut are_floats) = (Vec::new(), true);
        self.each(item, name, |seconds, sample| {
            are_floats &= sample.is_exact_instance_of::<PyFloat>();
            values.push(seconds);
        })?;
        if !are_floats {
            return Err(Declined::new_err("opaque_number"));
        }
        (!values.is_empty()).then(|| at_percentile(values, percentile)).transpose()
    }
}

fn is_no_time(sample: &Bound<'_, PyAny>) -> bool {
    sample.cast_exact::<PyFloat>().is_ok_and(|sample| !(sample.value().is_finite() && sample.value() >= 0.0))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is a place"
)]
fn at_percentile(mut values: Vec<f64>, percentile: f64) -> PyResult<f64> {
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * percentile).ceil() as usize;
    let found = place.checked_sub(1).and_then(|place| values.get(place)).copied();
    found.ok_or_else(|| Declined::new_err("control_raises"))
}
