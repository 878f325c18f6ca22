//! Readers of the small things rule files are made of. Each notes what is wrong and gives nothing then.

use super::findings::{Findings, nearest};
use super::node::{Entry, Node, Value};
use super::table::Table;

/// What names look like.
pub const NAME_WANTED: &str = "a name of lower-case letters, digits and _, not beginning with a digit";

/// The entries of a mapping whose keys a table knows.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'n, 'a> {
    node: &'n Node<'a>,
    entries: &'n [Entry<'a>],
}

impl<'n, 'a> Fields<'n, 'a> {
    /// Reads a mapping; keys the table does not know are noted, and so are those it misses.
    pub fn of(node: &'n Node<'a>, table: &Table, findings: &mut Findings) -> Self {
        let entries = entries(node, findings, &format!("a mapping of {}", table.listed()));
        for entry in entries {
            let name = &*entry.key.text;
            if !table.names().any(|known| known == name) {
                let message = format!("expected one of {}, got the key \"{name}\"", table.listed());
                findings.add(&entry.key, message, nearest(name, table.names()));
            }
        }
        let fields = Self { node, entries };
        for name in table.required {
            fields.require(name, findings);
        }
        fields
    }

    /// A mapping whose keys somebody else has checked.
    #[must_use]
    pub fn unchecked(node: &'n Node<'a>) -> Self {
        Self { node, entries: node.as_map().unwrap_or_default() }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'n Node<'a>> {
        self.entries.iter().find(|entry| entry.key.text == name).map(|entry| &entry.value)
    }

    /// The mapping itself.
    #[must_use]
    pub fn node(&self) -> &'n Node<'a> {
        self.node
    }

    fn require(&self, name: &str, findings: &mut Findings) {
        if self.node.as_map().is_some() && self.get(name).is_none() {
            findings.add(self.node, format!("expected the key \"{name}\", got none"), "");
        }
    }
}

/// The entries of a mapping of any keys; none when it is no mapping.
pub fn entries<'n, 'a>(node: &'n Node<'a>, findings: &mut Findings, wanted: &str) -> &'n [Entry<'a>] {
    if node.as_map().is_none() {
        let hint = if matches!(node.value, Value::Null) { "write {} when it is to be empty" } else { "" };
        findings.expected(node, wanted, hint);
    }
    node.as_map().unwrap_or_default()
}

/// The entries of a mapping whose keys are names; the others are noted and left out.
pub fn named<'n, 'a>(node: &'n Node<'a>, findings: &mut Findings) -> Vec<&'n Entry<'a>> {
    let (names, others): (Vec<_>, Vec<_>) =
        entries(node, findings, "a mapping of names").iter().partition(|entry| is_name(&entry.key.text));
    for entry in others {
        findings.expected(&entry.key, NAME_WANTED, "");
    }
    names
}

/// The items of a list that is not empty.
pub fn items<'n, 'a>(node: &'n Node<'a>, findings: &mut Findings) -> &'n [Node<'a>] {
    let Value::List(items) = &node.value else {
        findings.expected(node, "a list", "put it in [ ]");
        return &[];
    };
    if items.is_empty() {
        findings.add(node, "expected at least one item, got an empty list", "");
    }
    items
}

/// A text that is not empty.
pub fn text(node: &Node<'_>, findings: &mut Findings) -> Option<String> {
    let text = node.as_text().filter(|text| !text.is_empty());
    if text.is_none() {
        findings.expected(node, "a text that is not empty", if node.is_number() { "put it in quotes" } else { "" });
    }
    text.map(str::to_owned)
}

/// A truth value.
pub fn boolean(node: &Node<'_>, findings: &mut Findings) -> Option<bool> {
    if let Value::Bool(truth) = node.value {
        return Some(truth);
    }
    findings.expected(node, "true or false", "");
    None
}

/// The position of a word among those that are allowed.
pub fn choice(node: &Node<'_>, allowed: &[&str], findings: &mut Findings) -> Option<usize> {
    let chosen = node.as_text().and_then(|text| allowed.iter().position(|word| *word == text));
    if chosen.is_none() {
        let hint = nearest(&node.text, allowed.iter().copied());
        findings.expected(node, &format!("one of {}", allowed.join(", ")), hint);
    }
    chosen
}

/// The name of an attribute, dotted when it is nested.
pub fn attribute(node: &Node<'_>, findings: &mut Findings) -> Option<String> {
    let name = text(node, findings)?;
    if name.split('.').any(str::is_empty) {
        findings.expected(node, "an attribute such as team or org.tier", "");
        return None;
    }
    Some(name)
}

/// The name of an implementation.
pub fn implementation(node: &Node<'_>, findings: &mut Findings) -> Option<String> {
    let name = text(node, findings)?;
    if !is_name(&name) {
        findings.expected(node, "python, rust or another implementation's name", NAME_WANTED);
        return None;
    }
    Some(name)
}

/// A whole number from here on.
pub fn count(node: &Node<'_>, least: u32, findings: &mut Findings) -> Option<u32> {
    let number = if let Value::Int(number) = node.value { u32::try_from(number).ok() } else { None };
    let number = number.filter(|number| *number >= least);
    if number.is_none() {
        findings.expected(node, &format!("a whole number from {least} to {}", u32::MAX), "");
    }
    number
}

/// Whether a text is a name.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first == '_' || first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
