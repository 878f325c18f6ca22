//! A split laid out over the buckets, in the order each engine lays it out.

use super::Draw;
use crate::flags::bucket::BUCKETS;
use crate::flags::decision::Implementation;
use crate::flags::document::Hash;

/// Which algorithm a split calls for: one candidate written first is a percentage, anything else are variants.
#[must_use]
pub fn draw(parts: &[(Implementation, u32)]) -> Draw {
    let mut candidates = parts.iter().map(|(serve, _)| *serve != Implementation::Python);
    match (candidates.next(), candidates.any(|candidate| candidate)) {
        (Some(true), false) => Draw::Rollout,
        _ => Draw::Variants,
    }
}

/// The finest share, in millionths, that a hash can tell apart; every share must be a multiple of it.
#[must_use]
pub fn finest(hash: Hash, draw: Draw) -> u32 {
    match (hash, draw) {
        (Hash::Xxh3 | Hash::Flagd2, _) => 1,
        (Hash::Growthbook2, _) => 100,
        (Hash::Unleash, Draw::Rollout) => 10_000,
        (Hash::Unleash, Draw::Variants) => 1000,
    }
}

/// The parts that own any bucket, lowest first, each with the first bucket that is no longer its own. Python has those
/// above the last.
///
/// Other engines lay variants out as they are written, Python in its place. Ours puts Python above all candidates, so
/// that a growing candidate only ever adds units.
#[must_use]
pub fn shares(hash: Hash, parts: &[(Implementation, u32)]) -> Vec<(Implementation, u32)> {
    let mut end = 0_u32;
    let mut laid_out = Vec::new();
    for (serve, millionths) in parts {
        if *millionths > 0 && (hash != Hash::Xxh3 || *serve != Implementation::Python) {
            end = BUCKETS.min(end.saturating_add(*millionths));
            laid_out.push((serve.clone(), end));
        }
    }
    if laid_out.last().is_some_and(|(serve, _)| *serve == Implementation::Python) {
        laid_out.pop();
    }
    laid_out
}

#[cfg(test)]
mod tests {
    use super::*;
    use Implementation::{Python, Rust};

    fn other() -> Implementation {
        "litellm_rust".into()
    }

    #[test]
    fn one_candidate_written_first_is_a_rollout() {
        for (parts, drawn) in [
            (vec![(Rust, 1)], Draw::Rollout),
            (vec![(Rust, 1), (Python, 2)], Draw::Rollout),
            (vec![(Python, 2), (Rust, 1)], Draw::Variants),
            (vec![(Rust, 1), (other(), 2)], Draw::Variants),
            (vec![(Python, 1)], Draw::Variants),
            (vec![], Draw::Variants),
        ] {
            assert_eq!(drawn, draw(&parts), "{parts:?}");
        }
    }

    #[test]
    fn our_own_hash_keeps_python_above_every_candidate() {
        let parts = [(Python, 700_000), (Rust, 100_000), (other(), 200_000)];
        assert_eq!(vec![(Rust, 100_000), (other(), 300_000)], shares(Hash::Xxh3, &parts));
    }

    #[test]
    fn other_engines_keep_the_order_of_the_file() {
        let parts = [(Python, 700_000), (Rust, 100_000), (other(), 200_000)];
        for hash in [Hash::Unleash, Hash::Growthbook2, Hash::Flagd2] {
            assert_eq!(vec![(Python, 700_000), (Rust, 800_000), (other(), BUCKETS)], shares(hash, &parts));
        }
    }

    #[test]
    fn parts_without_buckets_and_python_at_the_end_are_left_out() {
        let parts = [(other(), 0), (Rust, 100_000), (Python, 900_000)];
        assert_eq!(vec![(Rust, 100_000)], shares(Hash::Flagd2, &parts));
    }

    #[test]
    fn every_engine_has_its_finest_share() {
        let finest = |hash| [Draw::Rollout, Draw::Variants].map(|draw| finest(hash, draw));
        let hashes = [Hash::Xxh3, Hash::Unleash, Hash::Growthbook2, Hash::Flagd2];
        assert_eq!([[1, 1], [10_000, 1000], [100, 100], [1, 1]], hashes.map(finest));
    }
}
