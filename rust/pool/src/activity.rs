//! When something last happened on a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
    /// Twice the number of the request that has the connection, and one more where it has given that up.
    holder: AtomicU64,
    writer: AtomicWaker,
}

/// What one request has of a connection, until another one takes that.
#[derive(Debug)]
pub(crate) struct Hold {
    activity: Activity,
    holder: u64,
}

impl Hold {
    /// The request does not want the connection any more, and what waits to be written is not to keep it. Does nothing
    /// where the connection is another request's by now: hyper hands it on as soon as it has read a response's end.
    pub(crate) fn give_up(&self) {
        let Marks { holder, writer, .. } = &*self.activity.0;
        if holder.compare_exchange(self.holder, self.holder | 1, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            writer.wake();
        }
    }

    /// Whether a write waits.
    pub(crate) fn is_blocked(&self) -> bool {
        self.activity.blocked().is_some()
    }
}

impl Activity {
    pub(crate) fn begin() -> Self {
        Self(Arc::new(Marks {
            beginning: Instant::now(),
            moved: AtomicU64::new(0),
            blocked: AtomicU64::new(NEVER),
            holder: AtomicU64::new(0),
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

    /// Takes the connection for a request, whatever an earlier one has left of it.
    pub(crate) fn hold(&self) -> Hold {
        let holder = (self.0.holder.load(Ordering::Acquire) | 1) + 1; // taken by one thread alone, where connections live
        self.0.holder.store(holder, Ordering::Release);
        Hold { activity: self.clone(), holder }
    }

    /// Whether it is given up; if that happens later, whoever writes is woken.
    pub(crate) fn is_given_up(&self, cx: &Context<'_>) -> bool {
        self.0.writer.register(cx.waker());
        self.0.holder.load(Ordering::Acquire) & 1 == 1
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
    use std::task::Waker;

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

    #[test]
    fn a_connection_is_given_up_by_the_request_that_has_it_alone() {
        let is_given_up = |activity: &Activity| activity.is_given_up(&Context::from_waker(Waker::noop()));
        let activity = Activity::begin();
        let (first, second) = (activity.hold(), activity.hold());

        first.give_up();
        assert!(!is_given_up(&activity));
        second.give_up();
        assert!(is_given_up(&activity));
        activity.hold();
        assert!(!is_given_up(&activity));
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
