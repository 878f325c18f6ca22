//! The next 64 characters of a text, all looked at in one go while they are ASCII.
//!
//! A scanner that goes from character to character spends most of its time on branches that no processor predicts: how long
//! a word is, what comes behind it. Here a class is a set of places, a bit each, and where pieces start follows from
//! shifting such sets. The last piece of a window is left to the scanner, or to the next window: what follows is not in sight.

use wide::{CmpEq, CmpGt, CmpLt, i8x16};

/// The most characters a window shows.
const SIZE: usize = u64::BITS as usize;

/// The places of up to [`SIZE`] ASCII characters by class, the first character in the lowest bit.
///
/// A window begins where a piece does, and ends before the first character that is not ASCII. No set has a place behind it.
pub(super) struct Window {
    len: usize,
    ends_text: bool,
    pub(super) upper: u64,
    pub(super) letter: u64,
    pub(super) newline: u64,
    pub(super) slash: u64,
    pub(super) quote: u64,
    number: u64,
    space: u64,
    whitespace: u64,
    /// Neither letter nor number nor whitespace.
    symbol: u64,
}

/// Where pieces start, as far as both patterns say the same.
pub(super) struct Starts {
    /// All places where a piece starts but for words.
    pub(super) others: u64,
    /// Symbols with which a piece starts; a letter behind one belongs to it.
    pub(super) symbol: u64,
    /// Letters with which a piece starts.
    pub(super) letter: u64,
}

impl Window {
    /// The window that begins at `start`.
    pub(super) fn new(text: &[u8], start: usize) -> Self {
        let rest = &text[start..];
        let mut window = match rest.first_chunk() {
            Some(bytes) => Self::of(bytes),
            None => Self::of(&padded(rest)),
        };
        window.ends_text = window.len == rest.len();
        window
    }

    fn of(bytes: &[u8; SIZE]) -> Self {
        let (blocks, _) = bytes.as_chunks();
        let blocks = [0, 1, 2, 3].map(|index: usize| i8x16::new(blocks[index].map(u8::cast_signed)));
        let set = |found: fn(i8x16) -> i8x16| {
            let bits = blocks.map(|block| u64::from(found(block).move_mask().cast_unsigned()));
            bits[0] | bits[1] << 16 | bits[2] << 32 | bits[3] << 48
        };
        let len = set(|block| block).trailing_zeros() as usize;
        let shown = below(len);
        let upper = shown & set(|block| within(block, b'A', b'Z'));
        let letter = upper | shown & set(|block| within(block, b'a', b'z'));
        let number = shown & set(|block| within(block, b'0', b'9'));
        let space = shown & set(|block| equal(block, b' '));
        let whitespace = space | shown & set(|block| within(block, b'\t', b'\r'));
        Self {
            len,
            ends_text: false,
            upper,
            letter,
            newline: shown & set(|block| equal(block, b'\n') | equal(block, b'\r')),
            slash: shown & set(|block| equal(block, b'/')),
            quote: shown & set(|block| equal(block, b'\'')),
            number,
            space,
            whitespace,
            symbol: shown & !(letter | number | whitespace),
        }
    }

    /// Where pieces start, by all that the two patterns have in common. `trailing` are the characters that symbols take along
    /// once the first of them is a newline.
    pub(super) fn starts(&self, trailing: u64) -> Starts {
        let taken = self.taken_along(trailing);
        let symbol = self.symbol & !taken;
        let blank = self.whitespace & !self.newline;
        // A blank before a word or a symbol stays alone or goes with what follows.
        let last_blank = blank & !(self.whitespace >> 1);
        let first_blank = blank & !(self.whitespace << 1) | blank & (taken << 1) | self.first_behind_newline(blank);
        let newline = self.newline & !taken & !(self.whitespace << 1);
        let symbol = symbol & !(symbol << 1) & !(self.space << 1);
        Starts {
            others: last_blank | first_blank | newline | symbol | self.number_starts(),
            symbol,
            letter: self.letter & !((self.letter | blank | symbol) << 1),
        }
    }

    /// Where pieces end that start in the window, given where they start: the starts of the next ones, as far as they are
    /// certain whatever follows.
    pub(super) fn ends(&self, starts: u64) -> u64 {
        let after = !self.whitespace & below(self.len);
        // The whitespace at the end of the window may go on; its first character is certain.
        let certain = u64::BITS - after.leading_zeros() + 1;
        let ends = starts & !1 & below(certain as usize);
        let all = self.ends_text && certain as usize > self.len && self.len < SIZE;
        if all { ends | 1 << self.len } else { ends }
    }

    /// Adds that a piece starts at `place`, if the window shows it.
    pub(super) fn with(&self, starts: u64, place: usize) -> u64 {
        if place < self.len { starts | 1 << place } else { starts }
    }

    /// Whether the last character of the window is among these.
    pub(super) fn last(&self) -> u64 {
        if self.len == 0 { 0 } else { 1 << (self.len - 1) }
    }

    /// The newlines directly behind symbols, and what follows them in turn.
    fn taken_along(&self, trailing: u64) -> u64 {
        let first = self.newline & (self.symbol << 1);
        // Adding the first of a run carries through all of the run; a first one in a run that another began stays set.
        trailing & !trailing.wrapping_add(first) | first
    }

    /// The first of the blanks between the last newline of a run of whitespace and what follows.
    fn first_behind_newline(&self, blank: u64) -> u64 {
        let mut first = blank & (self.newline << 1);
        let mut before_newline = blank & (self.newline >> 1);
        while before_newline != 0 {
            let place = before_newline.trailing_zeros() as usize;
            let run = u64::BITS - (!blank & below(place)).leading_zeros();
            first &= !(1 << run);
            before_newline &= before_newline - 1;
        }
        first
    }

    /// Every third of a run of digits.
    fn number_starts(&self) -> u64 {
        let number = self.number;
        let more = number & number << 1 & number << 2 & number << 3;
        let mut starts = number & !(number << 1);
        let mut next = starts << 3 & more;
        while next != 0 {
            starts |= next;
            next = next << 3 & more;
        }
        starts
    }
}

/// The places below a place.
pub(super) fn below(place: usize) -> u64 {
    if place >= SIZE { u64::MAX } else { (1 << place) - 1 }
}

/// The rest of a text, and behind it what is not ASCII.
fn padded(rest: &[u8]) -> [u8; SIZE] {
    let mut bytes = [0x80; SIZE];
    bytes[..rest.len()].copy_from_slice(rest);
    bytes
}

fn equal(block: i8x16, byte: u8) -> i8x16 {
    block.cmp_eq(i8x16::splat(byte.cast_signed()))
}

/// Whether a byte is among those from `first` to `last`, which are ASCII; as signed numbers, all others are below.
fn within(block: i8x16, first: u8, last: u8) -> i8x16 {
    block.cmp_gt(i8x16::splat(first.cast_signed() - 1)) & block.cmp_lt(i8x16::splat(last.cast_signed() + 1))
}
