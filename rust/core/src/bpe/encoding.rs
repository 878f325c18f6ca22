//! A vocabulary, and the pattern that goes with it.

use std::fmt;
use std::sync::Mutex;

use aho_corasick::{AhoCorasick, MatchKind};
use unicode_normalization::UnicodeNormalization;

use super::cache::Cache;
use super::merge;
use super::piece::Piece;
use super::pretokenize::{Cl100k, Gpt2, O200k, Pattern, Pieces};
use super::text::Text;
use super::tokenizer::Tokenizer;
use super::unicode::is_settled;
use super::vocabulary::{Rank, Vocabulary, VocabularyError};

/// An encoding whose pattern is known.
struct Known {
    name: &'static str,
    pattern: PatternName,
    /// The number of tokens tiktoken's file of that name has.
    tokens: usize,
    /// The rank that the file leaves out, because a special token has it.
    left_out: Option<Rank>,
}

const KNOWN: [Known; 4] = [
    Known { name: "cl100k_base", pattern: PatternName::Cl100k, tokens: 100_256, left_out: None },
    Known { name: "o200k_base", pattern: PatternName::O200k, tokens: 199_998, left_out: None },
    Known { name: "p50k_base", pattern: PatternName::Gpt2, tokens: 50_280, left_out: Some(50_256) },
    Known { name: "r50k_base", pattern: PatternName::Gpt2, tokens: 50_256, left_out: None },
];

#[derive(Clone, Copy)]
enum PatternName {
    Cl100k,
    O200k,
    Gpt2,
}

/// How many caches are kept for the next counts: 9 MiB at most, enough for 8 threads that count at the same moment.
const MAX_IDLE_CACHES: usize = 8;

/// One of tiktoken's encodings, able to count.
pub struct Encoding {
    name: &'static str,
    pattern: PatternName,
    vocabulary: Vocabulary,
    /// The texts that are a token each, wherever they stand; the rest of a text is normalised. Tiktoken's encodings, as LiteLLM
    /// asks for them, have neither.
    special: Option<AhoCorasick>,
    /// Caches nobody is using: a count takes one and puts it back.
    idle_caches: Mutex<Vec<Cache>>,
}

impl Encoding {
    /// Reads an encoding from the text of its `.tiktoken` file.
    ///
    /// # Errors
    ///
    /// [`EncodingError`] when no encoding of that name is known, a line is malformed, or the file has not as many
    /// tokens as that encoding, which happens when a download was cut off.
    pub fn from_tiktoken(name: &str, data: &[u8]) -> Result<Self, EncodingError> {
        let Known { name, pattern, tokens, left_out } = KNOWN
            .into_iter()
            .find(|known| known.name == name)
            .ok_or_else(|| EncodingError::UnknownName(name.to_owned()))?;
        let vocabulary = Vocabulary::parse(data, left_out).map_err(EncodingError::Vocabulary)?;
        let found = vocabulary.len();
        if found != tokens {
            return Err(EncodingError::WrongSize { name, expected: tokens, found });
        }
        Ok(Self { name, pattern, vocabulary, special: None, idle_caches: Mutex::default() })
    }

    /// Reads an encoding from the text of a `tokenizer.json` that is like Anthropic's.
    ///
    /// # Errors
    ///
    /// [`EncodingError::UnknownTokenizer`] when it is not.
    pub fn from_tokenizer(name: &'static str, data: &[u8]) -> Result<Self, EncodingError> {
        Self::of_tokenizer(name, data).ok_or(EncodingError::UnknownTokenizer)
    }

    fn of_tokenizer(name: &'static str, data: &[u8]) -> Option<Self> {
        let tokenizer = Tokenizer::parse(data)?;
        let special = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(tokenizer.special()).ok();
        let vocabulary = Vocabulary::of_merges(&tokenizer.merges()?)?;
        Some(Self { name, pattern: PatternName::Gpt2, vocabulary, special, idle_caches: Mutex::default() })
    }

    /// Whether the text has one count. Where texts are normalised, characters that came with a recent Unicode count by the
    /// tables of the installed tokenizer, and lone surrogates not at all.
    #[must_use]
    pub fn is_certain(&self, text: Text<'_>) -> bool {
        self.special.is_none() || matches!(text, Text::Valid(text) if is_settled(text))
    }

    /// The name tiktoken knows it by.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The number of tokens of a piece, by the definition.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn count_by_definition(&self, piece: &str) -> usize {
        let is_token = self.vocabulary.holds(Piece::new(piece.as_bytes(), 0, piece.len()));
        if is_token { 1 } else { merge::count_by_definition(&self.vocabulary, piece.as_bytes()) }
    }

    #[cfg(test)]
    pub(super) fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The number of tokens of a text, taken whole.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        self.counter().count(text)
    }

    /// Counts many texts in turn.
    pub(super) fn counter(&self) -> Counter<'_> {
        // A lock that is held or poisoned is passed by: a count never waits, not even in the child of a fork.
        let idle = self.idle_caches.try_lock().ok().and_then(|mut idle| idle.pop());
        Counter { encoding: self, cache: idle.unwrap_or_default() }
    }

    fn count_pieces<P: Pattern>(&self, text: &str, cache: &mut Cache) -> usize {
        let mut count = 0;
        for (start, end) in Pieces::<P>::new(text) {
            let piece = Piece::new(text.as_bytes(), start, end);
            count += match piece.packed() {
                Some(packed) => cache.count(packed, || self.count_piece(piece)),
                None => cache.count_long(piece, || self.count_piece(piece)),
            };
        }
        count
    }

    #[cold]
    #[inline(never)]
    fn count_piece(&self, piece: Piece<'_>) -> usize {
        if self.vocabulary.holds(piece) { 1 } else { merge::count(&self.vocabulary, piece) }
    }
}

/// Counts by an encoding with a cache of its own, which the next one inherits.
pub(super) struct Counter<'a> {
    encoding: &'a Encoding,
    cache: Cache,
}

impl Counter<'_> {
    /// The number of tokens of a text, taken whole.
    pub(super) fn count(&mut self, text: &str) -> usize {
        let Some(special) = &self.encoding.special else { return self.count_ordinary(text) };
        let (mut start, mut count) = (0, 0);
        for found in special.find_iter(text) {
            count += 1 + self.count_normalized(&text[start..found.start()]);
            start = found.end();
        }
        count + self.count_normalized(&text[start..])
    }

    fn count_normalized(&mut self, text: &str) -> usize {
        if text.is_ascii() { self.count_ordinary(text) } else { self.count_ordinary(&text.nfkc().collect::<String>()) }
    }

    fn count_ordinary(&mut self, text: &str) -> usize {
        match self.encoding.pattern {
            PatternName::Cl100k => self.encoding.count_pieces::<Cl100k>(text, &mut self.cache),
            PatternName::O200k => self.encoding.count_pieces::<O200k>(text, &mut self.cache),
            PatternName::Gpt2 => self.encoding.count_pieces::<Gpt2>(text, &mut self.cache),
        }
    }
}

impl Drop for Counter<'_> {
    fn drop(&mut self) {
        if let Ok(mut idle) = self.encoding.idle_caches.try_lock()
            && idle.len() < MAX_IDLE_CACHES
        {
            idle.push(std::mem::replace(&mut self.cache, Cache::gone()));
        }
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Encoding").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why an encoding could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EncodingError {
    /// No pattern is known for an encoding of this name.
    UnknownName(String),
    /// A line of the file is malformed.
    Vocabulary(VocabularyError),
    /// The file is no tokenizer of the kind that is known.
    UnknownTokenizer,
    /// The file is not the whole vocabulary of that encoding.
    WrongSize {
        /// The name of the encoding.
        name: &'static str,
        /// How many tokens it has.
        expected: usize,
        /// How many the file has.
        found: usize,
    },
}

impl fmt::Display for EncodingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownName(name) => {
                write!(formatter, "unknown encoding {name:?}: expected {}", KNOWN.map(|known| known.name).join(", "))
            }
            Self::Vocabulary(error) => error.fmt(formatter),
            Self::UnknownTokenizer => formatter.write_str("expected a tokenizer of byte-level BPE behind NFKC"),
            Self::WrongSize { name, expected, found } => {
                write!(formatter, "{name} has {expected} tokens, the file has {found}")
            }
        }
    }
}

impl std::error::Error for EncodingError {}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use serde_json::Value;

    use crate::bpe::{ChunkRule, Text, count_text, installed};

    use super::*;

    const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/encoding.json"));

    /// Calls `check` with each case of a list of vectors and its text.
    fn for_each_vector(list: &str, check: impl Fn(&Value, Text<'_>)) {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        for case in vectors[list].as_array().unwrap() {
            if let Some(text) = case["text"].as_str() {
                check(case, Text::Valid(&text.repeat(number(case, "repeat").unwrap_or(1))));
            } else {
                let code_points: Vec<u32> = serde_json::from_value(case["code_points"].clone()).unwrap();
                check(case, Text::CodePoints(&code_points));
            }
        }
    }

    fn number(case: &Value, key: &str) -> Option<usize> {
        case[key].as_u64().map(|number| usize::try_from(number).unwrap())
    }

    #[test]
    fn whole_texts_count_as_the_vectors_say() {
        for Known { name, .. } in KNOWN.into_iter().filter(|known| known.name != "r50k_base") {
            for_each_vector("whole", |case, text| {
                assert_eq!(number(case, name), Some(installed::encoding(name).count(&text.repaired())), "{case}");
            });
        }
    }

    #[test]
    fn chunked_texts_count_as_the_vectors_say() {
        for Known { name, .. } in KNOWN.into_iter().filter(|known| known.name != "r50k_base") {
            for_each_vector("chunked", |case, text| {
                let length = |key| NonZeroUsize::new(number(case, key).unwrap()).unwrap();
                let rule = ChunkRule { chunk_chars: length("chunk_chars"), max_exact_chars: length("max_exact_chars") };
                assert_eq!(case[name].as_u64(), Some(count_text(installed::encoding(name), rule, text)), "{case}");
            });
        }
    }

    #[test]
    fn a_text_counts_the_same_whatever_was_counted_before() {
        let encoding = installed::encoding("o200k_base");
        let text = "The quick brown fox, twice: ";
        let before = encoding.count(text);
        for number in 0..100_000 {
            assert!(encoding.count(&format!("w{number:x} ")) > 0);
        }
        assert_eq!(before, encoding.count(text));
    }

    #[test]
    fn errors_say_what_was_expected() {
        for (name, data, expected) in [
            ("gpt2", "", "unknown encoding \"gpt2\": expected cl100k_base, o200k_base, p50k_base, r50k_base"),
            ("cl100k_base", "YQ==", "line 1: expected a base64 token, a space and a rank"),
            ("o200k_base", "YQ== 0\n", "o200k_base has 199998 tokens, the file has 1"),
        ] {
            assert_eq!(expected, Encoding::from_tiktoken(name, data.as_bytes()).unwrap_err().to_string());
        }
    }
}
