//! The pattern of `o200k_base`, one alternative a line:
//!
//! ```text
//! [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//! [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//! \p{N}{1,3}
//!  ?[^\s\p{L}\p{N}]+[\r\n/]*
//! \s*[\r\n]+
//! \s+(?!\S)
//! \s+
//! ```

use super::cursor::Case;
use super::window::{Window, below};
use super::{Cursor, Pattern};
use crate::bpe::unicode::Classes;

/// `[\p{Lm}\p{Lo}\p{M}]`: what belongs to the upper part of a word and to its lower part.
const EITHER: Classes = Classes::UNCASED.or(Classes::MARK);
const UPPER_PART: Classes = Classes::UPPER.or(EITHER);
const LOWER_PART: Classes = Classes::LOWER.or(EITHER);

/// The pattern of `o200k_base`.
pub(in crate::bpe) struct O200k;

impl Pattern for O200k {
    fn piece_end(text: &Cursor<'_>, start: usize) -> usize {
        let (first, after) = text.at(start);
        if first.meets(Classes::NUMBER) {
            return text.number_end(after);
        }
        if first == Classes::NEWLINE {
            return whitespace_end(text, start);
        }
        match word_end(text, start) {
            Some(end) => text.contraction_end(end).unwrap_or(end),
            None => symbols_end(text, start).unwrap_or_else(|| whitespace_end(text, start)),
        }
    }

    fn ends(text: &Cursor<'_>, start: usize) -> u64 {
        let window = Window::new(text.bytes(), start);
        let found = window.starts(window.newline | window.slash);
        let lower = window.letter & !window.upper;
        let starts = found.others | found.letter | window.upper & lower << 1;
        window.ends(join_contractions(text, start, &window, starts))
    }
}

/// Takes away what starts inside of contractions, which belong to the word before; behind them, something starts.
fn join_contractions(text: &Cursor<'_>, start: usize, window: &Window, mut starts: u64) -> u64 {
    let mut quotes = window.quote & window.letter << 1 & (window.letter >> 1 | window.last());
    let mut behind = 0;
    while quotes != 0 {
        let place = quotes.trailing_zeros() as usize;
        // A word has one contraction at most: a quote right behind it begins a word itself.
        if place != behind
            && let Some(end) = text.contraction_end(start + place)
        {
            behind = end - start;
            starts = window.with(starts & (below(place) | !below(behind)), behind);
        }
        quotes &= quotes - 1;
    }
    starts
}

/// The two word alternatives without their contraction.
///
/// A backtracking engine tries, in this order: the first alternative with the optional character, the first without
/// it, the second with it, the second without it. A mark is the only character that can be either the optional one or
/// part of the word; alone it satisfies the first alternative, so a mark before capitals only is a word of its own.
fn word_end(text: &Cursor<'_>, start: usize) -> Option<usize> {
    let (first, after) = text.at(start);
    let body = if first.meets(Classes::LETTER) { start } else { after };
    match scan_body(text, body) {
        Body::WithLower(end) => Some(end),
        _ if first == Classes::MARK => Some(after),
        Body::UpperOnly(end) => (end > body).then_some(end),
    }
}

/// A word without its optional first character.
enum Body {
    /// The end of what `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+` matches.
    WithLower(usize),
    /// It matches nothing; the end of the (possibly empty) run of `[\p{Lu}\p{Lt}]`.
    UpperOnly(usize),
}

/// The upper part is greedy and gives back as little as the lower part needs: nothing when a small letter follows,
/// otherwise what stands behind the last character that belongs to both parts.
fn scan_body(text: &Cursor<'_>, body: usize) -> Body {
    let mut end = body;
    let mut either_end = None;
    loop {
        let (class, next) = text.at(end);
        if class == Classes::LOWER {
            return Body::WithLower(text.skip_letters(next, LOWER_PART, Case::Small));
        }
        if !class.meets(UPPER_PART) {
            return either_end.map_or(Body::UpperOnly(end), Body::WithLower);
        }
        end = next;
        if class.meets(EITHER) {
            either_end = Some(end);
        }
    }
}

/// ` ?[^\s\p{L}\p{N}]+[\r\n/]*`
fn symbols_end(text: &Cursor<'_>, start: usize) -> Option<usize> {
    let first = start + usize::from(text.byte(start) == Some(b' '));
    let mut end = text.skip(first, Classes::SYMBOL);
    if end == first {
        return None;
    }
    while let Some(b'\r' | b'\n' | b'/') = text.byte(end) {
        end += 1;
    }
    Some(end)
}

/// `\s*[\r\n]+|\s+(?!\S)|\s+`
fn whitespace_end(text: &Cursor<'_>, start: usize) -> usize {
    let run = text.whitespace(start);
    match run.newline_end {
        Some(end) => end,
        None if text.is_end(run.end) => run.end,
        None => run.before_word(start),
    }
}
