//! The pattern of `cl100k_base`:
//!
//! ```text
//! '(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s
//! ```

use super::cursor::Case;
use super::window::Window;
use super::{Cursor, Pattern};
use crate::bpe::unicode::Classes;

/// The pattern of `cl100k_base`.
pub(in crate::bpe) struct Cl100k;

impl Pattern for Cl100k {
    fn piece_end(text: &Cursor<'_>, start: usize) -> usize {
        let (first, after) = text.at(start);
        if first.meets(Classes::LETTER) {
            return text.skip_letters(after, Classes::LETTER, Case::Ignored);
        }
        if first.meets(Classes::NUMBER) {
            return text.number_end(after);
        }
        if first == Classes::NEWLINE {
            return whitespace_end(text, start);
        }
        text.contraction_end(start)
            .or_else(|| prefixed_word_end(text, after))
            .or_else(|| symbols_end(text, start))
            .unwrap_or_else(|| whitespace_end(text, start))
    }

    fn ends(text: &Cursor<'_>, start: usize) -> u64 {
        let window = Window::new(text.bytes(), start);
        let found = window.starts(window.newline);
        let mut starts = found.others | found.letter;
        let mut quotes = window.quote & found.symbol & window.letter >> 1;
        while quotes != 0 {
            if let Some(end) = text.contraction_end(start + quotes.trailing_zeros() as usize) {
                starts = window.with(starts, end - start);
            }
            quotes &= quotes - 1;
        }
        window.ends(starts)
    }
}

/// `[^\r\n\p{L}\p{N}]?+\p{L}++`, given that the optional character is there and ends at `after`.
fn prefixed_word_end(text: &Cursor<'_>, after: usize) -> Option<usize> {
    let end = text.skip_letters(after, Classes::LETTER, Case::Ignored);
    (end > after).then_some(end)
}

/// ` ?[^\s\p{L}\p{N}]++[\r\n]*+`
fn symbols_end(text: &Cursor<'_>, start: usize) -> Option<usize> {
    let first = start + usize::from(text.byte(start) == Some(b' '));
    let end = text.skip(first, Classes::SYMBOL);
    (end > first).then(|| text.skip(end, Classes::NEWLINE))
}

/// `\s++$|\s*[\r\n]|\s+(?!\S)|\s`
fn whitespace_end(text: &Cursor<'_>, start: usize) -> usize {
    let run = text.whitespace(start);
    if text.is_end(run.end) {
        return run.end;
    }
    run.newline_end.unwrap_or_else(|| run.before_word(start))
}
