//! Both kinds of error, measured on seeded traffic.

use super::*;

/// `SplitMix64` (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Between 0 and 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn share(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Log-normal around 100 us: the 99th percentile is 3.2 times the median, as of a call that sometimes waits.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
    fn nanos(&mut self) -> u64 {
        let normal = (-2.0 * self.share().ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos();
        (100_000.0 * (0.5 * normal).exp()) as u64
    }
}

/// What the two sides are like.
#[derive(Clone, Copy)]
struct Traffic {
    candidates: f64,
    error_rates: [f64; 2],
    slowness: f64,
}

const EQUAL: Traffic = Traffic { candidates: 0.5, error_rates: [0.01, 0.01], slowness: 1.0 };

const DEFINITION: document::Guard = document::Guard {
    window_ms: 60_000,
    min_calls: 200,
    error_rate_over: Some(5_000),
    latency_ratio: Some(1_100),
    hold_ms: 300_000,
    retry: 10_000,
    scope: document::Scope::Process,
};

/// Sends calls through a fresh guard; returns after how many of the candidate's it tripped.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a duration of microseconds"
)]
fn calls_until_trip(random: &mut Random, traffic: Traffic, calls: u64) -> Option<u64> {
    let guard = Guard::new(DEFINITION);
    let mut candidates = 0;
    for now_ms in 0..calls {
        let is_candidate = random.share() < traffic.candidates;
        candidates += u64::from(is_candidate);
        let side = if is_candidate { Side::Candidate } else { Side::Control };
        let is_error = random.share() < traffic.error_rates[usize::from(is_candidate)];
        let outcome = if is_error { Outcome::Error } else { Outcome::Value };
        let slowness = if is_candidate { traffic.slowness } else { 1.0 };
        let nanos = (random.nanos() as f64 * slowness) as u64;
        if guard.record(Measured { side, nanos, outcome }, now_ms).is_some() {
            return Some(candidates);
        }
    }
    None
}

/// In calls of the candidate, the middle and the slowest of a hundred trips.
fn delays(traffic: Traffic) -> (u64, u64) {
    let mut random = Random(7);
    let trips = (0..100).map(|_| calls_until_trip(&mut random, traffic, 60_000).unwrap_or(u64::MAX));
    let mut trips: Vec<_> = trips.collect();
    trips.sort_unstable();
    (trips[50], trips[99])
}

#[test]
fn of_ten_thousand_windows_of_equal_sides_none_trips() {
    let mut random = Random(1);
    let trips = (0..10_000).filter(|_| calls_until_trip(&mut random, EQUAL, 2_000).is_some()).count();
    assert_eq!(0, trips);
}

#[test]
fn at_the_very_limit_fewer_than_one_window_in_a_thousand_trips() {
    let limit = Traffic { error_rates: [0.01, 0.015], slowness: 1.1, ..EQUAL };
    let mut random = Random(2);
    let trips = (0..10_000).filter(|_| calls_until_trip(&mut random, limit, 2_000).is_some()).count();
    assert!(trips < 10, "{trips} trips");
}

#[test]
fn five_percent_errors_against_none_trip_within_hundreds_of_calls() {
    for (candidates, limits) in [(0.1, (400, 800)), (0.5, (700, 1_500)), (0.9, (700, 1_500))] {
        let found = delays(Traffic { candidates, error_rates: [0.0, 0.05], ..EQUAL });
        assert!(found.0 < limits.0 && found.1 < limits.1, "{found:?} calls at {candidates}");
    }
}

#[test]
fn half_as_slow_again_trips_within_a_few_thousand_calls() {
    for (candidates, limits) in [(0.1, (1_000, 3_000)), (0.5, (1_500, 5_000))] {
        let found = delays(Traffic { candidates, slowness: 1.5, ..EQUAL });
        assert!(found.0 < limits.0 && found.1 < limits.1, "{found:?} calls at {candidates}");
    }
}
