//! What must hold for any input at all: a function for each target of a fuzzer. The inputs kept in `rust/fuzz/corpus` are
//! replayed by the tests of this crate.
#![expect(clippy::missing_panics_doc, reason = "to panic where something does not hold is what they are for")]

use std::sync::LazyLock;

use fancy_regex::Regex;
use serde_json::Value;

use crate::messages::{Semantics, json};
use crate::{bpe, redaction, rules};

/// A slow reference is quadratic in this.
const MOST_BYTES: usize = 512;

/// The patterns as tiktoken 0.14 has them, for an engine with backtracking.
static PATTERNS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    [
        (
            "cl100k_base",
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
        ),
        (
            "o200k_base",
            concat!(
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
                r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            ),
        ),
        (
            "p50k_base",
            r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
        ),
    ]
    .map(|(name, pattern)| (name, Regex::new(pattern).unwrap()))
    .into()
});

/// A text counts as tiktoken's pattern, and merges word by word, have it.
pub fn counts_by_definition(data: &[u8]) {
    let text = String::from_utf8_lossy(&data[..data.len().min(MOST_BYTES)]);
    for (name, pattern) in &*PATTERNS {
        let encoding = bpe::installed::encoding(name);
        let pieces = pattern.find_iter(&text).map(|piece| piece.unwrap().as_str());
        let expected: usize = pieces.map(|piece| encoding.count_by_definition(piece)).sum();
        assert_eq!(expected, encoding.count(&text), "{name}: {text:?}");
    }
}

/// A call that is JSON is counted or declined by every release's rules.
pub fn walks_messages(data: &[u8]) {
    if let Ok(case) = serde_json::from_slice::<Value>(data) {
        for (_, semantics) in Semantics::ALL {
            let _ = json::counted(semantics, &case);
        }
    }
}

/// The places where a secret may begin are ascending places of the text, its end included.
pub fn finds_places(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(starts) = redaction::starts(&text) else { return };
    assert!(starts.is_sorted_by(|before, after| before < after), "{starts:?} of {text:?}");
    assert!(starts.last().is_none_or(|last| *last <= text.chars().count()), "{starts:?} of {text:?}");
}

/// A rule file is read, or every problem of it has a place.
pub fn reads_rules(data: &[u8]) {
    if let Err(problems) = rules::from_text(data) {
        assert!(!problems.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn replay(target: &str, check: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
        let inputs: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
        assert!(!inputs.is_empty());
        for input in inputs {
            check(&input);
        }
    }

    #[test]
    fn kept_texts_count_by_definition() {
        replay("counts_by_definition", counts_by_definition);
    }

    #[test]
    fn kept_calls_are_walked() {
        replay("walks_messages", walks_messages);
    }

    #[test]
    fn kept_texts_have_ascending_places() {
        replay("finds_places", finds_places);
    }

    #[test]
    fn kept_rule_files_are_read() {
        replay("reads_rules", reads_rules);
    }
}
