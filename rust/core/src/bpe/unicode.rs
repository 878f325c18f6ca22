//! The character classes the patterns speak of, in the Unicode version tiktoken uses.
//!
//! tiktoken 0.14 compiles its patterns with a regex engine whose tables are Unicode 16.0. A later version has more
//! letters, which would join pieces that tiktoken splits, so the tables are taken from the same crate, pinned.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// A set of character classes. Every character belongs to exactly one class; the end of the text belongs to none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Classes(u8);

impl Classes {
    pub(super) const NONE: Self = Self(0);
    /// `[\p{Lu}\p{Lt}]`
    pub(super) const UPPER: Self = Self(1);
    /// `\p{Ll}`
    pub(super) const LOWER: Self = Self(1 << 1);
    /// `[\p{Lm}\p{Lo}]`
    pub(super) const UNCASED: Self = Self(1 << 2);
    /// `\p{M}`
    pub(super) const MARK: Self = Self(1 << 3);
    /// `\p{N}`
    pub(super) const NUMBER: Self = Self(1 << 4);
    /// `[\r\n]`
    pub(super) const NEWLINE: Self = Self(1 << 5);
    /// `[\s--\r\n]`
    pub(super) const BLANK: Self = Self(1 << 6);
    /// Everything else.
    pub(super) const OTHER: Self = Self(1 << 7);

    /// `\p{L}`
    pub(super) const LETTER: Self = Self::UPPER.or(Self::LOWER).or(Self::UNCASED);
    /// `\s`
    pub(super) const SPACE: Self = Self::NEWLINE.or(Self::BLANK);
    /// `[^\s\p{L}\p{N}]`
    pub(super) const SYMBOL: Self = Self::MARK.or(Self::OTHER);

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the two sets share a class; for the one class of a character: whether it is in the set.
    pub(super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Later entries win: `\s` holds the newlines too.
const DEFINITIONS: [(&str, Classes); 7] = [
    (r"[\p{Lu}\p{Lt}]", Classes::UPPER),
    (r"\p{Ll}", Classes::LOWER),
    (r"[\p{Lm}\p{Lo}]", Classes::UNCASED),
    (r"\p{M}", Classes::MARK),
    (r"\p{N}", Classes::NUMBER),
    (r"\s", Classes::BLANK),
    (r"[\r\n]", Classes::NEWLINE),
];

const PAGE: usize = 256;
const CODE_POINTS: usize = char::MAX as usize + 1;

type Page = [Classes; PAGE];

/// The class of every character: a page number per 256 code points, and each distinct page once (about 50 KB).
pub(super) struct ClassTable {
    /// The classes of ASCII by byte, once more, and none for the bytes of longer characters.
    by_byte: Page,
    page_of: Vec<u16>,
    pages: Vec<Page>,
}

impl ClassTable {
    /// The one table of the process, built on first use.
    pub(super) fn shared() -> &'static Self {
        static TABLE: LazyLock<ClassTable> = LazyLock::new(ClassTable::build);
        &TABLE
    }

    fn build() -> Self {
        let mut flat = vec![Classes::OTHER; CODE_POINTS];
        for (pattern, class) in DEFINITIONS {
            for (first, last) in ranges(pattern) {
                flat[first..=last].fill(class);
            }
        }
        let (flat_pages, _) = flat.as_chunks::<PAGE>();
        let mut pages = Vec::new();
        let mut numbers = HashMap::new();
        let page_of = flat_pages
            .iter()
            .map(|page| {
                *numbers.entry(page).or_insert_with(|| {
                    pages.push(*page);
                    u16::try_from(pages.len() - 1).unwrap_or(u16::MAX)
                })
            })
            .collect();
        let mut by_byte = [Classes::NONE; PAGE];
        by_byte[..128].copy_from_slice(&flat[..128]);
        Self { by_byte, page_of, pages }
    }

    /// The class of an ASCII character; none for a byte that is a part of another character.
    pub(super) fn of_byte(&self, byte: u8) -> Classes {
        self.by_byte[usize::from(byte)]
    }

    pub(super) fn of(&self, character: char) -> Classes {
        let code_point = character as usize;
        self.pages[usize::from(self.page_of[code_point / PAGE])][code_point % PAGE]
    }
}

/// Whether every character of a text was assigned in Unicode 11.0: the Hugging Face library normalises by that version and
/// splits by a later one, which has the same to say of these.
pub(super) fn is_settled(text: &str) -> bool {
    static SETTLED: LazyLock<Vec<(usize, usize)>> = LazyLock::new(|| ranges(r"\p{age:11.0}"));
    let holds = |character: char| {
        let code_point = character as usize;
        let behind = SETTLED.partition_point(|range| range.0 <= code_point);
        behind > 0 && code_point <= SETTLED[behind - 1].1
    };
    text.is_ascii() || text.chars().all(|character| character.is_ascii() || holds(character))
}

/// The code points, first and last of each range, that a pattern of one character matches.
fn ranges(pattern: &str) -> Vec<(usize, usize)> {
    match regex_syntax::parse(pattern).map(regex_syntax::hir::Hir::into_kind) {
        Ok(HirKind::Class(Class::Unicode(set))) => {
            set.iter().map(|range| (range.start() as usize, range.end() as usize)).collect()
        }
        _ => unreachable!("the patterns are constants of this file, and each is one class"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_unicode_16() {
        let table = ClassTable::shared();
        for (character, letter) in [
            ('\u{088F}', false),
            ('\u{A7CE}', false),
            ('\u{10940}', false),
            ('\u{1C89}', true),
            ('\u{A7CB}', true),
            ('\u{105C0}', true),
        ] {
            assert_eq!(letter, table.of(character).meets(Classes::LETTER), "{character:?}");
        }
    }

    #[test]
    fn what_came_after_unicode_11_is_not_settled() {
        for (text, settled) in [
            ("ascii", true),
            ("é中😀", true),
            ("\u{1F16C}", false),
            ("㋿", false),
            ("a\u{A7F2}", false),
            ("\u{378}", false),
        ] {
            assert_eq!(settled, is_settled(text), "{text:?}");
        }
    }

    #[test]
    fn whitespace_is_the_white_space_property() {
        let table = ClassTable::shared();
        let found: Vec<u32> = (0..=u32::from(char::MAX))
            .filter(|&code| char::from_u32(code).is_some_and(|c| table.of(c).meets(Classes::SPACE)))
            .collect();
        let mut expected: Vec<u32> = (0x9..=0xD).chain([0x20, 0x85, 0xA0, 0x1680]).chain(0x2000..=0x200A).collect();
        expected.extend([0x2028, 0x2029, 0x202F, 0x205F, 0x3000]);
        assert_eq!(expected, found);
    }

    #[test]
    fn every_class_has_its_textbook_member() {
        let table = ClassTable::shared();
        for (character, class) in [
            ('A', Classes::UPPER),
            ('ǅ', Classes::UPPER),
            ('a', Classes::LOWER),
            ('ſ', Classes::LOWER),
            ('ʰ', Classes::UNCASED),
            ('中', Classes::UNCASED),
            ('\u{301}', Classes::MARK),
            ('7', Classes::NUMBER),
            ('½', Classes::NUMBER),
            ('\n', Classes::NEWLINE),
            ('\r', Classes::NEWLINE),
            ('\u{A0}', Classes::BLANK),
            ('\u{200B}', Classes::OTHER),
            ('/', Classes::OTHER),
        ] {
            assert_eq!(class, table.of(character), "{character:?}");
        }
    }
}
