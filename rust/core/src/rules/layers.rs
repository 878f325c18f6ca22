//! Layers: spaces of buckets that flags share without overlapping.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::{self, Fields};
use super::findings::{Findings, Mark};
use super::node::{Entry, Node};
use super::percent;
use super::table::LAYER;
use crate::flags::bucket::BUCKETS;
use crate::flags::document::Layer;

const SLOT_WANTED: &str = "buckets such as 0-499999, or percentages such as 0%-50%";

/// The first bucket, and the first that is no longer its own.
type Range = (u32, u32);

/// The layers of a file, and where each flag stands in one.
#[derive(Debug, Default)]
pub struct Layers {
    /// The layers by name.
    pub by_name: BTreeMap<String, Layer>,
    /// Each flag's layer, and the place of its slot.
    slots: BTreeMap<String, (String, Mark)>,
}

impl Layers {
    /// Reads the mapping of layers.
    pub fn read(node: &Node<'_>, findings: &mut Findings) -> Self {
        let mut layers = Self::default();
        for entry in fields::named(node, findings) {
            let layer = layers.layer(entry, findings);
            layers.by_name.insert(entry.key.text.to_string(), layer);
        }
        layers
    }

    /// The layer a flag is in.
    #[must_use]
    pub fn of(&self, flag: &str) -> Option<&str> {
        self.slots.get(flag).map(|(layer, _)| layer.as_str())
    }

    /// Notes slots of flags that do not exist.
    pub fn check(&self, flags: &BTreeSet<&str>, findings: &mut Findings) {
        for (name, (_, key)) in self.slots.iter().filter(|(name, _)| !flags.contains(name.as_str())) {
            let hint = findings.nearest(name, flags.iter().copied());
            findings.add(*key, format!("expected a flag of this file, got \"{name}\""), hint);
        }
    }

    /// Notes a flag's `layer` that its slot contradicts.
    pub fn agree(&self, flag: &str, node: &Node<'_>, said: &str, findings: &mut Findings) {
        if !self.by_name.contains_key(said) {
            let hint = findings.nearest(said, self.by_name.keys().map(String::as_str));
            findings.add(node, format!("expected a layer of this file, got \"{said}\""), hint);
        } else if self.of(flag) != Some(said) {
            let message = match self.of(flag) {
                Some(actual) => format!("expected the layer in which the flag has its slot ({actual}), got \"{said}\""),
                None => format!("expected a slot for \"{flag}\" in the layer \"{said}\", got none"),
            };
            findings.add(node, message, format!("add {flag} to layers.{said}.slots, or correct the name"));
        }
    }

    fn layer(&mut self, entry: &Entry<'_>, findings: &mut Findings) -> Layer {
        let found = Fields::of(&entry.value, &LAYER, findings);
        let name = &*entry.key.text;
        Layer {
            line: entry.key.place.line,
            salt: found.get("salt").and_then(|node| fields::text(node, findings)).unwrap_or_else(|| name.to_owned()),
            unit: found.get("unit").and_then(|node| fields::attribute(node, findings)),
            slots: found.get("slots").map(|node| self.slots(name, node, findings)).unwrap_or_default(),
        }
    }

    fn slots(&mut self, layer: &str, node: &Node<'_>, findings: &mut Findings) -> BTreeMap<String, Range> {
        let mut taken = BTreeMap::new();
        let mut slots = BTreeMap::new();
        for Entry { key, value } in fields::named(node, findings) {
            if let Some((first, _)) = self.slots.insert(key.text.to_string(), (layer.to_owned(), key.into())) {
                let name = &key.text;
                findings.add(
                    key,
                    format!("expected each flag in one layer, got \"{name}\" again (first in {first})"),
                    "",
                );
            }
            if let Some(range) = slot(value, findings) {
                refuse_overlap(&taken, range, value, findings);
                taken.insert(range.0, (range.1, &*key.text));
                slots.insert(key.text.to_string(), range);
            }
        }
        slots
    }
}

/// Notes a range that shares buckets with one that is taken.
fn refuse_overlap(taken: &BTreeMap<u32, (u32, &str)>, range: Range, node: &Node<'_>, findings: &mut Findings) {
    let below = taken.range(..range.1).next_back();
    if let Some((_, (_, other))) = below.filter(|(_, (end, _))| *end > range.0) {
        findings.add(node, format!("expected slots that do not overlap, got buckets of {other} again"), "");
    }
}

fn slot(node: &Node<'_>, findings: &mut Findings) -> Option<Range> {
    let range = node.as_text().and_then(range).filter(|(begin, end)| begin < end && *end <= BUCKETS);
    if range.is_none() {
        findings.expected(node, SLOT_WANTED, "the buckets are 0 to 999999");
    }
    range
}

fn range(text: &str) -> Option<Range> {
    let (first, last) = text.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    if first.ends_with('%') && last.ends_with('%') {
        return Some((percent::parsed(first).ok()?, percent::parsed(last).ok()?));
    }
    let bucket = |text: &str| text.parse::<u32>().ok().filter(|_| !text.starts_with('+'));
    Some((bucket(first)?, bucket(last)?.checked_add(1)?))
}
