//! LiteLLM's way to count long text: in slices, and beyond a limit from samples.
//!
//! The rules are those of LiteLLM 1.106, `litellm_core_utils/token_counter.py`.

use std::num::NonZeroUsize;

use super::encoding::Counter;
use super::{Encoding, Text};

/// How long text is counted; both lengths are in code points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChunkRule {
    /// Text is cut into slices of this length, and the counts of the slices are added.
    pub chunk_chars: NonZeroUsize,
    /// Text longer than this is estimated from samples.
    pub max_exact_chars: NonZeroUsize,
}

/// `EXTRAPOLATION_SAMPLES` of LiteLLM.
const SAMPLES: usize = 16;

/// The number of tokens LiteLLM finds in a text.
#[must_use]
pub fn count_text(encoding: &Encoding, rule: ChunkRule, text: Text<'_>) -> u64 {
    count_next(&mut encoding.counter(), rule, text)
}

/// [`count_text`] for one of many texts.
pub(super) fn count_next(counter: &mut Counter<'_>, rule: ChunkRule, text: Text<'_>) -> u64 {
    if text.fits(rule.max_exact_chars.get()) {
        count_exactly(counter, rule, text)
    } else {
        extrapolate(counter, rule, text)
    }
}

/// `_get_tiktoken_count_function`
fn count_exactly(counter: &mut Counter<'_>, rule: ChunkRule, text: Text<'_>) -> u64 {
    let mut count = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (chunk, tail) = rest.split_at(rule.chunk_chars.get());
        count += counter.count(&chunk.repaired()) as u64;
        rest = tail;
    }
    count
}

/// `_get_extrapolating_count_function` and `_evenly_spaced_samples`
fn extrapolate(counter: &mut Counter<'_>, rule: ChunkRule, text: Text<'_>) -> u64 {
    let limit = rule.max_exact_chars.get();
    let count = SAMPLES.min(limit);
    let sample_chars = limit / count;
    let chars = text.chars();
    let last_start = chars - sample_chars;
    let (mut rest, mut passed, mut sum) = (text, 0, 0);
    for index in 0..count {
        let start = last_start * index / (count - 1).max(1);
        rest = rest.split_at(start - passed).1;
        passed = start;
        sum += count_exactly(counter, rule, rest.split_at(sample_chars).0);
    }
    round_ratio(u128::from(sum) * chars as u128, (count * sample_chars) as u128)
}

/// Python's `round(numerator / denominator)`: the quotient to the nearest float, that to the nearest integer, ties to
/// even both times.
#[expect(clippy::cast_precision_loss, reason = "the rounding is what is asked for")]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a token count is never negative or that large"
)]
fn round_ratio(numerator: u128, denominator: u128) -> u64 {
    // Enough quotient bits for a float, and one that stands for all the bits cut off, so that the conversion rounds right.
    let shift = (numerator | 1).leading_zeros();
    let scaled = numerator << shift;
    let sticky = u128::from(!scaled.is_multiple_of(denominator));
    let quotient = ((scaled / denominator) | sticky) as f64 / 2f64.powi(shift.cast_signed());
    quotient.round_ties_even() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_even_twice() {
        for (numerator, denominator, expected) in [
            (0, 7, 0),
            (1, 2, 0),
            (3, 2, 2),
            (5, 2, 2),
            (7, 3, 2),
            // 2**53 + 1 is no float: the quotient already loses the bit.
            ((1 << 53) + 1, 1, 1 << 53),
            ((1 << 53) + 3, 1, (1 << 53) + 4),
            // Just above one half, by less than a float can tell.
            ((1 << 60) + 1, 1 << 61, 0),
        ] {
            assert_eq!(expected, round_ratio(numerator, denominator), "{numerator}/{denominator}");
        }
    }
}
