//! What a percentage promises, counted over a million units. The units are always the same, and so are the counts.

use super::bucket::BUCKETS;
use super::document::{Action, Document, Flag};
use super::{Call, Path, Process, Snapshot, Value};

const UNITS: u32 = 1_000_000;

/// From 0.0001 % to 99.9999 %, in millionths.
const SHARES: [u32; 14] =
    [1, 10, 100, 1_000, 10_000, 50_000, 100_000, 250_000, 500_000, 750_000, 900_000, 990_000, 999_000, 999_999];

struct UnitCall<'a>(&'a str);

impl Call for UnitCall<'_> {
    fn unit(&self) -> Option<&str> {
        Some(self.0)
    }

    fn now(&self) -> i64 {
        0
    }

    fn look<R>(&self, _path: &Path, then: impl FnOnce(Value<'_>) -> R) -> R {
        then(Value::Missing)
    }
}

/// Flags that serve the candidate to these shares, one after the other.
fn splits(shares: &[u32]) -> Snapshot {
    let flag = |share: u32| Flag {
        otherwise: Some(Action::Split(vec![("rust".into(), share), ("python".into(), BUCKETS - share)])),
        ..Flag::default()
    };
    let flags = shares.iter().enumerate().map(|(place, share)| (format!("flag-{place:02}"), flag(*share))).collect();
    Snapshot::compile(&Document { flags, ..Document::default() }, &Process::default()).unwrap()
}

/// How many of the units meet the condition.
fn count(met: impl Fn(&UnitCall<'_>) -> bool) -> u32 {
    let units = (0..UNITS).map(|number| format!("user-{number}"));
    units.map(|unit| u32::from(met(&UnitCall(&unit)))).sum()
}

fn serves_candidate(snapshot: &Snapshot, flag: usize, call: &UnitCall<'_>) -> bool {
    snapshot.serve(Some(flag), call).name() == "rust"
}

/// Beyond four standard deviations lies 1 of 16,000 honest counts.
fn assert_expected(share: f64, counted: u32) {
    let (units, counted) = (f64::from(UNITS), f64::from(counted));
    let most = 4.0 * (units * share * (1.0 - share)).sqrt();
    assert!((counted - units * share).abs() <= most, "{counted} of {units} units, {share} of them expected");
}

#[test]
fn every_percentage_is_kept_within_four_standard_deviations() {
    let snapshot = splits(&SHARES);
    for (flag, share) in SHARES.into_iter().enumerate() {
        let counted = count(|call| serves_candidate(&snapshot, flag, call));
        assert_expected(f64::from(share) / f64::from(BUCKETS), counted);
    }
}

#[test]
fn nothing_and_everything_are_exact() {
    let snapshot = splits(&[0, BUCKETS]);
    assert_eq!(0, count(|call| serves_candidate(&snapshot, 0, call)));
    assert_eq!(UNITS, count(|call| serves_candidate(&snapshot, 1, call)));
}

#[test]
fn flags_choose_their_units_independently() {
    let snapshot = splits(&[BUCKETS / 10, BUCKETS / 10]);
    let both = count(|call| serves_candidate(&snapshot, 0, call) && serves_candidate(&snapshot, 1, call));
    assert_expected(0.01, both);
}
