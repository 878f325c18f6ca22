//! When something last happened on a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Context;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

const NEVER: u64 = u64::MAX;

/// What a connection was last seen to do; shared by the connection and the requests that go over it.
#[derive(Clone, Debug)]
pub(crate) struct Activity(Arc<Marks>);

/// Nanoseconds since the beginning.
#[derive(Debug)]
struct Marks {
    beginning: Instant,
    moved: AtomicU64,
    blocked: AtomicU64,
    is_given_up: AtomicBool,
    writer: AtomicWaker,
}

impl Activity {
    pub(crate) fn begin() -> Self {
        Self(Arc::new(Marks {
            beginning: Instant::now(),
            moved: AtomicU64::new(0),
            blocked: AtomicU64::new(NEVER),
            is_given_up: AtomicBool::new(false),
            writer: AtomicWaker::new(),
        }))
    }

    /// Bytes have come.
    pub(crate) fn note_read(&self) {
        self.0.moved.store(self.now(), Ordering::Relaxed);
    }

    /// Bytes have gone.
    pub(crate) fn note_written(&self) {
        self.note_read();
        self.0.blocked.store(NEVER, Ordering::Relaxed);
    }

    /// Nobody wants the connection any more, and what waits to be written is not to keep it.
    pub(crate) fn give_up(&self) {
        self.0.is_given_up.store(true, Ordering::Release);
        self.0.writer.wake();
    }

    /// Whether it is given up; if that happens later, whoever writes is woken.
    pub(crate) fn is_given_up(&self, cx: &Context<'_>) -> bool {
        self.0.writer.register(cx.waker());
        self.0.is_given_up.load(Ordering::Acquire)
    }

    /// Bytes that are to go are not taken.
    pub(crate) fn note_blocked(&self) {
        let now = self.now();
        // fails where a write has been waiting already, which is the one that counts
        let _ = self.0.blocked.compare_exchange(NEVER, now, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// When bytes last came or went.
    pub(crate) fn moved(&self) -> Instant {
        self.0.beginning + Duration::from_nanos(self.0.moved.load(Ordering::Relaxed))
    }

    /// Since when a write waits.
    pub(crate) fn blocked(&self) -> Option<Instant> {
        let at = self.0.blocked.load(Ordering::Relaxed);
        (at != NEVER).then(|| self.0.beginning + Duration::from_nanos(at))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.beginning.elapsed().as_nanos()).unwrap_or(NEVER - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_write_waits_from_when_it_was_first_not_taken() {
        let activity = Activity::begin();
        let beginning = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        activity.note_blocked();
        tokio::time::advance(Duration::from_secs(1)).await;
        activity.note_blocked();

        assert_eq!(Some(beginning + Duration::from_secs(1)), activity.blocked());
        assert_eq!(beginning, activity.moved());
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_that_go_end_the_wait() {
        let activity = Activity::begin();
        activity.note_blocked();
        tokio::time::advance(Duration::from_secs(1)).await;
        activity.note_written();

        assert_eq!((None, Instant::now()), (activity.blocked(), activity.moved()));
    }
}
