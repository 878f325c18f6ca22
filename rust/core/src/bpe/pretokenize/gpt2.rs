//! The pattern of `r50k_base`, `p50k_base` and `p50k_edit`:
//!
//! ```text
//! '(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s
//! ```

use super::{Cursor, Pattern};
use crate::bpe::unicode::Classes;

/// The pattern of `r50k_base`, which was GPT-2's.
pub(in crate::bpe) struct Gpt2;

impl Pattern for Gpt2 {
    fn piece_end(text: &Cursor<'_>, start: usize) -> usize {
        text.small_contraction_end(start)
            .or_else(|| run_end(text, start))
            .unwrap_or_else(|| whitespace_end(text, start))
    }

    fn ends(_: &Cursor<'_>, _: usize) -> u64 {
        0
    }
}

/// ` ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++`
fn run_end(text: &Cursor<'_>, start: usize) -> Option<usize> {
    let first = start + usize::from(text.byte(start) == Some(b' '));
    let (class, after) = text.at(first);
    let set = [Classes::LETTER, Classes::NUMBER, Classes::SYMBOL].into_iter().find(|set| class.meets(*set))?;
    Some(text.skip(after, set))
}

/// `\s++$|\s+(?!\S)|\s`
fn whitespace_end(text: &Cursor<'_>, start: usize) -> usize {
    let run = text.whitespace(start);
    if text.is_end(run.end) { run.end } else { run.before_word(start) }
}
