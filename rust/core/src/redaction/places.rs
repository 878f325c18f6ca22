//! The literals of LiteLLM's expression, and where a match with each could begin.

use std::collections::BTreeSet;

/// Where a match begins that contains a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begins {
    /// With the literal.
    Here,
    /// With the literal's second character; the first is what has to stand before the match.
    AfterFirst,
    /// After the literal, which has to stand before the match.
    AfterLiteral,
    /// With the word that the literal is in.
    Word,
    /// With the word that the literal is in, when that is a name in a query string.
    QueryWord,
    /// With the last opening brace before the literal, when none has closed since.
    Brace,
}

/// Read off `litellm/litellm_core_utils/secret_redaction.py` as of the fingerprints that `accel/references.py` knows; one that is
/// contained in another's place is not repeated.
pub(super) const LITERALS: &[(&str, Begins)] = &[
    ("-----begin", Begins::Here),
    ("ya29.", Begins::Here),
    ("client_secret", Begins::Here),
    ("azure_password", Begins::Here),
    ("azure_username", Begins::Here),
    ("akia", Begins::Here),
    ("asia", Begins::Here),
    ("bearer", Begins::Here),
    ("basic", Begins::Here),
    ("sk-", Begins::Here),
    ("apikey", Begins::Here),
    ("api_key", Begins::Here),
    ("api-key", Begins::Here),
    ("x-api-key", Begins::Here),
    ("x-ak-", Begins::Here),
    ("aiza", Begins::Here),
    ("dapi", Begins::Here),
    ("litellm.", Begins::Here),
    ("private_key", Begins::Here),
    ("master_key", Begins::Here),
    ("xai_key", Begins::Here),
    ("database_url", Begins::Here),
    ("db_url", Begins::Here),
    ("connection_string", Begins::Here),
    ("database_connection_string", Begins::Here),
    ("aws_secret_access_key", Begins::Here),
    ("aws_session_token", Begins::Here),
    ("aws_access_key_id", Begins::Here),
    ("s3_secret_access_key", Begins::Here),
    ("s3_access_key_id", Begins::Here),
    ("signing_key", Begins::Here),
    ("encryption_key", Begins::Here),
    ("auth_token", Begins::Here),
    ("access_token", Begins::Here),
    ("refresh_token", Begins::Here),
    ("slack_webhook_url", Begins::Here),
    ("webhook_url", Begins::Here),
    ("huggingface_token", Begins::Here),
    ("jwt_secret", Begins::Here),
    ("eyj", Begins::Here),
    ("?key=", Begins::AfterFirst),
    ("&key=", Begins::AfterFirst),
    ("?sig=", Begins::AfterFirst),
    ("&sig=", Begins::AfterFirst),
    ("://", Begins::AfterLiteral),
    ("password", Begins::Word),
    ("passwd", Begins::Word),
    ("secret_key", Begins::Word),
    ("_secret", Begins::Word),
    ("token", Begins::QueryWord),
    ("\"type\"", Begins::Brace),
];

/// Collects the places of one text. Literals have to come in the order of their ends.
pub(super) struct Places<'a> {
    text: &'a str,
    found: BTreeSet<usize>,
    word: Walked,
    query_word: Walked,
    brace: Walked,
}

/// A walk backwards need not go beyond where the one before has started, for it has told what lies there.
#[derive(Default, Clone, Copy)]
struct Walked {
    from: usize,
    stopped_at: usize,
}

impl Walked {
    /// What is known of the text before a place: nothing, when the walk has started after it.
    fn before(self, place: usize) -> Self {
        if place >= self.from { self } else { Self::default() }
    }
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let nowhere = Walked::default();
        Self { text, found: BTreeSet::new(), word: nowhere, query_word: nowhere, brace: nowhere }
    }

    pub(super) fn into_offsets(self) -> BTreeSet<usize> {
        self.found
    }

    /// Notes where a match with a literal could begin.
    pub(super) fn add(&mut self, begins: Begins, start: usize, end: usize) {
        match begins {
            Begins::Here => {
                self.found.insert(start);
            }
            Begins::AfterFirst => {
                self.found.insert(start + 1);
            }
            Begins::AfterLiteral => {
                self.found.insert(end);
            }
            Begins::Word => self.add_word(start, false),
            Begins::QueryWord => self.add_word(start, true),
            Begins::Brace => self.add_brace(start),
        }
    }

    /// Whether a character outside of ASCII belongs to a word is for Python's tables to say: a word may begin after each.
    fn add_word(&mut self, literal: usize, in_query: bool) {
        let earlier = if in_query { self.query_word } else { self.word };
        let limit = earlier.before(literal);
        let bytes = self.text.as_bytes();
        let mut at = literal;
        while at > limit.from && is_of_word(bytes[at - 1]) {
            if !bytes[at - 1].is_ascii() && self.text.is_char_boundary(at) {
                self.add_beginning(at, in_query);
            }
            at -= 1;
        }
        if at == limit.from && limit.from > 0 {
            at = limit.stopped_at;
        }
        *if in_query { &mut self.query_word } else { &mut self.word } = Walked { from: literal, stopped_at: at };
        self.add_beginning(at, in_query);
    }

    fn add_beginning(&mut self, at: usize, in_query: bool) {
        let bytes = self.text.as_bytes();
        if !in_query || (at > 0 && matches!(bytes[at - 1], b'?' | b'&')) {
            self.found.insert(at);
        }
    }

    fn add_brace(&mut self, literal: usize) {
        let limit = self.brace.before(literal);
        let between = &self.text.as_bytes()[limit.from..literal];
        let nearest = between.iter().rposition(|byte| matches!(byte, b'{' | b'}')).map(|index| limit.from + index);
        let stopped_at = nearest.unwrap_or(limit.stopped_at);
        self.brace = Walked { from: literal, stopped_at };
        if self.text.as_bytes().get(stopped_at) == Some(&b'{') {
            self.found.insert(stopped_at);
        }
    }
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}
