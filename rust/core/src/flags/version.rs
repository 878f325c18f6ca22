//! Version ranges, compared by precedence alone.
//!
//! The notation is Cargo's (`>=2.4.0, <3`, `^1.2`, `~1.2.3`, `1.*`). Unlike a resolver of dependencies, which avoids
//! pre-releases, a rule that says `>=2.4.0` also means 3.0.0-beta: each comparison is an interval in the order of
//! <https://semver.org/#spec-item-11>.

use std::fmt;
use std::ops::{Bound, RangeBounds};

use semver::{BuildMetadata, Comparator, Op, Prerelease, Version, VersionReq};

/// A range of versions.
#[derive(Debug)]
pub struct Range {
    written: Box<str>,
    intervals: Box<[Interval]>,
}

type Interval = (Bound<Version>, Bound<Version>);

impl Range {
    /// Compiles a range; `None` when the text is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let intervals = VersionReq::parse(text).ok()?.comparators.iter().map(interval).collect();
        Some(Self { written: text.into(), intervals })
    }

    /// Whether a text is a version within the range.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        version(text).is_some_and(|version| self.intervals.iter().all(|interval| interval.contains(&version)))
    }
}

impl fmt::Display for Range {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.written)
    }
}

/// Reads a version as programs report it: a leading v is no part of it, and missing parts are zero.
fn version(text: &str) -> Option<Version> {
    let text = text.trim();
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let (core, rest) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let missing = ["", ".0", ".0.0"].get(2_usize.checked_sub(core.matches('.').count())?)?;
    let version = Version::parse(&format!("{core}{missing}{rest}")).ok()?;
    Some(Version { build: BuildMetadata::EMPTY, ..version })
}

fn interval(comparator: &Comparator) -> Interval {
    let low = Version {
        pre: comparator.pre.clone(),
        ..Version::new(comparator.major, comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0))
    };
    let whole = comparator.patch.is_some();
    match comparator.op {
        Op::Exact if whole => (Bound::Included(low.clone()), Bound::Included(low)),
        Op::Greater if whole => (Bound::Excluded(low), Bound::Unbounded),
        Op::Greater => (Bound::Included(after(comparator)), Bound::Unbounded),
        Op::GreaterEq => (Bound::Included(low), Bound::Unbounded),
        Op::Less => (Bound::Unbounded, Bound::Excluded(low)),
        Op::LessEq if whole => (Bound::Unbounded, Bound::Included(low)),
        Op::LessEq => (Bound::Unbounded, below(after(comparator))),
        Op::Caret => (Bound::Included(low), below(incompatible(comparator))),
        Op::Tilde => (Bound::Included(low), below(after(&Comparator { patch: None, ..comparator.clone() }))),
        // What is left is a partial version: everything that begins so.
        _ => (Bound::Included(low), below(after(comparator))),
    }
}

/// The first version behind all that begin like a partial one.
fn after(partial: &Comparator) -> Version {
    match partial.minor {
        Some(minor) => Version::new(partial.major, minor.saturating_add(1), 0),
        None => Version::new(partial.major.saturating_add(1), 0, 0),
    }
}

/// The first version that may break what the leftmost part that is not zero promises.
fn incompatible(comparator: &Comparator) -> Version {
    match (comparator.major, comparator.minor, comparator.patch) {
        (0, Some(0), Some(patch)) => Version::new(0, 0, patch.saturating_add(1)),
        (0, Some(minor), _) => Version::new(0, minor.saturating_add(1), 0),
        (major, ..) => Version::new(major.saturating_add(1), 0, 0),
    }
}

/// Up to a version, its own pre-releases excluded.
fn below(version: Version) -> Bound<Version> {
    let first = Prerelease::new("0").unwrap_or(Prerelease::EMPTY);
    Bound::Excluded(Version { pre: first, ..version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_intervals_of_precedence() {
        let cases = [
            (">=2.4.0", &["2.4.0", "v2.4", "3.0.0-beta", "2.4.1-rc.1"][..], &["2.4.0-rc.1", "2.3.9", "1"][..]),
            (">=2.4.0, <3", &["2.4.0", "2.99"], &["3", "3.1", "2.3"]),
            ("<3", &["3.0.0-beta", "2"], &["3"]),
            ("^1.2", &["1.2", "1.9.9"], &["2.0.0-alpha", "1.1", "2"]),
            ("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0", "0.2.2"]),
            ("^0.0.3", &["0.0.3"], &["0.0.4"]),
            ("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0", "1.2.2"]),
            ("~1", &["1.0", "1.9"], &["2", "0.9"]),
            ("=1.2", &["1.2.0", "1.2.9"], &["1.3.0-0", "1.1"]),
            ("=1.2.3", &["1.2.3", "1.2.3+build"], &["1.2.4", "1.2.3-rc"]),
            (">1.2", &["1.3.0"], &["1.2.9"]),
            ("<=1.2", &["1.2.9"], &["1.3.0-0"]),
            ("1.*", &["1.5"], &["2"]),
            ("*", &["0.0.1-alpha"], &["one", "", "1.2.3.4", "1..2", "-1"]),
        ];
        for (range, inside, outside) in cases {
            let compiled = Range::parse(range).unwrap();
            for version in inside {
                assert!(compiled.contains(version), "{version} in {range}");
            }
            for version in outside {
                assert!(!compiled.contains(version), "{version} not in {range}");
            }
        }
    }
}
