//! Whether a flag may serve its candidate at this moment: what was stopped at run time, by a person or by a guard.
//!
//! A standing is one 64-bit word, so that processes can share it through memory and a decision can read it with one load.

/// A flag's standing in one word. Zero is [`Standing::Running`].
///
/// From the lowest bit: 4 bits cause, 20 bits retried millionths, 40 bits until when in tenths of a second since 1970
/// (0: for ever). A candidate that answered otherwise is not retried: for it the 20 bits are the mark of its build.
pub type Word = u64;

/// What the word means at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was stopped.
    Running,
    /// Python answers.
    Stopped(Cause),
    /// The time of the stop is over: this many of a million units try the candidate again.
    Retrying(Cause, u32),
}

/// Why a flag was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A person asked for it.
    Paused,
    /// The candidate failed more often than the control.
    ErrorRate,
    /// The candidate was slower than the control.
    Latency,
    /// The candidate answered otherwise than the control.
    Diverged,
}

const SHARE_BITS: u32 = 20;
const SHARE_SHIFT: u32 = 4;
const UNTIL_SHIFT: u32 = SHARE_SHIFT + SHARE_BITS;
const TENTH: u64 = 100; // milliseconds

impl Cause {
    /// Every cause, in the order of its code, which is its position plus one.
    pub const ALL: [Self; 4] = [Self::Paused, Self::ErrorRate, Self::Latency, Self::Diverged];

    /// The detail that decisions give.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::ErrorRate => "guard_tripped:error_rate",
            Self::Latency => "guard_tripped:latency",
            Self::Diverged => "diverged",
        }
    }
}

impl Standing {
    /// Reads a word at a moment in Unix milliseconds. A word nobody wrote stops the flag, as a person would.
    #[must_use]
    pub fn of(word: Word, now: i64) -> Self {
        if word == 0 {
            return Self::Running;
        }
        let code = usize::try_from(word & 0xF).unwrap_or(0);
        let cause = Cause::ALL.get(code.wrapping_sub(1)).copied().unwrap_or(Cause::Paused);
        if until(word).is_none_or(|until| now < until) {
            return Self::Stopped(cause);
        }
        if cause == Cause::Diverged { Self::Running } else { Self::Retrying(cause, share(word)) }
    }
}

fn share(word: Word) -> u32 {
    u32::try_from((word >> SHARE_SHIFT) & ((1 << SHARE_BITS) - 1)).unwrap_or(0)
}

/// The mark of the build that a word stops because it answered otherwise; `None` when the word says something else.
#[must_use]
pub fn mark(word: Word, now: i64) -> Option<u32> {
    (Standing::of(word, now) == Standing::Stopped(Cause::Diverged)).then(|| share(word))
}

/// The word for a stop: until when in Unix milliseconds (`None`: for ever), and how many of a million units try again then.
#[must_use]
pub fn stop(cause: Cause, until: Option<i64>, retry: u32) -> Word {
    let code = Cause::ALL.iter().position(|known| *known == cause).map_or(1, |position| position as u64 + 1);
    let until = until.map_or(0, |until| u64::try_from(until).unwrap_or(0).div_ceil(TENTH).max(1));
    let share = u64::from(retry).min((1 << SHARE_BITS) - 1);
    until << UNTIL_SHIFT | share << SHARE_SHIFT | code
}

/// Until when a word stops its flag, in Unix milliseconds; `None` when it never ends.
#[must_use]
pub fn until(word: Word) -> Option<i64> {
    let until = (word >> UNTIL_SHIFT) * TENTH;
    i64::try_from(until).ok().filter(|until| *until != 0)
}

/// The standing of a flag that two words speak of: a stop before a retry, the smaller retry before the larger.
#[must_use]
pub fn stronger(one: Word, other: Word, now: i64) -> Standing {
    let share = |standing| match standing {
        Standing::Stopped(_) => 0,
        Standing::Retrying(_, share) => share,
        Standing::Running => u32::MAX,
    };
    let (one, other) = (Standing::of(one, now), Standing::of(other, now));
    if share(other) < share(one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_read_back_until_its_time_is_over_and_then_retried() {
        for cause in Cause::ALL {
            let word = stop(cause, Some(1_800_000_000_000), 10_000);
            assert_eq!(Standing::Stopped(cause), Standing::of(word, 1_799_999_999_999));
            let after = if cause == Cause::Diverged { Standing::Running } else { Standing::Retrying(cause, 10_000) };
            assert_eq!(after, Standing::of(word, 1_800_000_000_000));
        }
    }

    #[test]
    fn a_divergence_names_the_build_for_as_long_as_it_stops() {
        let word = stop(Cause::Diverged, Some(1_000), 0xF_FFFF);
        assert_eq!((Some(0xF_FFFF), None), (mark(word, 999), mark(word, 1_000)));
        assert_eq!(None, mark(stop(Cause::Paused, None, 7), 0));
    }

    #[test]
    fn a_stop_without_an_end_never_ends() {
        assert_eq!(Standing::Stopped(Cause::Diverged), Standing::of(stop(Cause::Diverged, None, 0), i64::MAX));
    }

    #[test]
    fn of_two_words_the_one_that_lets_fewer_through_holds() {
        let stopped = stop(Cause::Paused, None, 0);
        let (tenth, half) = (stop(Cause::Latency, Some(1), 100_000), stop(Cause::ErrorRate, Some(1), 500_000));
        let cases = [
            (0, stopped, Standing::Stopped(Cause::Paused)),
            (tenth, stopped, Standing::Stopped(Cause::Paused)),
            (half, tenth, Standing::Retrying(Cause::Latency, 100_000)),
            (half, 0, Standing::Retrying(Cause::ErrorRate, 500_000)),
            (0, 0, Standing::Running),
        ];
        for (one, other, expected) in cases {
            assert_eq!(expected, stronger(one, other, 1000));
            assert_eq!(expected, stronger(other, one, 1000));
        }
    }

    #[test]
    fn zero_is_running_and_an_unknown_cause_is_a_stop() {
        assert_eq!(Standing::Running, Standing::of(0, 0));
        assert_eq!(Standing::Stopped(Cause::Paused), Standing::of(0xF, 0));
    }
}
