//! A response, for Python.

use std::pin::pin;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use fast_litellm_pool as pool;
use fast_litellm_pool::{Failure, Kind};
use futures_util::future::{Either, select};
use http::{HeaderMap, Version};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use tokio::sync::Notify;

use super::bell::{Bell, Outcome, locked};
use super::{raised, task};

/// A response's, which whoever reads more of it takes along.
struct Body {
    answer: Option<pool::Answer>,
    is_ended: bool,
    is_closed: bool,
    closing: Arc<Notify>,
}

impl Body {
    fn of(answer: pool::Answer) -> Self {
        Self { answer: Some(answer), is_ended: false, is_closed: false, closing: Arc::default() }
    }

    /// What was not taken when it was closed, or was lost with whoever read it, is no end.
    fn taken(&mut self) -> Option<Result<Bytes, Failure>> {
        match &mut self.answer {
            Some(answer) => answer.taken(),
            None if self.is_ended => None,
            None => Some(Err(Failure { text: "the response is closed".into(), ..Kind::Broken.into() })),
        }
    }

    fn close(&mut self) {
        self.is_closed = true;
        self.closing.notify_one();
        if let Some(answer) = self.answer.take() {
            self.is_ended = answer.is_over();
        }
    }
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
        Ok(Self { body: Arc::new(Mutex::new(Body::of(answer))), status, version, reason, headers })
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
        let body = locked(&self.body);
        body.answer.as_ref().map_or(body.is_ended, pool::Answer::is_over)
    }

    /// The next part that has come; None where none has. `PoolError` for what has gone wrong.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let taken = locked(&self.body).taken();
        taken.map(|part| part.map(|bytes| PyBytes::new(py, &bytes)).map_err(raised)).transpose()
    }

    /// Waits until a part can be taken, or there is none left.
    #[pyo3(signature = (looks_for_signals, /))]
    fn wait(&self, py: Python<'_>, looks_for_signals: bool) -> PyResult<()> {
        task::wait(py, looks_for_signals, self.read())
    }

    /// The same; the future will be told.
    #[pyo3(signature = (bell, future, /))]
    fn begin(&self, bell: &Bell, future: &Bound<'_, PyAny>) -> PyResult<task::Task> {
        let read = self.read();
        task::begin(bell, future, async move {
            read.await;
            Outcome::Read
        })
    }

    /// Gives the connection back, or closes it in the middle of a body.
    fn close(&self) {
        locked(&self.body).close();
    }
}

impl Answer {
    /// Takes the body along, so that it is gone with whoever reads it where that is given up.
    fn read(&self) -> impl Future<Output = ()> + Send + 'static {
        let body = self.body.clone();
        let mut held = locked(&body);
        let (taken, closing) = (held.answer.take(), held.closing.clone());
        drop(held);
        async move {
            let Some(mut answer) = taken else { return };
            let is_read = matches!(select(pin!(answer.read()), pin!(closing.notified())).await, Either::Left(_));
            if is_read {
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
