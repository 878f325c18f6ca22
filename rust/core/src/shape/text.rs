//! The class of a text: the rarest kind of character in it.

use wide::{CmpEq, CmpLt, i8x16};

/// Marks of bytes: beyond ASCII; control characters; the beginning of what may be a special token.
const HIGH: u8 = 0x80;
const CONTROL: u8 = 1;
const LESS: u8 = 2;

/// Classes from the commonest to the rarest, in the order of `profile::UNICODE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum TextClass {
    /// Nothing else.
    #[default]
    Ascii,
    /// Letters of western European languages.
    Latin1,
    /// Chinese, Japanese and Korean.
    Cjk,
    /// Scripts that run from right to left.
    Rtl,
    /// Marks that join the character before, joiners and variation selectors.
    Combining,
    /// Characters beyond the first 65,536.
    Astral,
    /// Half a pair, which is no character.
    Surrogate,
    /// Control characters that are no white space.
    Control,
    /// What looks like a special token: `<|...`.
    SpecialToken,
    /// Any other script.
    Other,
}

impl TextClass {
    /// So many bytes of a text are looked at; the class of a longer one is that of its beginning.
    pub const LOOKED_AT: usize = 4_096;

    /// The class of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = if text.len() > Self::LOOKED_AT { beginning(text) } else { text };
        if is_plain(text.as_bytes()) { Self::Ascii } else { Self::of_marked(text) }
    }

    fn of_marked(text: &str) -> Self {
        let seen = marks(text.as_bytes());
        let special = if seen & LESS != 0 && text.contains("<|") { Self::SpecialToken } else { Self::Ascii };
        let bytes = if seen & CONTROL != 0 { Self::Control } else { Self::Ascii };
        let rest =
            if seen & HIGH == 0 { Self::Ascii } else { text.chars().map(Self::of_char).max().unwrap_or_default() };
        special.max(bytes).max(rest)
    }

    fn of_char(character: char) -> Self {
        match u32::from(character) {
            0..=0x7f => Self::Ascii,
            0x80..=0x9f => Self::Control,
            0xa0..=0x24f => Self::Latin1,
            0x1100..=0x11ff | 0x2e80..=0x9fff | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xff00..=0xffef => Self::Cjk,
            0x590..=0x8ff | 0x200f | 0xfb1d..=0xfdff | 0xfe70..=0xfeff => Self::Rtl,
            0x300..=0x36f | 0x200b..=0x200e | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f => Self::Combining,
            0x1_0000.. => Self::Astral,
            _ => Self::Other,
        }
    }
}

fn beginning(text: &str) -> &str {
    let end = (0..=TextClass::LOOKED_AT).rfind(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// Whether no byte gives reason to look for anything, as in nearly all texts.
fn is_plain(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk() else {
        return bytes.iter().all(|byte| !is_odd(*byte));
    };
    let (chunks, _) = bytes.as_chunks();
    chunks.iter().fold(odd(last), |found, chunk| found | odd(chunk)).none()
}

/// What the rarer half of all bytes is: all that have a mark, and some that have none.
fn is_odd(byte: u8) -> bool {
    (byte.cast_signed() < b' '.cast_signed() && byte != b'\n') || byte == 0x7f || byte == b'<'
}

/// The same of sixteen bytes at once.
fn odd(bytes: &[u8; 16]) -> i8x16 {
    let (bytes, all) = (i8x16::new(bytes.map(u8::cast_signed)), |byte: u8| i8x16::splat(byte.cast_signed()));
    let is = |byte| bytes.cmp_eq(all(byte));
    (bytes.cmp_lt(all(b' ')) & !is(b'\n')) | is(0x7f) | is(b'<')
}

/// What bytes give reason to look for; many at once, too.
fn marks(bytes: &[u8]) -> u8 {
    let (chunks, rest) = bytes.as_chunks::<16>();
    let mut last = [b' '; 16];
    last[..rest.len()].copy_from_slice(rest);
    let mut seen = [0; 16];
    let mut look = |chunk: &[u8; 16]| seen.iter_mut().zip(chunk).for_each(|(seen, byte)| *seen |= mark(*byte));
    chunks.iter().for_each(&mut look);
    look(&last);
    seen.iter().fold(0, |all, seen| all | seen)
}

/// Without branches, so that it can be told of many bytes at once.
fn mark(byte: u8) -> u8 {
    let is = |letter| u8::from(byte == letter);
    let is_space = is(b'\t') | is(b'\n') | is(b'\r');
    let is_control = u8::from(byte < 0x20) & !is_space | is(0x7f);
    (byte & HIGH) | (is_control * CONTROL) | (is(b'<') * LESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarest_character_names_the_class() {
        let classes =
            ["plain\n", "naïve", "naïve 你好", "שלום 你", "e\u{301}", "👍", "\u{1b}[0m", "a<|endoftext|>", "हिन्दी"];

        let expected = [
            TextClass::Ascii,
            TextClass::Latin1,
            TextClass::Cjk,
            TextClass::Rtl,
            TextClass::Combining,
            TextClass::Astral,
            TextClass::Control,
            TextClass::SpecialToken,
            TextClass::Other,
        ];
        assert_eq!(expected, classes.map(TextClass::of));
    }

    #[test]
    fn every_byte_counts_wherever_it_stands() {
        for (mark, class) in [("\u{7f}", TextClass::Control), ("\0", TextClass::Control), ("é", TextClass::Latin1)] {
            for (before, after) in (0..40).flat_map(|before| (0..20).map(move |after| (before, after))) {
                let text = ["x".repeat(before).as_str(), mark, &"\t".repeat(after)].concat();
                assert_eq!(class, TextClass::of(&text), "{text:?}");
            }
        }
        assert_eq!(TextClass::Ascii, TextClass::of("a < b | c"));
    }

    #[test]
    fn every_byte_that_has_a_mark_is_odd() {
        assert!((0..=u8::MAX).all(|byte| mark(byte) == 0 || is_odd(byte)));
        assert!((b' '..0x7f).chain([b'\n']).all(|byte| is_odd(byte) == (byte == b'<')));
        assert!((0..=u8::MAX).all(|byte| is_odd(byte) == odd(&[byte; 16]).all()));
    }

    #[test]
    fn the_beginning_of_a_long_text_is_looked_at() {
        const LOOKED_AT: usize = TextClass::LOOKED_AT;
        assert_eq!(TextClass::Ascii, TextClass::of(&("x".repeat(LOOKED_AT) + "é")));
        assert_eq!(TextClass::Ascii, TextClass::of(&("x".repeat(LOOKED_AT - 1) + "é")));
    }
}
