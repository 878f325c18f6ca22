//! Reads a tokenizer of the Hugging Face format that is like Anthropic's: byte-level BPE behind NFKC.

use std::collections::HashMap;

use serde::Deserialize;

/// What is read of a `tokenizer.json`.
#[derive(Deserialize)]
pub(super) struct Tokenizer {
    added_tokens: Vec<AddedToken>,
    normalizer: Kind,
    #[serde(rename = "pre_tokenizer")]
    splitter: Kind,
    model: Model,
}

#[derive(Deserialize)]
struct AddedToken {
    content: String,
}

#[derive(Deserialize)]
struct Kind {
    r#type: String,
}

#[derive(Deserialize)]
struct Model {
    r#type: String,
    merges: Vec<String>,
}

/// Two neighbours that become one.
pub(super) struct Merge {
    pub(super) token: Vec<u8>,
    /// The length of the first of the two.
    pub(super) split: usize,
}

impl Tokenizer {
    /// Reads the text of a file; nothing when it is not one of this kind.
    pub(super) fn parse(data: &[u8]) -> Option<Self> {
        let tokenizer: Self = serde_json::from_slice(data).ok()?;
        let kinds = [&tokenizer.normalizer.r#type, &tokenizer.splitter.r#type, &tokenizer.model.r#type];
        (kinds == ["NFKC", "ByteLevel", "BPE"]).then_some(tokenizer)
    }

    /// The texts that are a token each, wherever they stand.
    pub(super) fn special(&self) -> Vec<&str> {
        self.added_tokens.iter().map(|token| &*token.content).collect()
    }

    /// The merges, first ones first; nothing when one is malformed.
    pub(super) fn merges(&self) -> Option<Vec<Merge>> {
        let bytes = bytes_by_character();
        let decoded = |text: &str| text.chars().map(|character| bytes.get(&character).copied()).collect::<Option<_>>();
        let merge = |line: &String| {
            let (first, second) = line.split_once(' ')?;
            let mut token: Vec<u8> = decoded(first)?;
            let split = token.len();
            token.extend::<Vec<u8>>(decoded(second)?);
            Some(Merge { token, split })
        };
        self.model.merges.iter().map(merge).collect()
    }
}

/// The characters that the byte-level alphabet writes bytes as: those that print stand for themselves, the others follow
/// from 256 on.
fn bytes_by_character() -> HashMap<char, u8> {
    let prints = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let others = (0..=u8::MAX).filter(|byte| !prints(*byte)).zip('\u{100}'..);
    let themselves = (0..=u8::MAX).filter(|byte| prints(*byte)).map(|byte| (byte, char::from(byte)));
    themselves.chain(others).map(|(byte, character)| (character, byte)).collect()
}
