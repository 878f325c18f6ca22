//! Splitting text into the pieces that are encoded each on its own.
//!
//! The patterns are those of tiktoken 0.14, `tiktoken_ext/openai_public.py`. They need a regex engine with
//! backtracking, which takes most of tiktoken's time; each scanner here says the same in a few class tests per
//! character and quotes the alternative of the pattern it stands for.

mod cl100k;
mod cursor;
mod o200k;

pub(super) use cl100k::Cl100k;
pub(super) use cursor::Cursor;
pub(super) use o200k::O200k;

/// A pattern: where the piece ends that starts at a given place.
pub(super) trait Pattern {
    /// The end of the piece that starts at `start`, which is a character boundary before the end of the text.
    fn piece_end(text: &Cursor<'_>, start: usize) -> usize;
}
