//! A vocabulary, and the pattern that goes with it.

use std::fmt;
use std::sync::Mutex;

use super::cache::Cache;
use super::merge;
use super::piece::Piece;
use super::pretokenize::{Cl100k, Cursor, O200k, Pattern};
use super::vocabulary::{NO_RANK, Vocabulary, VocabularyError};

/// The encodings whose pattern is known, with the number of tokens tiktoken's file of that name has.
const KNOWN: [(&str, PatternName, usize); 2] =
    [("cl100k_base", PatternName::Cl100k, 100_256), ("o200k_base", PatternName::O200k, 199_998)];

#[derive(Clone, Copy)]
enum PatternName {
    Cl100k,
    O200k,
}

/// How many caches are kept for the next counts: 4 MiB at most, enough for 16 threads that count at the same moment.
const MAX_IDLE_CACHES: usize = 16;

/// One of tiktoken's encodings, able to count.
pub struct Encoding {
    name: &'static str,
    pattern: PatternName,
    vocabulary: Vocabulary,
    /// Caches nobody is using: a count takes one and puts it back.
    idle_caches: Mutex<Vec<Cache>>,
}

impl Encoding {
    /// Reads an encoding from the text of its `.tiktoken` file.
    ///
    /// # Errors
    ///
    /// [`EncodingError`] when the name is not `cl100k_base` or `o200k_base`, a line is malformed, or the file has not as many
    /// tokens as that encoding, which happens when a download was cut off.
    pub fn from_tiktoken(name: &str, data: &[u8]) -> Result<Self, EncodingError> {
        let (name, pattern, expected) = KNOWN
            .into_iter()
            .find(|known| known.0 == name)
            .ok_or_else(|| EncodingError::UnknownName(name.to_owned()))?;
        let vocabulary = Vocabulary::parse(data).map_err(EncodingError::Vocabulary)?;
        let found = vocabulary.len();
        if found != expected {
            return Err(EncodingError::WrongSize { name, expected, found });
        }
        Ok(Self { name, pattern, vocabulary, idle_caches: Mutex::default() })
    }

    /// The name tiktoken knows it by.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    #[cfg(test)]
    pub(super) fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The number of tokens of a text, taken as one piece of ordinary text.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        // A lock that is held or poisoned is passed by: a count never waits, not even in the child of a fork.
        let mut cache = self.idle_caches.try_lock().ok().and_then(|mut idle| idle.pop()).unwrap_or_else(Cache::new);
        let count = match self.pattern {
            PatternName::Cl100k => self.count_pieces::<Cl100k>(text, &mut cache),
            PatternName::O200k => self.count_pieces::<O200k>(text, &mut cache),
        };
        if let Ok(mut idle) = self.idle_caches.try_lock()
            && idle.len() < MAX_IDLE_CACHES
        {
            idle.push(cache);
        }
        count
    }

    fn count_pieces<P: Pattern>(&self, text: &str, cache: &mut Cache) -> usize {
        let cursor = Cursor::new(text);
        let (mut start, mut count) = (0, 0);
        while start < text.len() {
            let end = P::piece_end(&cursor, start);
            let piece = Piece::new(text.as_bytes(), start, end);
            count += match piece.packed() {
                Some(packed) => cache.count(packed, || self.count_piece(piece)),
                None => self.count_piece(piece),
            };
            start = end;
        }
        count
    }

    fn count_piece(&self, piece: Piece<'_>) -> usize {
        if self.vocabulary.rank(piece) == NO_RANK { merge::count(&self.vocabulary, piece) } else { 1 }
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
                write!(formatter, "unknown encoding {name:?}: expected cl100k_base or o200k_base")
            }
            Self::Vocabulary(error) => error.fmt(formatter),
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
        for (name, ..) in KNOWN {
            for_each_vector("whole", |case, text| {
                assert_eq!(number(case, name), Some(installed::encoding(name).count(&text.repaired())), "{case}");
            });
        }
    }

    #[test]
    fn chunked_texts_count_as_the_vectors_say() {
        for (name, ..) in KNOWN {
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
            ("gpt2", "", "unknown encoding \"gpt2\": expected cl100k_base or o200k_base"),
            ("cl100k_base", "YQ==", "line 1: expected a base64 token, a space and a rank"),
            ("o200k_base", "YQ== 0\n", "o200k_base has 199998 tokens, the file has 1"),
        ] {
            assert_eq!(expected, Encoding::from_tiktoken(name, data.as_bytes()).unwrap_err().to_string());
        }
    }
}
