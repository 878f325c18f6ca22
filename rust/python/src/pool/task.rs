//! Something that is done on the thread of connections, and whoever waits for it.

use std::future::Future;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use fast_litellm_pool::{Failure, Kind, spawn};
use pyo3::prelude::*;
use tokio::task::AbortHandle;

use super::bell::{Bell, Expected, Outcome};
use super::raised;

/// How long the main thread waits before it looks for signals.
const LOOK: Duration = Duration::from_millis(50);

/// Something that goes on.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Task {
    handle: AbortHandle,
    waiting: Expected,
}

#[pymethods]
impl Task {
    /// Gives it up, wherever it stands, with its connection where that is its own. Does nothing once it is over.
    fn abort(&self) {
        self.waiting.forget();
        self.handle.abort();
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.abort(); // nobody can any more
    }
}

/// Has something done, of which a future will be told in its loop.
pub(super) fn begin(
    bell: &Bell,
    future: &Bound<'_, PyAny>,
    work: impl Future<Output = Outcome> + Send + 'static,
) -> PyResult<Task> {
    let waiting = bell.expect(future)?;
    let promise = bell.promise(waiting.number);
    match spawn(async move { promise.keep(work.await) }) {
        Ok(handle) => Ok(Task { handle: handle.abort_handle(), waiting }),
        Err(error) => {
            waiting.forget();
            Err(unspawned(&error))
        }
    }
}

/// Has something done and waits for it, unless a signal's handler raises meanwhile.
pub(super) fn wait<T: Send + 'static>(
    py: Python<'_>,
    looks_for_signals: bool,
    work: impl Future<Output = T> + Send + 'static,
) -> PyResult<T> {
    let turn = looks_for_signals.then_some(LOOK);
    let (told, mut heard) = sync_channel(1);
    let task = spawn(async move {
        let _ = told.send(work.await); // nobody waits any more
    });
    let task = task.map_err(|error| unspawned(&error))?;
    loop {
        let (back, found) = py.detach(move || look(heard, turn));
        heard = back;
        match found {
            Ok(found) => return Ok(found),
            Err(RecvTimeoutError::Timeout) => py.check_signals().inspect_err(|_| task.abort())?,
            Err(RecvTimeoutError::Disconnected) => return Err(raised(Failure::from(Kind::Broken))),
        }
    }
}

fn unspawned(error: &io::Error) -> PyErr {
    raised(Failure { kind: Kind::Broken, text: error.to_string(), number: None })
}

fn look<T>(heard: Receiver<T>, turn: Option<Duration>) -> (Receiver<T>, Result<T, RecvTimeoutError>) {
    let found = match turn {
        Some(turn) => heard.recv_timeout(turn),
        None => heard.recv().map_err(RecvTimeoutError::from),
    };
    (heard, found)
}
