//! The rules in force: one pointer that is swapped as a whole, and read without a shared write.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arc_swap::ArcSwap;

use super::compiled::Compiled;

/// The newest of a cell's snapshots.
pub(super) struct Latest {
    current: ArcSwap<Compiled>,
    generation: AtomicU32,
}

thread_local! {
    // What this thread used last. Counting the users of a snapshot costs two locked instructions a call and has the
    // threads wait for each other's cache line; comparing a number costs neither.
    static SEEN: RefCell<Option<Arc<Compiled>>> = const { RefCell::new(None) };
}

impl Latest {
    pub(super) fn new(compiled: Compiled) -> Self {
        let generation = AtomicU32::new(compiled.generation);
        Self { current: ArcSwap::from_pointee(compiled), generation }
    }

    /// Replaces the snapshot; who is using the one before finishes with it.
    pub(super) fn swap(&self, compiled: Compiled) {
        let generation = compiled.generation;
        self.current.store(Arc::new(compiled));
        self.generation.store(generation, Ordering::Release);
    }

    /// Lends the newest snapshot.
    #[inline]
    pub(super) fn with<R>(&self, then: impl FnOnce(&Compiled) -> R) -> R {
        let generation = self.generation.load(Ordering::Acquire);
        SEEN.with(|seen| {
            if let Ok(seen) = seen.try_borrow()
                && let Some(compiled) = seen.as_deref()
                && compiled.generation == generation
            {
                return then(compiled);
            }
            self.with_loaded(seen, then)
        })
    }

    #[cold]
    fn with_loaded<R>(&self, seen: &RefCell<Option<Arc<Compiled>>>, then: impl FnOnce(&Compiled) -> R) -> R {
        let compiled = self.current.load_full();
        // It stays borrowed while an attribute's own code, run by a decision of this thread, asks for another decision.
        if let Ok(mut seen) = seen.try_borrow_mut() {
            *seen = Some(compiled.clone());
        }
        then(&compiled)
    }
}
