//! The room in front of a worker, and the budget that comparisons have: asked natively on the caller's path, kept by Python.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use arc_swap::ArcSwapOption;
use fast_litellm_core::shadow::{Bucket as CoreBucket, Memory as CoreMemory, Refusal, Room as CoreRoom};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

const NS_PER_S: i64 = 1_000_000_000;

thread_local! {
    /// The rooms on whose behalf this thread works, innermost last.
    static INSIDE: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// How much may wait for one worker, and how much does.
///
/// Args:
///     `max_jobs`: How many jobs may be reserved at once.
///     memory: What they may keep alive together, with those of other rooms that have it.
///     `max_abandoned`: So many threads may hang; then no more jobs are taken.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Room {
    core: CoreRoom,
    name: u64,
    put: ArcSwapOption<Py<PyAny>>,
}

#[pymethods]
impl Room {
    #[new]
    fn new(max_jobs: usize, memory: &Memory, max_abandoned: usize) -> Self {
        static ROOMS: AtomicU64 = AtomicU64::new(0);
        let name = ROOMS.fetch_add(1, Ordering::Relaxed);
        let core = CoreRoom::new(max_jobs, Arc::clone(&memory.core), max_abandoned);
        Self { core, name, put: ArcSwapOption::empty() }
    }

    /// Why no further job can be reserved, or None.
    fn refusal(&self) -> Option<&'static str> {
        self.core.refusal().map(Refusal::word)
    }

    /// Why no job is taken, not even one that is reserved, or None.
    fn ending(&self) -> Option<&'static str> {
        self.core.ending().map(Refusal::word)
    }

    /// Reserves room for a job of so many bytes. Returns None, or why there is none.
    #[pyo3(signature = (size, /))]
    fn reserve(&self, size: usize) -> Option<&'static str> {
        self.core.reserve(size).err().map(Refusal::word)
    }

    /// Gives back the room of a job.
    #[pyo3(signature = (size, /))]
    fn release(&self, size: usize) {
        self.core.release(size);
    }

    /// Jobs that are queued and not done.
    #[getter]
    fn queued(&self) -> usize {
        self.core.queued()
    }

    /// A job is about to be queued.
    fn arrive(&self) {
        self.core.arrive();
    }

    /// A queued job is done.
    fn depart(&self) {
        self.core.depart();
    }

    /// A thread takes what is queued with `put`.
    #[pyo3(signature = (put, /))]
    fn attend(&self, put: Py<PyAny>) {
        self.put.store(Some(put.into()));
        self.core.attend(true);
    }

    /// That thread is given up.
    fn abandon(&self) {
        self.core.abandon();
    }

    /// No more jobs.
    fn close(&self) {
        self.core.close();
    }

    /// Forgets every job and thread: in a forked child they are its parent's.
    fn empty(&self) {
        self.core.empty();
        self.leave();
    }

    /// The calling thread works for this room from here on.
    fn enter(&self) {
        INSIDE.with_borrow_mut(|inside| inside.push(self.name));
    }

    /// It no longer does.
    fn leave(&self) {
        INSIDE.with_borrow_mut(|inside| {
            if let Some(last) = inside.iter().rposition(|name| *name == self.name) {
                inside.remove(last);
            }
        });
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.put.load().as_deref().map_or(Ok(()), |put| visit.call(put))
    }
}

impl Room {
    pub(crate) fn core(&self) -> &CoreRoom {
        &self.core
    }

    /// Whether the calling thread may be working for this room: where threads are made of something lighter, only their maker
    /// knows which of them it is.
    pub(crate) fn may_be_inside(&self) -> bool {
        INSIDE.with_borrow(|inside| inside.contains(&self.name))
    }

    /// Queues a job if a thread is known to take it; else the worker has more to do than that.
    pub(crate) fn put(&self, job: &Bound<'_, PyAny>) -> PyResult<bool> {
        let put = self.put.load();
        match &*put {
            // Without the interpreter's lock a worker could close between these steps: there its own lock is taken.
            Some(put) if self.core.is_ready() && !cfg!(Py_GIL_DISABLED) => {
                self.core.arrive();
                put.bind(job.py()).call1((job,)).inspect_err(|_| self.core.depart())?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

/// What comparisons may keep in memory.
///
/// Args:
///     most: How many bytes.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Memory {
    core: Arc<CoreMemory>,
}

#[pymethods]
impl Memory {
    #[new]
    #[pyo3(signature = (most, /))]
    fn new(most: usize) -> Self {
        Self { core: Arc::new(CoreMemory::new(most)) }
    }

    /// Takes so many bytes, or none. Returns whether they were there.
    #[pyo3(signature = (size, /))]
    fn take(&self, size: usize) -> bool {
        self.core.take(size)
    }

    /// Gives so many back.
    #[pyo3(signature = (size, /))]
    fn give(&self, size: usize) {
        self.core.give(size);
    }

    /// How many are taken.
    #[getter]
    fn taken(&self) -> usize {
        self.core.taken()
    }
}

/// A share of one core, as a token bucket.
///
/// Args:
///     share: Of one core; 1 allows everything.
///     `burst_ns`: What may be used at once, in nanoseconds.
///     clock: Returns nanoseconds; None is the process's own monotonic clock.
///
/// Raises:
///     Exception: What the clock raises.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Bucket {
    core: CoreBucket,
    clock: Clock,
}

#[pymethods]
impl Bucket {
    #[new]
    #[pyo3(signature = (share, burst_ns, clock=None, /))]
    fn new(py: Python<'_>, share: f64, burst_ns: f64, clock: Option<Py<PyAny>>) -> PyResult<Self> {
        let clock = Clock::new(clock, 0);
        let now = clock.now(py)?;
        Ok(Self { core: CoreBucket::new(share, burst_ns, now), clock })
    }

    /// How much is left, from 1 down to 0, when no comparison may be accepted.
    pub(crate) fn ease(&self, py: Python<'_>) -> PyResult<f64> {
        if self.core.is_boundless() {
            return Ok(1.0);
        }
        Ok(self.core.ease(self.clock.now(py)?))
    }

    /// Takes what one comparison is expected to cost, and returns it, in nanoseconds.
    pub(crate) fn reserve(&self) -> f64 {
        self.core.reserve()
    }

    /// Corrects a reservation.
    #[pyo3(signature = (reserved, spent, /))]
    pub(crate) fn settle(&self, reserved: f64, spent: f64) {
        self.core.settle(reserved, spent);
    }

    /// Pays for what was done without a reservation, in nanoseconds.
    #[pyo3(signature = (spent, /))]
    pub(crate) fn spend(&self, spent: f64) {
        self.core.spend(spent);
    }

    /// Fills the bucket: a forked child owes nothing of what its parent has reserved.
    fn refill(&self, py: Python<'_>) -> PyResult<()> {
        self.core.refill(self.clock.now(py)?);
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.clock.traverse(&visit)
    }
}

impl Bucket {
    /// Whether nothing is counted, so that nobody need tell the time for it.
    pub(crate) fn is_boundless(&self) -> bool {
        self.core.is_boundless()
    }

    /// Pays for so many nanoseconds on a caller's path.
    #[expect(clippy::cast_precision_loss, reason = "a caller does not wait for months")]
    pub(crate) fn spend_on_caller(&self, spent: i64) {
        self.core.spend(spent as f64);
    }
}

/// What tells the time, in nanoseconds.
pub(crate) enum Clock {
    /// The process's own, and what it is ahead of its first reading.
    Own(i64),
    /// A function.
    Given(Py<PyAny>),
}

impl Clock {
    /// The process's own clock shows the given time now.
    pub(crate) fn new(clock: Option<Py<PyAny>>, now: i64) -> Self {
        clock.map_or_else(|| Self::Own(now - own()), Self::Given)
    }

    pub(crate) fn now(&self, py: Python<'_>) -> PyResult<i64> {
        match self {
            Self::Own(ahead) => Ok(own() + ahead),
            Self::Given(clock) => clock.bind(py).call0()?.extract(),
        }
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Own(_) => Ok(()),
            Self::Given(clock) => visit.call(clock),
        }
    }
}

fn own() -> i64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let passed = START.elapsed();
    passed.as_secs().cast_signed() * NS_PER_S + i64::from(passed.subsec_nanos())
}

/// Adds this file's classes to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Memory>()?;
    module.add_class::<Room>()?;
    module.add_class::<Bucket>()
}
