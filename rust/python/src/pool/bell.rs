//! How an event loop hears that something is done, without anybody else's waiting for the GIL.
//!
//! The thread of connections writes a byte to a socket whose other end the loop watches as it watches every socket; then
//! the loop's own thread answers what is being waited for. Many things that are done are one byte.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fast_litellm_pool::{Failure, Kind};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyNone, PyWeakrefMethods, PyWeakrefReference};

use super::answer::Answer;
use super::ends::{Ends, Handle};
use super::raised;

/// What has come of something.
pub(super) enum Outcome {
    /// A request that was sent.
    Sent(Box<Result<fast_litellm_pool::Answer, Failure>>),
    /// More of a body can be taken, or all has been.
    Read,
}

/// What is done, and the ends by which a loop hears of it.
pub(super) struct Rope {
    ends: Ends,
    is_pulled: AtomicBool,
    done: Mutex<Vec<(u64, Outcome)>>,
}

impl Rope {
    pub(super) fn pull(&self, number: u64, outcome: Outcome) {
        locked(&self.done).push((number, outcome));
        if !self.is_pulled.swap(true, Ordering::AcqRel) {
            // a socket that is full has a byte that nobody has read yet, which does as well
            let _ = self.ends.pull();
        }
    }

    fn take(&self) -> Vec<(u64, Outcome)> {
        let _ = self.ends.clear();
        self.is_pulled.store(false, Ordering::Release);
        std::mem::take(&mut locked(&self.done))
    }
}

/// One event loop's.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Bell {
    rope: Arc<Rope>,
    waiting: Arc<Mutex<Waiting>>,
}

/// The futures by their numbers, and the last number. Who waits holds its future itself: a loop that is closed while some
/// wait is gone with them.
#[derive(Default)]
pub(super) struct Waiting(HashMap<u64, Py<PyWeakrefReference>>, u64);

#[pymethods]
impl Bell {
    /// `OSError` where the system gives no sockets.
    #[new]
    fn new() -> io::Result<Self> {
        let rope = Arc::new(Rope { ends: Ends::new()?, is_pulled: AtomicBool::new(false), done: Mutex::default() });
        Ok(Self { rope, waiting: Arc::default() })
    }

    /// What the loop is to watch.
    fn fileno(&self) -> Handle {
        self.rope.ends.heard()
    }

    /// Tells the futures that wait what has come; the loop calls it.
    fn answer(&self, py: Python<'_>) {
        for (number, outcome) in self.rope.take() {
            let known = locked(&self.waiting).0.remove(&number);
            if let Some(future) = known.and_then(|known| known.bind(py).upgrade())
                && let Err(error) = tell(&future, outcome)
            {
                error.write_unraisable(py, Some(&future)); // the others wait, too
            }
        }
    }
}

impl Bell {
    /// A number under which a future waits.
    pub(super) fn expect(&self, future: &Bound<'_, PyAny>) -> PyResult<Expected> {
        let future = PyWeakrefReference::new(future)?.unbind();
        let mut waiting = locked(&self.waiting);
        waiting.1 += 1;
        let number = waiting.1;
        waiting.0.insert(number, future);
        Ok(Expected { number, waiting: self.waiting.clone() })
    }

    /// What is told once under a number, whatever becomes of whoever is to tell it.
    pub(super) fn promise(&self, number: u64) -> Promise {
        Promise { number, rope: self.rope.clone(), is_kept: false }
    }
}

fn tell(future: &Bound<'_, PyAny>, outcome: Outcome) -> PyResult<()> {
    let py = future.py();
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(());
    }
    let (name, value) = match outcome {
        Outcome::Read => (intern!(py, "set_result"), PyNone::get(py).to_owned().into_any()),
        Outcome::Sent(sent) => match *sent {
            Ok(answer) => (intern!(py, "set_result"), Bound::new(py, Answer::new(py, answer)?)?.into_any()),
            Err(failure) => (intern!(py, "set_exception"), raised(failure).into_value(py).into_bound(py).into_any()),
        },
    };
    future.call_method1(name, (value,)).map(drop)
}

/// A future that waits, until it is forgotten.
pub(super) struct Expected {
    pub(super) number: u64,
    waiting: Arc<Mutex<Waiting>>,
}

impl Expected {
    pub(super) fn forget(&self) {
        locked(&self.waiting).0.remove(&self.number);
    }
}

/// Tells a loop what has come of something; that it was lost, where it is dropped before.
pub(super) struct Promise {
    number: u64,
    rope: Arc<Rope>,
    is_kept: bool,
}

impl Promise {
    pub(super) fn keep(mut self, outcome: Outcome) {
        self.is_kept = true;
        self.rope.pull(self.number, outcome);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if !self.is_kept {
            let lost = Failure { kind: Kind::Broken, text: "the pool has lost the request".into(), number: None };
            self.rope.pull(self.number, Outcome::Sent(Box::new(Err(lost))));
        }
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
