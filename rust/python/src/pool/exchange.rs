//! A request that is to go out.

use std::sync::Mutex;

use fast_litellm_pool::{Outgoing, Pool};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use super::answer::Answer;
use super::bell::{Bell, Outcome, locked};
use super::{raised, task};

/// Goes out once.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Exchange(Mutex<Option<(Pool, Outgoing)>>);

impl Exchange {
    pub(super) fn new(pool: Pool, outgoing: Outgoing) -> Self {
        Self(Mutex::new(Some((pool, outgoing))))
    }

    fn take(&self) -> PyResult<(Pool, Outgoing)> {
        locked(&self.0).take().ok_or_else(|| PyRuntimeError::new_err("a request goes out once"))
    }
}

#[pymethods]
impl Exchange {
    /// Sends it and waits for its response. `PoolError` for what goes wrong.
    #[pyo3(signature = (looks_for_signals, /))]
    fn wait(&self, py: Python<'_>, looks_for_signals: bool) -> PyResult<Answer> {
        let (pool, outgoing) = self.take()?;
        let answer = task::wait(py, looks_for_signals, pool.send(outgoing))?;
        Answer::new(py, answer.map_err(raised)?)
    }

    /// Sends it; its response, or a `PoolError`, will be the future's.
    #[pyo3(signature = (bell, future, /))]
    fn begin(&self, bell: &Bell, future: &Bound<'_, PyAny>) -> PyResult<task::Task> {
        let (pool, outgoing) = self.take()?;
        task::begin(bell, future, async move { Outcome::Sent(Box::new(pool.send(outgoing).await)) })
    }
}
