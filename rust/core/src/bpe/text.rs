//! What Python calls a string.

use std::borrow::Cow;

/// A text as Python holds it. Python's `str` may hold lone surrogates, which no `&str` can.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    /// A text without surrogates: nearly every text there is.
    Valid(&'a str),
    /// The code points, 0 to 0x10FFFF, of a text with at least one surrogate among them.
    CodePoints(&'a [u32]),
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::Valid(text)
    }
}

impl<'a> Text<'a> {
    /// The number of code points: Python's `len`.
    #[must_use]
    pub fn chars(self) -> usize {
        match self {
            Self::Valid(text) => text.chars().count(),
            Self::CodePoints(code_points) => code_points.len(),
        }
    }

    /// Whether the text has at most `limit` code points, without counting more than needed.
    pub(super) fn fits(self, limit: usize) -> bool {
        match self {
            // A code point takes at least one byte, so a text of few bytes has few code points.
            Self::Valid(text) => text.len() <= limit || text.chars().count() <= limit,
            Self::CodePoints(code_points) => code_points.len() <= limit,
        }
    }

    /// The text before and from the `chars`th code point on; all of it and nothing when it is shorter.
    pub(super) fn split_at(self, chars: usize) -> (Self, Self) {
        match self {
            Self::Valid(text) => {
                let (head, tail) = text.split_at(byte_offset(text, chars));
                (Self::Valid(head), Self::Valid(tail))
            }
            Self::CodePoints(code_points) => {
                let (head, tail) = code_points.split_at(chars.min(code_points.len()));
                (Self::CodePoints(head), Self::CodePoints(tail))
            }
        }
    }

    /// How much memory it takes, and so about how long it takes to count.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Valid(text) => text.len(),
            Self::CodePoints(code_points) => size_of_val(code_points),
        }
    }

    pub(super) fn is_empty(self) -> bool {
        match self {
            Self::Valid(text) => text.is_empty(),
            Self::CodePoints(code_points) => code_points.is_empty(),
        }
    }

    /// The text tiktoken encodes: itself, or with its surrogates repaired.
    #[must_use]
    pub fn repaired(self) -> Cow<'a, str> {
        match self {
            Self::Valid(text) => Cow::Borrowed(text),
            Self::CodePoints(code_points) => Cow::Owned(repair(code_points)),
        }
    }
}

/// Where the `chars`th code point starts, or the end.
fn byte_offset(text: &str, chars: usize) -> usize {
    match text.as_bytes().get(..chars) {
        None => text.char_indices().nth(chars).map_or(text.len(), |(offset, _)| offset),
        Some(head) if head.is_ascii() => chars,
        Some(_) => text.char_indices().nth(chars).map_or(text.len(), |(offset, _)| offset),
    }
}

/// Joins surrogates that stand as a pair and replaces all others by U+FFFD.
///
/// tiktoken catches the `UnicodeEncodeError` of such a text and encodes
/// `text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")` instead (`Encoding.encode`, tiktoken 0.14).
fn repair(code_points: &[u32]) -> String {
    let units = code_points.iter().flat_map(|&code_point| {
        let (high, low) = utf16(code_point);
        high.into_iter().chain([low])
    });
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The UTF-16 form of a code point, a surrogate being its own form: the high unit, if it needs two, and the other.
#[expect(clippy::cast_possible_truncation, reason = "each half is masked to its bits or known to be below 0x10000")]
fn utf16(code_point: u32) -> (Option<u16>, u16) {
    match code_point.checked_sub(0x1_0000) {
        None => (None, code_point as u16),
        Some(beyond) => (Some(0xD800 | (beyond >> 10) as u16), 0xDC00 | (beyond & 0x3FF) as u16),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_join_and_lone_surrogates_are_replaced() {
        for (code_points, expected) in [
            (&[0xD83D, 0xDE00][..], "😀"),
            (&[0xDE00, 0xD83D], "\u{FFFD}\u{FFFD}"),
            (&[0xD83D, 0xD83D, 0xDE00], "\u{FFFD}😀"),
            (&[0xD83D, 0x1_F600], "\u{FFFD}😀"),
            (&[0x61, 0xD800], "a\u{FFFD}"),
            (&[0xFEFF, 0xDC00, 0x10_FFFF], "\u{FEFF}\u{FFFD}\u{10FFFF}"),
        ] {
            assert_eq!(expected, Text::CodePoints(code_points).repaired(), "{code_points:X?}");
        }
    }

    #[test]
    fn splitting_counts_code_points() {
        for (text, chars, head) in
            [("abcd", 2, "ab"), ("a中b", 2, "a中"), ("😀😀", 1, "😀"), ("ab", 5, "ab"), ("é", 0, "")]
        {
            let (before, after) = Text::Valid(text).split_at(chars);
            assert_eq!(head, before.repaired());
            assert_eq!(text, before.repaired().into_owned() + &after.repaired());
        }
    }
}
