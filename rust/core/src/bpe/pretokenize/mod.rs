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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces<P: Pattern>(text: &str) -> Vec<&str> {
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
            assert_eq!(*expected, pieces::<P>(&expected.replace('|', "")).join("|"));
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

    proptest! {
        #[test]
        fn pieces_are_the_text_cut_into_pieces_that_are_not_empty(text in "(\\PC|[ \n\r'/1aA\u{301}]){0,40}") {
            for pieces in [pieces::<Cl100k>(&text), pieces::<O200k>(&text)] {
                prop_assert_eq!(&text, &pieces.concat());
                prop_assert!(!pieces.contains(&""));
            }
        }
    }
}
