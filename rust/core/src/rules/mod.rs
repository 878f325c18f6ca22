//! A whole rule file: text in, checked rules or every problem out.
//!
//! Percentages hash the salt and the unit (see [`crate::flags::bucket`]), so a unit keeps its side while a percentage grows.
//!
//! A flag without `stage` is `off` when it is not enabled, `on` when Python can never serve, `canary` when a candidate can,
//! `shadow` when it has a `shadow` above 0 percent, else `off`. A written `stage` wins over the rules: at `off` and
//! `shadow` no rule serves; at `canary` and `on` the rules decide, and at `on` a missing `otherwise` means rust instead of
//! python. At `shadow` and `canary` the calls that Python serves are compared.
//!
//! # Layout
//!
//! - [`table`]: every key there is, what it means and what its value looks like.
//! - [`schema`]: the tables as a JSON schema.
//! - [`yaml`], [`scalar`], [`node`]: text to a tree that knows its places.
//! - [`findings`]: what is wrong.
//! - [`flag`], [`action`], [`condition`], [`segments`], [`layers`], [`requires`], [`guard`]: the tree to a
//!   [`Document`](crate::flags::Document).
//! - [`fields`], [`percent`], [`time`]: the small things they are made of.

pub mod action;
pub mod condition;
pub mod fields;
pub mod findings;
pub mod flag;
pub mod gate;
pub mod guard;
pub mod layers;
pub mod node;
pub mod percent;
pub mod plan;
pub mod requires;
pub mod scalar;
pub mod schema;
pub mod segments;
pub mod shadow;
pub mod table;
pub mod time;
pub mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use self::fields::Fields;
pub use self::findings::{Findings, Problem};
use self::flag::FlagReader;
use self::layers::Layers;
use self::node::{Entry, Node, Value};
use self::segments::Segments;
use self::shadow::Shadow;
use self::table::{DEFAULTS, FILE};
use crate::flags::Document;
use crate::flags::document::{Flag, Hash, Plan};

/// The attribute that is hashed when neither the call nor the file names a unit.
pub const DEFAULT_UNIT: &str = "call_id";

const REVISION_BYTES: usize = 6;
const FLAGS: &str = "flags";
// What must come before the flags for a file to be read in passing.
const NEEDED: [&str; 2] = ["defaults", "layers"];

/// Rules in which nothing is wrong.
#[derive(Debug)]
pub struct Rules {
    /// What the evaluator needs.
    pub document: Document,
    /// What only people and the shadow runner need, by flag.
    pub notes: BTreeMap<Box<str>, Notes>,
    /// The segments that nothing names, and their lines.
    pub unused_segments: Vec<(String, u32)>,
}

/// What only people and the shadow runner need of a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notes {
    /// Who to ask.
    pub owner: Option<Box<str>>,
    /// When the flag should be gone, as it was written.
    pub expires: Option<Box<str>>,
    /// How its calls are compared.
    pub shadow: Shadow,
    /// What a promotion takes, as far as it is written.
    pub gate: Option<Box<Map<String, Json>>>,
    /// The steps of its rollout, when it names them.
    pub plan: Option<Box<Plan>>,
    /// The implementation that is compared and promoted, where it is not `rust`.
    pub candidate: Option<Box<str>>,
}

impl Notes {
    /// What holds for a flag that says nothing.
    pub const DEFAULT: Self =
        Self { owner: None, expires: None, shadow: Shadow::DEFAULT, gate: None, plan: None, candidate: None };
}

/// Reads the text of a rule file. Its revision is the first 12 hexadecimal characters of its SHA-256.
///
/// # Errors
///
/// Something is wrong; every problem is listed, in the order of the file.
pub fn from_text(data: &[u8]) -> Result<Rules, Vec<Problem>> {
    let revision = hexadecimal(&Sha256::digest(data));
    if let Some(rules) = in_passing(data, &revision) {
        return Ok(rules);
    }
    let mut findings = Findings::default();
    match yaml::read(data, &mut findings) {
        Some(root) => from_node(&root, &revision, findings),
        None => Err(findings.sorted(None)),
    }
}

/// Reads a file flag by flag, so that no more than one flag's tree is in memory. `None` when anything is wrong, which only
/// the whole tree can tell, when there is no mapping of flags, or when something the flags need comes after them.
fn in_passing(data: &[u8], revision: &str) -> Option<Rules> {
    let mut findings = Findings::default();
    let mut reader = None;
    let root = yaml::stream(data, FLAGS, &mut findings, &mut |before, entry, findings| {
        let reader = reader.get_or_insert_with(|| FileReader::begin(Fields::unchecked(before), findings));
        reader.flag(entry, findings);
    })?;
    let found = Fields::of(&root, &FILE, &mut findings);
    found.get(FLAGS)?.as_map()?;
    let position = |key: &str| root.as_map()?.iter().position(|entry| entry.key.text == key);
    if NEEDED.iter().any(|needed| position(needed) > position(FLAGS)) {
        return None;
    }
    let reader = reader.unwrap_or_else(|| FileReader::begin(found, &mut findings));
    let rules = reader.end(found, revision, &mut findings);
    findings.is_empty().then_some(rules)
}

/// Reads rules from a tree. Their revision is made of its content.
///
/// # Errors
///
/// Something is wrong; every problem is listed, with those already found.
pub fn from_tree(root: &Node<'_>, findings: Findings) -> Result<Rules, Vec<Problem>> {
    let mut digest = Sha256::new();
    feed(root, &mut digest);
    from_node(root, &hexadecimal(&digest.finalize()), findings)
}

fn from_node(root: &Node<'_>, revision: &str, mut findings: Findings) -> Result<Rules, Vec<Problem>> {
    let rules = file(root, revision, &mut findings);
    if findings.is_empty() { Ok(rules) } else { Err(findings.sorted(Some(root))) }
}

fn file(root: &Node<'_>, revision: &str, findings: &mut Findings) -> Rules {
    let found = Fields::of(root, &FILE, findings);
    let mut reader = FileReader::begin(found, findings);
    for entry in found.get(FLAGS).map(|node| fields::entries(node, findings, "a mapping of names")).unwrap_or_default()
    {
        reader.flag(entry, findings);
    }
    reader.end(found, revision, findings)
}

/// A file while its flags are read, one by one.
struct FileReader {
    unit: Option<String>,
    reader: FlagReader,
    flags: BTreeMap<String, Flag>,
    notes: BTreeMap<Box<str>, Notes>,
}

impl FileReader {
    /// Reads what the flags need.
    fn begin(found: Fields<'_, '_>, findings: &mut Findings) -> Self {
        let (unit, hash) = found.get("defaults").map_or_else(Default::default, |node| defaults(node, findings));
        let layers = found.get("layers").map(|node| Layers::read(node, findings)).unwrap_or_default();
        Self { unit, reader: FlagReader::new(layers, hash), flags: BTreeMap::new(), notes: BTreeMap::new() }
    }

    fn flag(&mut self, entry: &Entry<'_>, findings: &mut Findings) {
        if !fields::is_name(&entry.key.text) {
            findings.expected(&entry.key, fields::NAME_WANTED, "");
            return;
        }
        let (flag, notes) = self.reader.read(entry, findings);
        self.flags.insert(entry.key.text.to_string(), flag);
        self.notes.insert(entry.key.text.as_ref().into(), notes);
    }

    /// Reads the rest, and checks what the flags name.
    fn end(self, found: Fields<'_, '_>, revision: &str, findings: &mut Findings) -> Rules {
        if let Some(version) = found.get("version")
            && !matches!(version.value, Value::Int(1))
        {
            let hint = if version.as_text() == Some("1") { "write it without quotes" } else { "" };
            findings.expected(version, "1, the only version there is", hint);
        }
        let segments = found.get("segments").map(|node| Segments::read(node, findings)).unwrap_or_default();
        let names: BTreeSet<&str> = self.flags.keys().map(String::as_str).collect();
        self.reader.layers.check(&names, findings);
        segments.check(&self.reader.conditions.references, findings);
        self.reader.requirements.check(&names, findings);
        let unused_segments = segments.unused(&self.reader.conditions.references);
        let document = Document {
            revision: revision.to_owned(),
            unit: self.unit.unwrap_or_else(|| DEFAULT_UNIT.to_owned()),
            segments: segments.into_conditions(),
            layers: self.reader.layers.by_name,
            flags: self.flags,
        };
        Rules { document, notes: self.notes, unused_segments }
    }
}

fn defaults(node: &Node<'_>, findings: &mut Findings) -> (Option<String>, Hash) {
    let found = Fields::of(node, &DEFAULTS, findings);
    if let Some(missing) = found.get("python_on_missing_unit")
        && !matches!(missing.value, Value::Bool(true))
    {
        findings.expected(missing, "true", "a call without a unit is always answered by Python");
    }
    let unit = found.get("unit").and_then(|node| fields::attribute(node, findings));
    (unit, found.get("hash").and_then(|node| flag::hash(node, findings)).unwrap_or_default())
}

fn hexadecimal(digest: &[u8]) -> String {
    digest[..REVISION_BYTES].iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Feeds a tree to a digest so that different trees feed differently.
fn feed(node: &Node<'_>, digest: &mut Sha256) {
    let mut piece = |kind: u8, length: usize, text: &str| {
        digest.update([kind]);
        digest.update((length as u64).to_le_bytes());
        digest.update(text);
    };
    match &node.value {
        Value::List(items) => {
            piece(b'[', items.len(), "");
            for item in items {
                feed(item, digest);
            }
        }
        Value::Map(entries) => {
            piece(b'{', entries.len(), "");
            for entry in entries {
                feed(&entry.key, digest);
                feed(&entry.value, digest);
            }
        }
        Value::Text => piece(b'"', node.text.len(), &node.text),
        _ => piece(b'.', node.text.len(), &node.text),
    }
}
