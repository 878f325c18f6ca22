//! A response, for Python.

use std::sync::{Arc, Mutex};

use fast_litellm_pool as pool;
use http::{HeaderMap, Version};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use super::bell::{Bell, Outcome, locked};
use super::{raised, task};

/// A response's, which whoever reads more of it takes along.
struct Body {
    answer: Option<pool::Answer>,
    is_closed: bool,
}

/// A response whose body is still to be read.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Answer {
    body: Arc<Mutex<Body>>,
    #[pyo3(get)]
    status: u16,
    #[pyo3(get)]
    version: &'static [u8],
    reason: Vec<u8>,
    #[pyo3(get)]
    headers: Py<PyList>,
}

impl Answer {
    pub(super) fn new(py: Python<'_>, answer: pool::Answer) -> PyResult<Self> {
        let head = &answer.head;
        let (status, version, reason) = (head.status, name_of(head.version), head.reason.clone());
        let headers = listed(py, &head.headers)?;
        Ok(Self {
            body: Arc::new(Mutex::new(Body { answer: Some(answer), is_closed: false })),
            status,
            version,
            reason,
            headers,
        })
    }
}

#[pymethods]
impl Answer {
    /// What the server has said of the status; nothing over HTTP/2.
    #[getter]
    fn reason(&self) -> &[u8] {
        &self.reason
    }

    /// Whether all of the body has been taken, or is not wanted any more.
    #[getter]
    fn is_over(&self) -> bool {
        locked(&self.body).answer.as_ref().is_none_or(pool::Answer::is_over)
    }

    /// The next part that has come; None where none has. `PoolError` for what has gone wrong.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let taken = locked(&self.body).answer.as_mut().and_then(pool::Answer::taken);
        taken.map(|part| part.map(|bytes| PyBytes::new(py, &bytes)).map_err(raised)).transpose()
    }

    /// Waits until a part can be taken, or there is none left.
    fn wait(&self, py: Python<'_>) -> PyResult<()> {
        task::wait(py, self.read())
    }

    /// The same; the future will be told.
    #[pyo3(signature = (bell, future, /))]
    fn begin(&self, bell: &Bell, future: Py<PyAny>) -> PyResult<task::Task> {
        let read = self.read();
        task::begin(bell, future, async move {
            read.await;
            Outcome::Read
        })
    }

    /// Gives the connection back, or closes it in the middle of a body.
    fn close(&self) {
        let mut body = locked(&self.body);
        body.is_closed = true;
        body.answer = None;
    }
}

impl Answer {
    /// Takes the body along, so that it is gone with whoever reads it where that is given up.
    fn read(&self) -> impl Future<Output = ()> + Send + 'static {
        let body = self.body.clone();
        let taken = locked(&body).answer.take();
        async move {
            if let Some(mut answer) = taken {
                answer.read().await;
                let mut body = locked(&body);
                body.answer = Some(answer).filter(|_| !body.is_closed);
            }
        }
    }
}

fn name_of(version: Version) -> &'static [u8] {
    match version {
        Version::HTTP_10 => b"HTTP/1.0",
        Version::HTTP_2 => b"HTTP/2",
        _ => b"HTTP/1.1",
    }
}

fn listed(py: Python<'_>, headers: &HeaderMap) -> PyResult<Py<PyList>> {
    let pairs = headers
        .iter()
        .map(|(name, value)| (PyBytes::new(py, name.as_str().as_bytes()), PyBytes::new(py, value.as_bytes())));
    Ok(PyList::new(py, pairs.collect::<Vec<_>>())?.unbind())
}
