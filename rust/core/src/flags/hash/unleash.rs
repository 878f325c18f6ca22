//! Unleash's hash: <https://docs.getunleash.io/reference/stickiness>, and the `client-specification` its clients share.

use super::{Draw, murmur3};

// What Unleash mixes into the choice of a variant, so that it does not depend on the rollout's.
const VARIANT_SEED: u32 = 86_028_157;

/// `groupId:unit`, as 1 to 100 for a rollout and 1 to 1000 (the weights' total) for variants.
#[derive(Debug, Clone)]
pub(super) struct Hasher {
    prefix: Box<[u8]>,
    seed: u32,
    steps: u32,
    step: u32,
}

impl Hasher {
    pub(super) fn new(group: &str, draw: Draw) -> Self {
        let prefix = format!("{group}:").into_bytes().into_boxed_slice();
        match draw {
            Draw::Rollout => Self { prefix, seed: 0, steps: 100, step: 10_000 },
            Draw::Variants => Self { prefix, seed: VARIANT_SEED, steps: 1000, step: 1000 },
        }
    }

    /// Unleash compares `1..=steps` with `<=`, we compare `0..steps` with `<`.
    pub(super) fn bucket(&self, unit: &str) -> u32 {
        murmur3::hash_pieces(&[&self.prefix, unit.as_bytes()], self.seed) % self.steps * self.step
    }
}
