//! Named conditions, and what can be wrong with naming them: unknown names, circles, expansion without end.

use std::collections::{BTreeMap, BTreeSet};

use super::condition::ConditionReader;
use super::fields;
use super::findings::{Findings, Mark};
use super::node::Node;
use crate::flags::document::Condition;

/// How many segments may lead from one to the next.
pub const NESTING_LIMIT: usize = 32;

/// How many tests a segment may come to with all it names: every one of them may be evaluated in one decision.
pub const TESTS_LIMIT: usize = 10_000;

const NAMES_SHOWN: usize = 10;

/// The segments of a file while they are read.
#[derive(Debug, Default)]
pub struct Segments {
    read: Vec<Segment>,
    positions: BTreeMap<String, usize>,
}

#[derive(Debug)]
struct Segment {
    name: String,
    key: Mark,
    condition: Option<Condition>,
    references: Vec<(Mark, String)>,
    size: Option<Size>,
}

/// What a segment comes to with all it names.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    tests: usize,
    nesting: usize,
}

impl Segments {
    /// Reads the mapping of segments.
    pub fn read(node: &Node<'_>, findings: &mut Findings) -> Self {
        let mut segments = Self::default();
        for entry in fields::named(node, findings) {
            let mut reader = ConditionReader::default();
            let condition = reader.read(&entry.value, findings);
            segments.positions.insert(entry.key.text.to_string(), segments.read.len());
            let name = entry.key.text.to_string();
            let references = reader.references;
            segments.read.push(Segment { name, key: (&entry.key).into(), condition, references, size: None });
        }
        for position in 0..segments.read.len() {
            segments.check(&segments.read[position].references, findings);
        }
        for position in 0..segments.read.len() {
            segments.measure(position, &mut Vec::new(), findings);
        }
        segments
    }

    /// Notes every reference to a segment that does not exist.
    pub fn check(&self, references: &[(Mark, String)], findings: &mut Findings) {
        for (mark, name) in references.iter().filter(|(_, name)| !self.positions.contains_key(name)) {
            let names = self.read.iter().map(|segment| segment.name.as_str());
            let hint = findings.nearest(name, names);
            findings.add(*mark, format!("expected a segment ({}), got \"{name}\"", self.known()), hint);
        }
    }

    /// The first names there are, and how many more.
    fn known(&self) -> String {
        let shown: Vec<_> = self.read.iter().take(NAMES_SHOWN).map(|segment| segment.name.as_str()).collect();
        match self.read.len() {
            0 => "none is defined".to_owned(),
            count @ ..=NAMES_SHOWN => shown[..count].join(", "),
            count => format!("{}, and {} more", shown.join(", "), count - NAMES_SHOWN),
        }
    }

    /// The segments that neither these references nor other segments name, and their lines.
    #[must_use]
    pub fn unused(&self, references: &[(Mark, String)]) -> Vec<(String, u32)> {
        let within = self.read.iter().flat_map(|segment| &segment.references);
        let named: BTreeSet<&str> = references.iter().chain(within).map(|(_, name)| name.as_str()).collect();
        let unused = self.read.iter().filter(|segment| !named.contains(segment.name.as_str()));
        unused.map(|segment| (segment.name.clone(), segment.key.line())).collect()
    }

    /// The conditions by name.
    #[must_use]
    pub fn into_conditions(self) -> BTreeMap<String, Condition> {
        let named = self.read.into_iter().filter_map(|segment| Some((segment.name, segment.condition?)));
        named.collect()
    }

    fn measure(&mut self, position: usize, chain: &mut Vec<usize>, findings: &mut Findings) -> Size {
        if let Some(begin) = chain.iter().position(|above| *above == position) {
            let circle = chain[begin..].iter().chain([&position]).map(|at| self.read[*at].name.as_str());
            let circle = circle.collect::<Vec<_>>().join(" -> ");
            self.refuse(position, &format!("expected segments without a circle, got {circle}"), findings);
            return Size::default();
        }
        if let Some(known) = self.read[position].size {
            return known;
        }
        if chain.len() > NESTING_LIMIT {
            return Size { tests: 0, nesting: chain.len() };
        }
        chain.push(position);
        let named = self.named_by(position).into_iter().map(|other| self.measure(other, chain, findings));
        let named = named.collect::<Vec<_>>();
        chain.pop();
        let own = self.read[position].condition.as_ref().map_or(0, own_tests);
        let size = Size {
            tests: own + named.iter().map(|size| size.tests).sum::<usize>(),
            nesting: 1 + named.iter().map(|size| size.nesting).max().unwrap_or(0),
        };
        let size = self.checked(position, size, findings);
        self.read[position].size = Some(size);
        size
    }

    fn named_by(&self, position: usize) -> Vec<usize> {
        let names = self.read[position].references.iter();
        names.filter_map(|(_, name)| self.positions.get(name).copied()).collect()
    }

    /// The size; nothing once it is refused, so that those who name the segment are not refused, too.
    fn checked(&self, position: usize, size: Size, findings: &mut Findings) -> Size {
        let message = if size.tests > TESTS_LIMIT {
            format!("expected at most {TESTS_LIMIT} tests with all it names, got {}", size.tests)
        } else if size.nesting > NESTING_LIMIT {
            format!("expected at most {NESTING_LIMIT} segments in a chain, got more")
        } else {
            return size;
        };
        self.refuse(position, &message, findings);
        Size::default()
    }

    fn refuse(&self, position: usize, message: &str, findings: &mut Findings) {
        let segment = &self.read[position];
        findings.add(segment.key, format!("segment \"{}\": {message}", segment.name), "");
    }
}

fn own_tests(condition: &Condition) -> usize {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().map(own_tests).sum(),
        Condition::Not(part) => own_tests(part),
        Condition::Segment(_) | Condition::Attr(..) => 1,
    }
}
