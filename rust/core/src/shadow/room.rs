//! The room in front of the worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::memory::{Memory, add, take};

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The worker takes no more jobs.
    Shutdown,
    /// Too many of its threads hang.
    Hung,
    /// Too many jobs wait.
    QueueFull,
    /// What waits holds too much.
    Memory,
}

impl Refusal {
    /// The word under which a call is counted that was refused.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Shutdown => "shutdown",
            Self::Hung => "hung",
            Self::QueueFull => "queue_full",
            Self::Memory => "memory",
        }
    }
}

/// How much may wait for one worker, and how much does.
#[derive(Debug)]
pub struct Room {
    max_jobs: usize,
    memory: Arc<Memory>,
    max_abandoned: usize,
    jobs: AtomicUsize,
    bytes: AtomicUsize,
    queued: AtomicUsize,
    abandoned: AtomicUsize,
    is_closed: AtomicBool,
    is_attended: AtomicBool,
}

impl Room {
    /// An empty room without a thread behind it. Its memory may be that of other rooms, too.
    #[must_use]
    pub fn new(max_jobs: usize, memory: Arc<Memory>, max_abandoned: usize) -> Self {
        Self {
            max_jobs,
            memory,
            max_abandoned,
            jobs: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            queued: AtomicUsize::new(0),
            abandoned: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
            is_attended: AtomicBool::new(false),
        }
    }

    /// Why no further job can be reserved.
    pub fn refusal(&self) -> Option<Refusal> {
        let is_full = self.jobs.load(Ordering::Acquire) >= self.max_jobs;
        self.ending().or(is_full.then_some(Refusal::QueueFull))
    }

    /// Why no job is taken, not even one that is reserved.
    pub fn ending(&self) -> Option<Refusal> {
        if self.is_closed.load(Ordering::Acquire) {
            return Some(Refusal::Shutdown);
        }
        (self.abandoned.load(Ordering::Acquire) >= self.max_abandoned).then_some(Refusal::Hung)
    }

    /// Reserves room for a job of so many bytes.
    ///
    /// # Errors
    ///
    /// Why there is none; then nothing is reserved.
    pub fn reserve(&self, size: usize) -> Result<(), Refusal> {
        if let Some(refusal) = self.ending() {
            return Err(refusal);
        }
        if !add(&self.jobs, 1, self.max_jobs) {
            return Err(Refusal::QueueFull);
        }
        self.grow(size).inspect_err(|_| take(&self.jobs, 1))
    }

    /// Reserves more for a job that has grown.
    ///
    /// # Errors
    ///
    /// There is no memory left for it; then nothing more is reserved.
    pub fn grow(&self, size: usize) -> Result<(), Refusal> {
        if !self.memory.take(size) {
            return Err(Refusal::Memory);
        }
        self.bytes.fetch_add(size, Ordering::AcqRel);
        Ok(())
    }

    /// Gives back the room of a job.
    pub fn release(&self, size: usize) {
        take(&self.jobs, 1);
        take(&self.bytes, size);
        self.memory.give(size);
    }

    /// Whether a job that is queued now is done without further ado.
    pub fn is_ready(&self) -> bool {
        self.is_attended.load(Ordering::Acquire) && self.ending().is_none()
    }

    /// A thread takes what is queued, or no longer does.
    pub fn attend(&self, is_attended: bool) {
        self.is_attended.store(is_attended, Ordering::Release);
    }

    /// Jobs that are queued and not done.
    pub fn queued(&self) -> usize {
        self.queued.load(Ordering::Acquire)
    }

    /// A job is about to be queued.
    pub fn arrive(&self) {
        self.queued.fetch_add(1, Ordering::AcqRel);
    }

    /// A queued job is done.
    pub fn depart(&self) {
        take(&self.queued, 1);
    }

    /// No more jobs.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    /// The thread behind the room is given up.
    pub fn abandon(&self) {
        self.attend(false);
        self.abandoned.fetch_add(1, Ordering::AcqRel);
    }

    /// Forgets every job and thread: in a forked child they are its parent's.
    pub fn empty(&self) {
        self.attend(false);
        self.memory.give(self.bytes.swap(0, Ordering::AcqRel));
        let counts = [&self.jobs, &self.queued, &self.abandoned];
        for count in counts {
            count.store(0, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn room_of(max_jobs: usize, max_bytes: usize, max_abandoned: usize) -> Room {
        Room::new(max_jobs, Arc::new(Memory::new(max_bytes)), max_abandoned)
    }

    #[test]
    fn rooms_share_a_memory_and_each_gives_back_its_own() {
        let memory = Arc::new(Memory::new(10));
        let (one, other) = (Room::new(9, Arc::clone(&memory), 1), Room::new(9, Arc::clone(&memory), 1));
        assert_eq!([Ok(()), Err(Refusal::Memory), Ok(())], [one.reserve(6), other.reserve(5), other.reserve(4)]);
        one.empty();

        assert_eq!((4, Ok(())), (memory.taken(), other.grow(6)));
        assert_eq!(Err(Refusal::Memory), other.grow(1));
        other.release(10);
        assert_eq!(0, memory.taken());
    }

    #[test]
    fn room_is_limited_by_number_and_by_bytes() {
        let room = room_of(2, 15, 2);
        let reserved = [10, 6, 5, 0].map(|size| room.reserve(size));

        assert_eq!([Ok(()), Err(Refusal::Memory), Ok(()), Err(Refusal::QueueFull)], reserved);
        room.release(10);
        assert_eq!((None, Ok(())), (room.refusal(), room.reserve(10)));
        assert_eq!(Some(Refusal::QueueFull), room.refusal());
    }

    #[test]
    fn a_room_that_is_closed_or_hangs_takes_nothing() {
        let (closed, hung) = (room_of(9, 9, 1), room_of(9, 9, 1));
        for room in [&closed, &hung] {
            room.attend(true);
        }
        assert!(closed.is_ready() && hung.is_ready());
        closed.close();
        hung.abandon();

        assert_eq!([Err(Refusal::Shutdown), Err(Refusal::Hung)], [closed.reserve(1), hung.reserve(1)]);
        assert!(!closed.is_ready() && !hung.is_ready());
    }

    #[test]
    fn a_childs_room_is_empty_and_closed_if_it_was() {
        let room = room_of(1, 9, 1);
        assert_eq!(Ok(()), room.reserve(9));
        room.arrive();
        room.empty();

        assert_eq!((0, Ok(())), (room.queued(), room.reserve(9)));
        room.close();
        room.empty();
        assert_eq!(Some(Refusal::Shutdown), room.refusal());
    }

    #[test]
    fn no_more_is_reserved_than_there_is_whoever_asks() {
        let room = room_of(100, 1_000, 1);
        let got: usize = thread::scope(|scope| {
            let asking: Vec<_> =
                (0..4).map(|_| scope.spawn(|| (0..90).filter(|_| room.reserve(7).is_ok()).count())).collect();
            asking.into_iter().map(|thread| thread.join().unwrap()).sum()
        });

        assert_eq!((100, Some(Refusal::QueueFull)), (got, room.refusal()));
    }
}
