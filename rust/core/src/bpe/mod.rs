//! Exact token counts for tiktoken's encodings and for Anthropic's tokenizer as LiteLLM brings it.
//!
//! A count equals `len(tiktoken.get_encoding(name).encode_ordinary(text))` of tiktoken 0.14, or, for Anthropic's tokenizer,
//! `len(tokenizer.encode(text))`, bit for bit. Token ids are never made.
//!
//! # Layout
//!
//! - `encoding`: [`Encoding`], a vocabulary and the pattern that goes with it, and its errors.
//! - `text`: [`Text`], what Python calls a string, lone surrogates included.
//! - `chunk`: [`ChunkRule`], LiteLLM's way to count long text in slices and samples.
//! - `batch`: many texts at once, on several threads.
//! - `unicode`: the character classes the patterns speak of.
//! - `pretokenize`: the patterns themselves, as scanners: text to pieces.
//! - `vocabulary`: which byte strings are tokens, and their ranks.
//! - `tokenizer`: the same from a file of the Hugging Face format.
//! - `merge`: how many tokens a piece becomes that is not a token itself.
//! - `piece`: a piece of a text, and its form as one integer, by which the tables know short ones.
//! - `cache`: the counts of the short pieces met lately, in fixed memory.

mod batch;
mod cache;
mod chunk;
mod encoding;
mod merge;
mod piece;
mod pretokenize;
mod text;
mod tokenizer;
mod unicode;
mod vocabulary;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod installed;

pub use batch::count_texts;
pub use chunk::{ChunkRule, count_text};
pub use encoding::{Encoding, EncodingError};
pub use text::Text;
pub use vocabulary::{LineProblem, VocabularyError};
