//! One rate limit's window: when it began, and how much has been counted in it.

/// Which of a window's entries is meant: its own, which holds when it began, or one of its two counters.
pub const START: usize = 0;
/// The counter of requests.
pub const REQUESTS: usize = 1;
/// The counter of tokens.
pub const TOKENS: usize = 2;
/// How many entries a window has.
pub const ENTRIES: usize = 3;

/// A number that is kept until a moment, in seconds of the clock of LiteLLM's cache.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// The second in which the window began, or what was counted.
    pub value: i64,
    /// It is gone after this moment.
    pub expires: f64,
}

impl Entry {
    /// There is no entry.
    pub const NONE: Self = Self { value: 0, expires: f64::NEG_INFINITY };
}

/// The entries of one window, each of which may be missing.
pub type Window = [Entry; ENTRIES];

/// When a call is made, and for how long its limits count.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The second, by the limiter's clock.
    pub second: i64,
    /// A window lasts so many seconds.
    pub window_size: i64,
    /// The same moment by the cache's clock.
    pub now: f64,
}

/// An entry that the cache is to hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Write {
    /// Which entry.
    pub place: usize,
    /// Its value.
    pub value: i64,
    /// For how many seconds, when the entry lasts already: the cache keeps that of one it holds, but it may have lost it, or lose
    /// it by another write of the same call. Otherwise a whole window.
    pub ttl: Option<f64>,
}

/// What a limiter is told of one counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The second in which the window began.
    pub start: i64,
    /// It began with this call.
    pub is_new: bool,
    /// What has been counted in it, this call included.
    pub count: i64,
}

/// One window in the course of one call.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    entries: Window,
    /// The entries that are remembered and that the cache has lost.
    lost: [bool; ENTRIES],
}

impl Course {
    /// Begins with what the cache holds, and with what is remembered of the same window where the cache has lost it.
    ///
    /// The cache is right about everything it holds: others write there, too. What ends at this very moment it may hold or have
    /// forgotten, as any write makes it do, and either way nothing is lost.
    #[must_use]
    pub fn new(held: &Window, remembered: &Window, now: f64) -> Self {
        let is_another = is_live(held[START], now) && held[START].value != remembered[START].value;
        let mut course = Self { entries: *held, lost: [false; ENTRIES] };
        for (place, entry) in remembered.iter().enumerate() {
            if !is_another && !is_live(held[place], now) && entry.expires > now {
                course.entries[place] = *entry;
                course.lost[place] = true;
            }
        }
        course
    }

    /// Whether the cache has lost anything of it.
    #[must_use]
    pub fn has_lost(&self) -> bool {
        self.lost.contains(&true)
    }

    /// What is to be remembered.
    #[must_use]
    pub const fn window(&self) -> Window {
        self.entries
    }

    /// Counts one call, in a new window if there is none or it is over.
    pub fn count(&mut self, counter: usize, moment: Moment, writes: &mut impl FnMut(Write)) -> Answer {
        let start = self.entries[START];
        if !is_live(start, moment.now) || moment.second.saturating_sub(start.value) >= moment.window_size {
            let values = [(REQUESTS, 0), (TOKENS, 0), (START, moment.second), (counter, 1)];
            for (place, value) in values {
                self.set(place, value, moment, writes);
            }
            return Answer { start: moment.second, is_new: true, count: 1 };
        }
        let before = Some(self.entries[counter]).filter(|entry| is_live(*entry, moment.now));
        let count = before.map_or(0, |entry| entry.value).saturating_add(1);
        for place in 0..ENTRIES {
            if place != counter && self.lost[place] {
                self.set(place, self.entries[place].value, moment, writes);
            }
        }
        self.set(counter, count, moment, writes);
        Answer { start: start.value, is_new: false, count }
    }

    /// An entry keeps the moment at which it expires for as long as it lasts. Whatever is written, the cache first forgets
    /// what expires at this very moment.
    fn set(&mut self, place: usize, value: i64, moment: Moment, writes: &mut impl FnMut(Write)) {
        self.forget(moment.now);
        let expires = self.entries[place].expires;
        let lasts = expires > moment.now;
        let ttl = lasts.then_some(expires - moment.now);
        self.lost[place] = false;
        #[expect(clippy::cast_precision_loss, reason = "as Python makes a float of it")]
        let whole = moment.now + moment.window_size as f64;
        self.entries[place] = Entry { value, expires: if lasts { expires } else { whole } };
        writes(Write { place, value, ttl });
    }

    /// Forgets what is over, as the cache does before every write.
    pub fn forget(&mut self, now: f64) {
        for entry in self.entries.iter_mut().filter(|entry| entry.expires <= now) {
            *entry = Entry::NONE;
        }
    }
}

/// Whether an entry can still be read.
#[must_use]
pub fn is_live(entry: Entry, now: f64) -> bool {
    entry.expires >= now
}
