//! The windows of rate limits that a process has counted in, however many there are.
//!
//! LiteLLM keeps them in a cache of 200 entries, three to a window, and forgets the rest. This store remembers them until they
//! are over. It is no second truth: the cache is right about what it holds, and the store about what the cache has lost.
//! A window's name is not kept, only its keyed digest.

mod window;

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use siphasher::sip128::{Hasher128, SipHasher13};

pub use window::{Answer, Course, ENTRIES, Entry, Moment, REQUESTS, START, TOKENS, Window, Write, is_live};

const SHARDS: usize = 16;
/// A shard with fewer windows is not searched for those that are over.
const FEW: usize = 64;
const NOTHING: Window = [Entry::NONE; ENTRIES];

/// Digests are evenly spread already.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let low = bytes.first_chunk().copied().unwrap_or_default();
        self.0 = u64::from_le_bytes(low);
    }
}

type Windows = HashMap<[u8; 16], Window, BuildHasherDefault<Spread>>;

#[derive(Default)]
struct Shard {
    windows: Windows,
    /// Once there are so many, those that are over are removed.
    full: usize,
}

/// Remembers windows by the digest of their name, under a key of its own.
pub struct Store {
    key: (u64, u64),
    shards: [Mutex<Shard>; SHARDS],
}

/// Stands for a window's name.
pub type Digest = [u8; 16];

/// What follows from one call, before anything is changed by it.
#[derive(Debug, Default)]
pub struct Plan {
    /// For each counter, in the order of the call.
    pub answers: Vec<Answer>,
    /// What the cache is to hold, in order, by the window's place in the call.
    pub writes: Vec<(usize, Write)>,
    /// Whether the cache had lost anything of what is remembered.
    pub has_lost: bool,
    windows: Vec<(Digest, Window)>,
    now: f64,
}

impl Default for Store {
    fn default() -> Self {
        let draw = |name| RandomState::new().hash_one(name);
        Self { key: (draw("first"), draw("second")), shards: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl Store {
    /// The digest that stands for a window's name.
    #[must_use]
    pub fn digest(&self, name: &str) -> Digest {
        let mut hasher = SipHasher13::new_with_keys(self.key.0, self.key.1);
        hasher.write(name.as_bytes());
        hasher.finish128().as_bytes()
    }

    /// What is remembered of a window.
    #[must_use]
    pub fn window(&self, digest: &Digest) -> Window {
        self.shard(digest).windows.get(digest).copied().unwrap_or(NOTHING)
    }

    /// Finds what follows from a call.
    ///
    /// # Panics
    ///
    /// When a counter names a window that is not there.
    #[must_use]
    pub fn plan(&self, held: &[(Digest, Window)], counters: &[(usize, usize)], moment: Moment) -> Plan {
        let begin = |(digest, window): &(Digest, Window)| Course::new(window, &self.window(digest), moment.now);
        let mut courses: Vec<Course> = held.iter().map(begin).collect();
        let mut plan = Plan { has_lost: courses.iter().any(Course::has_lost), now: moment.now, ..Plan::default() };
        for (index, counter) in counters {
            let writes = &mut plan.writes;
            plan.answers.push(courses[*index].count(*counter, moment, &mut |write| writes.push((*index, write))));
            for course in &mut courses {
                course.forget(moment.now);
            }
        }
        plan.windows = held.iter().zip(&courses).map(|((digest, _), course)| (*digest, course.window())).collect();
        plan
    }

    /// Remembers the windows of a plan as it leaves them.
    pub fn keep(&self, plan: &Plan) {
        for (digest, window) in &plan.windows {
            self.put(*digest, *window, plan.now);
        }
    }

    /// Remembers one window; those that are over at this moment may be forgotten.
    pub fn put(&self, digest: Digest, window: Window, now: f64) {
        let mut shard = self.shard(&digest);
        if shard.windows.len() >= shard.full.max(FEW) {
            shard.windows.retain(|_, window| window.iter().any(|entry| is_live(*entry, now)));
            shard.full = 2 * shard.windows.len();
            let room = shard.full;
            shard.windows.shrink_to(room);
        }
        shard.windows.insert(digest, window);
    }

    /// How many windows are remembered, some of which may be over.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).windows.len()).sum()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, digest: &Digest) -> MutexGuard<'_, Shard> {
        lock(&self.shards[usize::from(digest[15]) % SHARDS])
    }
}

/// A panic elsewhere leaves a shard as it was before or after a whole window.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    const SIZE: i64 = 60;

    fn moment(now: f64) -> Moment {
        #[expect(clippy::cast_possible_truncation, reason = "as Python's int() does")]
        Moment { second: now as i64, window_size: SIZE, now }
    }

    /// One request in a window that the cache has lost altogether.
    fn count(store: &Store, name: &str, now: f64) -> Answer {
        let plan = store.plan(&[(store.digest(name), NOTHING)], &[(0, REQUESTS)], moment(now));
        store.keep(&plan);
        plan.answers[0]
    }

    #[test]
    fn what_the_cache_has_lost_goes_on() {
        let store = Store::default();
        let answers: Vec<_> = [0.5, 30.0, 59.5].map(|now| count(&store, "a", now)).to_vec();

        assert_eq!([true, false, false].to_vec(), answers.iter().map(|answer| answer.is_new).collect::<Vec<_>>());
        assert_eq!([1, 2, 3].to_vec(), answers.iter().map(|answer| answer.count).collect::<Vec<_>>());
    }

    #[test]
    fn a_window_begins_anew_when_it_is_over() {
        let store = Store::default();
        count(&store, "a", 0.5);

        assert_eq!(Answer { start: 60, is_new: true, count: 1 }, count(&store, "a", 60.25));
    }

    #[test]
    fn the_cache_is_right_about_what_it_holds() {
        let store = Store::default();
        count(&store, "a", 0.5);
        let held = [Entry { value: 7, expires: 67.0 }, Entry { value: 40, expires: 67.0 }, Entry::NONE];
        let plan = store.plan(&[(store.digest("a"), held)], &[(0, REQUESTS), (0, TOKENS)], moment(8.0));

        assert_eq!([41, 1].to_vec(), plan.answers.iter().map(|answer| answer.count).collect::<Vec<_>>());
        assert!(!plan.has_lost);
    }

    #[test]
    fn what_is_put_back_expires_when_it_would_have() {
        let store = Store::default();
        count(&store, "a", 0.5);
        let plan = store.plan(&[(store.digest("a"), NOTHING)], &[(0, REQUESTS)], moment(20.5));
        let written: Vec<_> = plan.writes.iter().map(|(_, write)| (write.place, write.value, write.ttl)).collect();

        assert_eq!([(START, 0, Some(40.0)), (TOKENS, 0, Some(40.0)), (REQUESTS, 2, Some(40.0))].to_vec(), written);
    }

    #[test]
    fn a_plan_that_is_not_kept_changes_nothing() {
        let store = Store::default();
        let _ = store.plan(&[(store.digest("a"), NOTHING)], &[(0, REQUESTS)], moment(0.5));

        assert!(store.is_empty());
    }

    #[test]
    fn windows_that_are_over_make_room() {
        let store = Store::default();
        for (round, name) in (0..10).flat_map(|round| (0..10_000).map(move |name| (round, name))) {
            count(&store, &format!("{round}-{name}"), f64::from(round) * 61.0);
        }

        assert!(store.len() < 30_000, "{}", store.len());
    }

    #[test]
    fn threads_lose_no_window() {
        let store = Arc::new(Store::default());
        let threads = (0..8).map(|thread| {
            let store = Arc::clone(&store);
            thread::spawn(move || {
                for (_, name) in (0..3).flat_map(|round| (0..2_000).map(move |name| (round, name))) {
                    count(&store, &format!("{thread}-{name}"), 0.5);
                }
            })
        });
        for thread in threads.collect::<Vec<_>>() {
            thread.join().unwrap();
        }
        let names = (0..8).flat_map(|thread| (0..2_000).map(move |name| format!("{thread}-{name}")));

        assert_eq!(16_000, names.filter(|name| store.window(&store.digest(name))[REQUESTS].value == 3).count());
    }
}
