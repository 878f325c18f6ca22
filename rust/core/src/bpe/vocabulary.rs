//! Which byte strings are tokens, and their ranks.

use std::collections::HashMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustc_hash::FxBuildHasher;

use super::piece::{PackedPiece, Piece};
use super::tokenizer::Merge;

/// The place of a token in the order of merges; lower merges first.
pub(super) type Rank = u32;

/// What [`Vocabulary::rank`] answers for what is no token: later than every merge.
pub(super) const NO_RANK: Rank = Rank::MAX;

/// The tokens of an encoding.
///
/// The keys never come from the text being counted, so a fast hash without a secret is safe here.
pub(super) struct Vocabulary {
    /// Of three bytes, and of four: seven of ten looks while pieces of code are merged are for these, and most of them find
    /// one. In tables of their own they stay in the processor's caches.
    threes: HashMap<u32, Rank, FxBuildHasher>,
    fours: HashMap<u32, Rank, FxBuildHasher>,
    short: HashMap<PackedPiece, Rank, FxBuildHasher>,
    long: HashMap<Box<[u8]>, Rank, FxBuildHasher>,
    /// The ranks of all pairs of bytes, by the first byte, then the second: where every merge begins.
    pairs: Box<[Rank]>,
    /// By rank, where the one pair of tokens is divided that merges into a token. Empty where every pair merges whose union
    /// is a token.
    splits: Vec<usize>,
}

impl Vocabulary {
    fn with_capacity(tokens: usize) -> Self {
        Self {
            threes: HashMap::default(),
            fours: HashMap::default(),
            short: HashMap::with_capacity_and_hasher(tokens, FxBuildHasher),
            long: HashMap::default(),
            pairs: vec![NO_RANK; 1 << 16].into_boxed_slice(),
            splits: Vec::new(),
        }
    }

    /// Takes merges, each of which makes a token of its own; nothing when two make the same.
    pub(super) fn of_merges(merges: &[Merge]) -> Option<Self> {
        let mut vocabulary = Self::with_capacity(merges.len());
        for (merge, rank) in merges.iter().zip(0..) {
            vocabulary.add(&merge.token, rank).ok()?;
            vocabulary.splits.push(merge.split);
        }
        Some(vocabulary)
    }

    /// Reads the text of a `.tiktoken` file: a token in base64, a space and its rank on each line, ranks from 0 up but for the
    /// one that is left out.
    pub(super) fn parse(data: &[u8], left_out: Option<Rank>) -> Result<Self, VocabularyError> {
        let lines = data.strip_suffix(b"\n").unwrap_or(data).split(|&byte| byte == b'\n');
        // The shortest line, such as `IQ== 0`, has seven bytes; real files have 17 to 18 a line.
        let mut vocabulary = Self::with_capacity(data.len() / 16);
        for (index, line) in lines.enumerate() {
            let rank = index + usize::from(left_out.is_some_and(|rank| rank as usize <= index));
            vocabulary.insert(line, rank).map_err(|problem| VocabularyError { line: index + 1, problem })?;
        }
        Ok(vocabulary)
    }

    fn insert(&mut self, line: &[u8], expected: usize) -> Result<(), LineProblem> {
        let space = line.iter().position(|&byte| byte == b' ').ok_or(LineProblem::NoSpace)?;
        let mut buffer = [0; 1024];
        let length = STANDARD.decode_slice(&line[..space], &mut buffer).map_err(|_| LineProblem::NotBase64)?;
        let token = &buffer[..length];
        let rank: Rank = str::from_utf8(&line[space + 1..])
            .ok()
            .and_then(|digits| digits.trim_end().parse().ok())
            .filter(|&rank| rank as usize == expected)
            .ok_or(LineProblem::NotTheNextRank)?;
        if token.is_empty() { Err(LineProblem::NotBase64) } else { self.add(token, rank) }
    }

    fn add(&mut self, token: &[u8], rank: Rank) -> Result<(), LineProblem> {
        if let [first, second] = *token {
            self.pairs[pair_index(first, second)] = rank;
        }
        let previous = match (token.len(), Piece::new(token, 0, token.len()).packed()) {
            (3, Some(packed)) => self.threes.insert(packed.first_bytes(), rank),
            (4, Some(packed)) => self.fours.insert(packed.first_bytes(), rank),
            (_, Some(packed)) => self.short.insert(packed, rank),
            (_, None) => self.long.insert(token.into(), rank),
        };
        previous.map_or(Ok(()), |_| Err(LineProblem::Repeated))
    }

    /// The number of tokens.
    pub(super) fn len(&self) -> usize {
        self.threes.len() + self.fours.len() + self.short.len() + self.long.len()
    }

    /// The rank of the token of two bytes, or [`NO_RANK`].
    pub(super) fn pair_rank(&self, first: u8, second: u8) -> Rank {
        self.pairs[pair_index(first, second)]
    }

    /// The rank of the merge into one token of a piece that is divided at `middle`, or [`NO_RANK`].
    pub(super) fn merge_rank(&self, piece: Piece<'_>, middle: usize) -> Rank {
        let rank = self.rank(piece);
        if rank == NO_RANK || self.splits.is_empty() || self.splits[rank as usize] == middle { rank } else { NO_RANK }
    }

    /// Whether a piece that is a token is that token, without any merge.
    pub(super) fn holds(&self, piece: Piece<'_>) -> bool {
        self.splits.is_empty() && self.rank(piece) != NO_RANK
    }

    /// The rank of the token that the piece is, or [`NO_RANK`].
    fn rank(&self, piece: Piece<'_>) -> Rank {
        let rank = match (piece.len(), piece.packed()) {
            (3, Some(packed)) => self.threes.get(&packed.first_bytes()),
            (4, Some(packed)) => self.fours.get(&packed.first_bytes()),
            (_, Some(packed)) => self.short.get(&packed),
            (_, None) => self.long.get(piece.bytes()),
        };
        rank.copied().unwrap_or(NO_RANK)
    }
}

fn pair_index(first: u8, second: u8) -> usize {
    usize::from(u16::from_be_bytes([first, second]))
}

/// A line of a `.tiktoken` file that cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VocabularyError {
    /// 1-based.
    pub line: usize,
    /// What is wrong with it.
    pub problem: LineProblem,
}

/// What can be wrong with a line of a `.tiktoken` file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineProblem {
    /// There is no space between a token and a rank.
    NoSpace,
    /// What stands before the space is not the base64 form of one byte or more.
    NotBase64,
    /// What stands behind the space is not the next rank, counted from 0.
    NotTheNextRank,
    /// The token stands on an earlier line too.
    Repeated,
}

impl fmt::Display for VocabularyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            LineProblem::NoSpace => "expected a base64 token, a space and a rank",
            LineProblem::NotBase64 => "expected a base64 token before the space",
            LineProblem::NotTheNextRank => "expected the rank behind the space to count up from 0",
            LineProblem::Repeated => "the token stands on an earlier line too",
        };
        write!(formatter, "line {}: {problem}", self.line)
    }
}

impl std::error::Error for VocabularyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_every_length_are_found_in_context() {
        let text = "abcdefghijklmnopqrstuvw";
        let lengths = [1, 2, 3, 4, 5, 15, 16, 18];
        let line = |(rank, length): (usize, usize)| format!("{} {rank}\n", STANDARD.encode(&text[..length]));
        let file: String = lengths.into_iter().enumerate().map(line).collect();
        let vocabulary = Vocabulary::parse(file.as_bytes(), None).unwrap();
        assert_eq!(lengths.len(), vocabulary.len());
        for (rank, length) in (0..).zip(lengths) {
            assert_eq!(rank, vocabulary.rank(Piece::new(text.as_bytes(), 0, length)));
            assert_eq!(NO_RANK, vocabulary.rank(Piece::new(text.as_bytes(), 1, 1 + length)));
        }
        assert_eq!(NO_RANK, vocabulary.rank(Piece::new(b"abc\0", 0, 4)));
    }

    #[test]
    fn a_rank_may_be_left_out() {
        assert_eq!(2, Vocabulary::parse(b"YQ== 0\nYWI= 2\n", Some(1)).unwrap().len());
        assert!(Vocabulary::parse(b"YQ== 0\nYWI= 1\n", Some(1)).is_err());
    }

    #[test]
    fn a_bad_line_is_named() {
        for (data, line, problem) in [
            (&b""[..], 1, LineProblem::NoSpace),
            (b"YQ== 0\n\n", 2, LineProblem::NoSpace),
            (b"YQ== 0\nYWI=", 2, LineProblem::NoSpace),
            (b"Y! 0\n", 1, LineProblem::NotBase64),
            (b" 0\n", 1, LineProblem::NotBase64),
            (b"YQ== x\n", 1, LineProblem::NotTheNextRank),
            (b"YQ== 0\nYWI= 2\n", 2, LineProblem::NotTheNextRank),
            (b"YQ== 0\nYQ== 1\n", 2, LineProblem::Repeated),
        ] {
            assert_eq!(Some(VocabularyError { line, problem }), Vocabulary::parse(data, None).err(), "{data:?}");
        }
    }
}
