//! A rule file as a tree in which everything knows where it was written.

use std::borrow::Cow;
use std::fmt;

/// How deeply lists and mappings may nest. Real rules need about ten levels.
pub const DEPTH_LIMIT: usize = 32;

const SHOWN_CHARACTERS: usize = 60;

/// A value and its place.
#[derive(Debug)]
pub struct Node<'a> {
    /// What it is.
    pub value: Value<'a>,
    /// A scalar as it was written; for text, the text itself.
    pub text: Cow<'a, str>,
    /// Where it begins.
    pub place: Place,
}

/// A line and a column, both 1-based, in characters; 0 for rules from memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// What a node is.
#[derive(Debug)]
pub enum Value<'a> {
    /// Nothing, or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number within 64 bits.
    Int(i64),
    /// A whole number beyond them.
    Big,
    /// Any other number.
    Float(f64),
    /// A text; [`Node::text`] holds it.
    Text,
    /// A list.
    List(Vec<Node<'a>>),
    /// A mapping whose keys are texts, each once, in the order of the file.
    Map(Vec<Entry<'a>>),
}

/// One pair of a mapping.
#[derive(Debug)]
pub struct Entry<'a> {
    /// A text.
    pub key: Node<'a>,
    /// Anything.
    pub value: Node<'a>,
}

impl<'a> Node<'a> {
    /// A node that is no scalar, or a scalar of which nothing was written.
    #[must_use]
    pub fn new(value: Value<'a>, place: Place) -> Self {
        Self { value, text: Cow::Borrowed(""), place }
    }

    /// The text, when this is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        matches!(self.value, Value::Text).then_some(&*self.text)
    }

    /// The entries, when this is a mapping.
    #[must_use]
    pub fn as_map(&self) -> Option<&[Entry<'a>]> {
        if let Value::Map(entries) = &self.value { Some(entries) } else { None }
    }

    /// Whether this is a number.
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(self.value, Value::Int(_) | Value::Big | Value::Float(_))
    }
}

impl fmt::Display for Node<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = match self.text.char_indices().nth(SHOWN_CHARACTERS) {
            Some((end, _)) => &self.text[..end],
            None => &*self.text,
        };
        let more = if shown.len() < self.text.len() { "..." } else { "" };
        match &self.value {
            Value::Map(_) => out.write_str("a mapping"),
            Value::List(_) => out.write_str("a list"),
            Value::Null => out.write_str("nothing"),
            Value::Text => write!(out, "the text \"{shown}{more}\""),
            _ => write!(out, "{shown}{more}"),
        }
    }
}
