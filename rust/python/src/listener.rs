//! The system's notices of changes in directories, as the crate `notify` has them. Waiting for one wakes nobody.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use notify::{ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher};
use pyo3::exceptions::{PyFileNotFoundError, PyOSError};
use pyo3::prelude::*;

/// A change is over when nothing more is heard for so long.
const QUIET: Duration = Duration::from_millis(5);

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Listener>()
}

/// Listens for changes of some entries of directories, from when it is made until it is closed.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Listener {
    /// One notice at most: that something was heard is all that is said.
    bell: SyncSender<()>,
    heard: Mutex<Receiver<()>>,
    watcher: Mutex<Option<RecommendedWatcher>>,
}

#[pymethods]
impl Listener {
    /// `OSError` for what cannot be listened to.
    #[new]
    #[pyo3(signature = (entries, /))]
    fn new(entries: Vec<PathBuf>) -> PyResult<Self> {
        let (bell, heard) = sync_channel(1);
        let directories: BTreeSet<PathBuf> =
            entries.iter().filter_map(|entry| entry.parent()).map(Path::to_path_buf).collect();
        let (told, known) = (bell.clone(), directories.clone());
        let tell = move |event: notify::Result<Event>| {
            if event.map_or(true, |event| concerns(&event, &entries, &known)) {
                ring(&told);
            }
        };
        let mut watcher = notify::recommended_watcher(tell).map_err(|error| refused(&error))?;
        for directory in &directories {
            watch(&mut watcher, directory)?;
        }
        Ok(Self { bell, heard: Mutex::new(heard), watcher: Mutex::new(Some(watcher)) })
    }

    /// Waits for at most so many seconds; once something is heard, until it is over or `patience` seconds have passed.
    #[pyo3(signature = (seconds, patience, /))]
    fn wait(&self, py: Python<'_>, seconds: f64, patience: f64) {
        let duration = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        py.detach(|| {
            let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            if heard.recv_timeout(duration(seconds)).is_ok() {
                let until = Instant::now() + duration(patience);
                while Instant::now() < until && heard.recv_timeout(QUIET).is_ok() {}
            }
        });
    }

    /// Ends the waiting, or the next one if nobody waits.
    fn ring(&self) {
        ring(&self.bell);
    }

    /// Stops listening.
    fn close(&self) {
        self.watcher.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Whether an event is of one of the entries or of their directories, or says nothing of what it is of. Beside a rule file there
/// may be one that is written all the time.
fn concerns(event: &Event, entries: &[PathBuf], directories: &BTreeSet<PathBuf>) -> bool {
    let is_meant = |path: &PathBuf| entries.contains(path) || directories.contains(path);
    !event.kind.is_access() && (event.need_rescan() || event.paths.is_empty() || event.paths.iter().any(is_meant))
}

fn ring(bell: &SyncSender<()>) {
    let _is_news = bell.try_send(()).is_ok();
}

fn watch(watcher: &mut RecommendedWatcher, directory: &Path) -> PyResult<()> {
    watcher.watch(directory, RecursiveMode::NonRecursive).map_err(|error| refused(&error))
}

fn refused(error: &notify::Error) -> PyErr {
    match &error.kind {
        ErrorKind::Io(inner) => std::io::Error::new(inner.kind(), error.to_string()).into(),
        ErrorKind::PathNotFound => PyFileNotFoundError::new_err(error.to_string()),
        _ => PyOSError::new_err(error.to_string()),
    }
}
