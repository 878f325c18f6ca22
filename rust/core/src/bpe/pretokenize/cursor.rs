//! Reading text by character class, and what the two patterns have in common.

use crate::bpe::unicode::{ClassTable, Classes};

/// A text whose characters are looked at by class.
pub(in crate::bpe) struct Cursor<'a> {
    text: &'a str,
    table: &'static ClassTable,
}

impl<'a> Cursor<'a> {
    pub(in crate::bpe) fn new(text: &'a str) -> Self {
        Self { text, table: ClassTable::shared() }
    }

    /// The class of the character at `position` and where the next one starts; at the end: no class, and the end.
    #[inline]
    pub(super) fn at(&self, position: usize) -> (Classes, usize) {
        match self.text.as_bytes().get(position) {
            None => (Classes::NONE, position),
            Some(&byte) if byte.is_ascii() => (self.table.of_byte(byte), position + 1),
            Some(_) => self.wide_at(position),
        }
    }

    /// [`Self::at`] for a character that is not ASCII.
    #[inline(never)]
    fn wide_at(&self, position: usize) -> (Classes, usize) {
        match self.text[position..].chars().next() {
            None => (Classes::NONE, position),
            Some(character) => (self.table.of(character), position + character.len_utf8()),
        }
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    pub(super) fn byte(&self, position: usize) -> Option<u8> {
        self.text.as_bytes().get(position).copied()
    }

    /// Whether this character and the next one are ASCII.
    pub(super) fn is_ascii_at(&self, position: usize) -> bool {
        self.bytes()[position..].iter().take(2).all(u8::is_ascii)
    }

    pub(super) fn is_end(&self, position: usize) -> bool {
        position == self.text.len()
    }

    /// The end of the longest run of characters of `set` that starts at `position`.
    pub(super) fn skip(&self, mut position: usize, set: Classes) -> usize {
        loop {
            while let Some(byte) = self.byte(position)
                && self.table.of_byte(byte).meets(set)
            {
                position += 1;
            }
            let (class, next) = self.at(position);
            if !class.meets(set) {
                return position;
            }
            position = next;
        }
    }

    /// [`Self::skip`] for a set whose ASCII members are the small letters or, ignoring case, all letters.
    #[inline]
    pub(super) fn skip_letters(&self, mut position: usize, set: Classes, case: Case) -> usize {
        while let Some(window) = self.text.as_bytes()[position..].first_chunk() {
            let run = leading_letters(*window, case);
            position += run;
            if window.get(run).is_some_and(u8::is_ascii) {
                return position;
            }
            if run < window.len() {
                break;
            }
        }
        self.skip(position, set)
    }

    /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)`: the end of the contraction that starts at `position`, if one does.
    ///
    /// Ignoring case, `s` is also U+017F, the long s; the other letters have no such relative.
    pub(super) fn contraction_end(&self, position: usize) -> Option<usize> {
        let rest = self.text.as_bytes().get(position..)?.strip_prefix(b"'")?;
        let length = match *rest {
            [b's' | b'S' | b't' | b'T' | b'm' | b'M' | b'd' | b'D', ..] => 2,
            [b'r' | b'R' | b'v' | b'V', b'e' | b'E', ..] | [b'l' | b'L', b'l' | b'L', ..] | [0xC5, 0xBF, ..] => 3,
            _ => return None,
        };
        Some(position + length)
    }

    /// `'(?:[sdmt]|ll|ve|re)`: the end of the contraction in small letters that starts at `position`, if one does.
    pub(super) fn small_contraction_end(&self, position: usize) -> Option<usize> {
        let end = self.contraction_end(position)?;
        self.bytes()[position..end].iter().all(|byte| !byte.is_ascii_uppercase() && byte.is_ascii()).then_some(end)
    }

    /// `\p{N}{1,3}`, given that the character before `after` is the first of them.
    pub(super) fn number_end(&self, after: usize) -> usize {
        let mut end = after;
        for _ in 0..2 {
            let (class, next) = self.at(end);
            if !class.meets(Classes::NUMBER) {
                break;
            }
            end = next;
        }
        end
    }

    /// The whitespace run that starts at `start`.
    pub(super) fn whitespace(&self, start: usize) -> Whitespace {
        let mut run = Whitespace { end: start, last_start: start, newline_end: None };
        loop {
            let (class, next) = self.at(run.end);
            if !class.meets(Classes::SPACE) {
                return run;
            }
            run.last_start = run.end;
            run.end = next;
            if class == Classes::NEWLINE {
                run.newline_end = Some(next);
            }
        }
    }
}

/// Which ASCII letters count as letters of a run.
#[derive(Clone, Copy)]
pub(super) enum Case {
    Small,
    Ignored,
}

/// The number of ASCII letters the window begins with, all bytes looked at in one go.
///
/// Most words are shorter than a window, so the length of a word is no branch the processor can mispredict.
#[inline]
fn leading_letters(window: [u8; 8], case: Case) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = EACH * 0x80;
    let bytes = match case {
        Case::Small => u64::from_le_bytes(window),
        Case::Ignored => u64::from_le_bytes(window) | (EACH * 0x20),
    };
    // Adding to the lower seven bits carries into the high bit from a certain value on; it cannot carry further.
    let from_a = (bytes & !HIGH) + EACH * (0x80 - 0x61);
    let beyond_z = (bytes & !HIGH) + EACH * (0x80 - 0x7B);
    let letters = from_a & !beyond_z & !bytes & HIGH;
    (!letters & HIGH).trailing_zeros() as usize / 8
}

/// A run of whitespace.
pub(super) struct Whitespace {
    pub(super) end: usize,
    /// Where the last character of the run starts.
    last_start: usize,
    /// Where the last newline of the run ends.
    pub(super) newline_end: Option<usize>,
}

impl Whitespace {
    /// `\s+(?!\S)|\s` before a character that is no whitespace: all but the last, unless it is the only one.
    pub(super) fn before_word(&self, start: usize) -> usize {
        if self.last_start > start { self.last_start } else { self.end }
    }
}
