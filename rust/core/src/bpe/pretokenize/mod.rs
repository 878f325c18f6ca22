//! Splitting text into the pieces that are encoded each on its own.
//!
//! The patterns are those of tiktoken 0.14, `tiktoken_ext/openai_public.py`. They need a regex engine with
//! backtracking, which takes most of tiktoken's time; each scanner here says the same in a few class tests per
//! character and quotes the alternative of the pattern it stands for. Where the text is ASCII, most pieces are found
//! without the scanner, many at a time.

use std::marker::PhantomData;

mod cl100k;
mod cursor;
mod gpt2;
mod o200k;
mod window;

pub(super) use cl100k::Cl100k;
use cursor::Cursor;
pub(super) use gpt2::Gpt2;
pub(super) use o200k::O200k;

/// A pattern: where the piece ends that starts at a given place.
pub(super) trait Pattern {
    /// The end of the piece that starts at `start`, which is a character boundary before the end of the text.
    fn piece_end(text: &Cursor<'_>, start: usize) -> usize;

    /// Where pieces end from there on, as far as the next [`window`] shows it for certain: a bit for each place, counted
    /// from `start`.
    fn ends(text: &Cursor<'_>, start: usize) -> u64;
}

/// Start and end of every piece of a text, in order.
pub(super) struct Pieces<'a, P> {
    cursor: Cursor<'a>,
    len: usize,
    start: usize,
    /// The place that the first bit of `ends` stands for.
    first: usize,
    /// Where the next pieces end, as far as that is known.
    ends: u64,
    pattern: PhantomData<P>,
}

impl<'a, P: Pattern> Pieces<'a, P> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { cursor: Cursor::new(text), len: text.len(), start: 0, first: 0, ends: 0, pattern: PhantomData }
    }

    /// The end of the piece that starts here, when no window shows it.
    #[inline]
    fn look_on(&mut self) -> Option<usize> {
        self.first = self.start;
        if self.cursor.is_ascii_at(self.start) {
            self.ends = P::ends(&self.cursor, self.start);
        }
        (self.ends == 0).then(|| P::piece_end(&self.cursor, self.start))
    }
}

impl<P: Pattern> Iterator for Pieces<'_, P> {
    type Item = (usize, usize);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let start = self.start;
        if self.ends == 0 {
            if start == self.len {
                return None;
            }
            if let Some(end) = self.look_on() {
                self.start = end;
                return Some((start, end));
            }
        }
        let end = self.first + self.ends.trailing_zeros() as usize;
        self.ends &= self.ends - 1;
        self.start = end;
        Some((start, end))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces<P: Pattern>(text: &str) -> Vec<&str> {
        Pieces::<P>::new(text).map(|(start, end)| &text[start..end]).collect()
    }

    fn scanned<P: Pattern>(text: &str) -> Vec<&str> {
        let cursor = Cursor::new(text);
        let (mut start, mut pieces) = (0, Vec::new());
        while start < text.len() {
            let end = P::piece_end(&cursor, start);
            pieces.push(&text[start..end]);
            start = end;
        }
        pieces
    }

    fn assert_split<P: Pattern>(expected: &[&str]) {
        for expected in expected {
            let text = expected.replace('|', "");
            assert_eq!(*expected, pieces::<P>(&text).join("|"));
            assert_eq!(*expected, scanned::<P>(&text).join("|"));
        }
    }

    #[test]
    fn cl100k_splits_as_its_pattern_says() {
        assert_split::<Cl100k>(&[
            "It|'s| I|'LL| we|'ve|'x",
            "'ſ|'ſ|a|''|s",
            "HTTPServer| camelCase|!word| iPhone",
            "1|.|234|567|8",
            "a|   \n| ?!\r\n\n|/x|\n|/",
            "a| \n  ",
            "a|  \n| | b",
            "a|\u{301}b|!!\u{301}\u{301}",
            "\u{301}AB",
            "ABʰC",
            "AB中C中|'s",
            "\u{a0}中文|，",
        ]);
    }

    #[test]
    fn o200k_splits_as_its_pattern_says() {
        assert_split::<O200k>(&[
            "It's| I'LL| we've|'x",
            "'ſ'ſ|a|''|s",
            "HTTPServer| camel|Case|!word| i|Phone",
            "1|.|234|567|8",
            "a|   \n| ?!\r\n\n/|x|\n|/",
            "a| \n|  ",
            "a|  \n| | b",
            "a\u{301}b|!!\u{301}\u{301}",
            "\u{301}|AB",
            "\u{301}Ab",
            "ABʰ|C",
            "ABʰCd",
            "AB中C中's",
            "\u{a0}中文|，",
        ]);
    }

    #[test]
    fn gpt2_splits_as_its_pattern_says() {
        assert_split::<Gpt2>(&[
            "It|'s| I|'|LL| we|'ve|'|x",
            "'|ſa|''|s",
            "HTTPServer| camelCase|!|word| iPhone",
            "1|.|23456| 78",
            "a|   \n| ?!|\r\n|\n|/|x|\n|/",
            "a| |\n|b",
            "a| \n  ",
            "a|\u{301}|b|!!\u{301}\u{301}",
            "\u{a0}|中文|，",
        ]);
    }

    proptest! {
        #[test]
        fn pieces_are_the_text_cut_into_pieces_that_are_not_empty(text in "(\\PC|[ \n\r'/1aA\u{301}]){0,40}") {
            for pieces in [pieces::<Cl100k>(&text), pieces::<O200k>(&text), pieces::<Gpt2>(&text)] {
                prop_assert_eq!(&text, &pieces.concat());
                prop_assert!(!pieces.contains(&""));
            }
        }

        #[test]
        fn a_window_shows_what_the_scanner_finds(text in "([ \t\r\n]{1,3}|[/!'.{]{1,2}|'(s|LL|re|Ve|ſ|x)|[a-z]{1,9}|[A-Z]{1,3}|[0-9]{1,5}|[é中\u{301}]){0,60}") {
            prop_assert_eq!(scanned::<Cl100k>(&text), pieces::<Cl100k>(&text));
            prop_assert_eq!(scanned::<O200k>(&text), pieces::<O200k>(&text));
        }
    }
}
