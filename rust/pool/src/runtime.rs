//! The thread on which all connections of a process live.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{process, thread};

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

static RUNTIME: Mutex<Option<Handle>> = Mutex::new(None);
/// Whose the thread is: a child of a fork has none.
static PROCESS: AtomicU32 = AtomicU32::new(NONE);
const NONE: u32 = 0;

/// Has something done on that thread, which is begun for the first of them and never ends.
///
/// # Errors
///
/// The system gives no thread, or it is one of a parent process.
pub fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> io::Result<JoinHandle<T>> {
    Ok(handle()?.spawn(future))
}

/// Begins the thread, unless it is there.
///
/// # Errors
///
/// As for [`spawn`].
pub fn begin() -> io::Result<()> {
    handle().map(drop)
}

fn handle() -> io::Result<Handle> {
    if ![NONE, process::id()].contains(&PROCESS.load(Ordering::Acquire)) {
        return Err(io::Error::other("its connection is one of a parent process"));
    }
    let mut known = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*known {
        return Ok(handle.clone());
    }
    let handle = made()?;
    PROCESS.store(process::id(), Ordering::Release);
    *known = Some(handle.clone());
    Ok(handle)
}

fn made() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("fast-litellm-pool".into())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(handle)
}
