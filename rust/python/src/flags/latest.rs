//! The rules in force: one pointer that is swapped as a whole, and read without a shared write.

use std::cell::{Ref, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arc_swap::ArcSwap;

use super::compiled::Compiled;

/// The newest of a cell's snapshots.
pub(super) struct Latest {
    current: ArcSwap<Compiled>,
    generation: AtomicU32,
}

type Seen = Option<Arc<Compiled>>;

thread_local! {
    // What this thread used last. Counting the users of a snapshot costs two locked instructions a call and has the
    // threads wait for each other's cache line; comparing a number costs neither.
    static SEEN: RefCell<Seen> = const { RefCell::new(None) };
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
    #[inline(always)]
    pub(super) fn with<R>(&self, then: impl FnOnce(&Compiled) -> R) -> R {
        SEEN.with(|seen| {
            let generation = self.generation.load(Ordering::Acquire);
            let last = seen.try_borrow().ok().and_then(|last| {
                Ref::filter_map(last, |last| last.as_ref().filter(|it| it.generation == generation)).ok()
            });
            let loaded;
            let compiled: &Compiled = if let Some(last) = &last {
                last
            } else {
                loaded = self.load(seen);
                &loaded
            };
            then(compiled)
        })
    }

    #[cold]
    fn load(&self, seen: &RefCell<Seen>) -> Arc<Compiled> {
        let compiled = self.current.load_full();
        // It stays borrowed while an attribute's own code, run by a decision of this thread, asks for another decision.
        if let Ok(mut seen) = seen.try_borrow_mut() {
            *seen = Some(compiled.clone());
        }
        compiled
    }
}
