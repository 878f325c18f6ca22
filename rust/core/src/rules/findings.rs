//! The list of what is wrong with a rule file.

use std::collections::HashMap;
use std::fmt::Write;

use super::node::{Node, Place, Value};

// How alike two words must be, from 0 to 1, for one to be a slip of the other.
const ALIKE: f64 = 0.55;
const WITH_HINTS: usize = 20;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What was expected and what came, after the path of the node.
    pub message: String,
    /// What to do about it; empty when there is nothing to add.
    pub hint: String,
}

/// Collects every problem of one file.
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<Finding>,
}

#[derive(Debug)]
struct Finding {
    spot: Spot,
    problem: Problem,
}

/// Paths are only worked out for what is wrong: by the address of the node in the finished tree, or given at once while
/// the tree is still growing.
#[derive(Debug)]
enum Spot {
    Address(usize),
    Path(String),
}

/// A node's place and identity, which outlive it.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    address: usize,
    place: Place,
}

impl Mark {
    /// The line of the node, 0 for rules from memory.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.place.line
    }
}

impl From<&Node<'_>> for Mark {
    fn from(node: &Node<'_>) -> Self {
        Self { address: address(node), place: node.place }
    }
}

/// The way from the root to a node of a tree that is still growing.
#[derive(Debug, Clone, Copy)]
pub struct Trail<'t> {
    above: Option<&'t Trail<'t>>,
    step: Step<'t>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'t> {
    Root,
    Key(&'t str),
    Item(usize),
}

impl Findings {
    /// Notes a problem at a node of the finished tree.
    pub fn add(&mut self, node: impl Into<Mark>, message: impl Into<String>, hint: impl Into<String>) {
        let Mark { address, place } = node.into();
        let problem = Problem { place, message: message.into(), hint: hint.into() };
        self.found.push(Finding { spot: Spot::Address(address), problem });
    }

    /// Notes that a node of the finished tree is not what it should be.
    pub fn expected(&mut self, node: &Node<'_>, wanted: &str, hint: impl Into<String>) {
        self.add(node, format!("expected {wanted}, got {node}"), hint);
    }

    /// Notes a problem in a tree that is still growing.
    pub fn add_at(&mut self, trail: &Trail<'_>, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        let problem = Problem { place, message: message.into(), hint: hint.into() };
        self.found.push(Finding { spot: Spot::Path(trail.path()), problem });
    }

    /// A hint that names the word most like this one among names of the file. Only the first problems get one, because
    /// a file may hold thousands of names and as many problems.
    #[must_use]
    pub fn nearest<'w>(&self, word: &str, names: impl IntoIterator<Item = &'w str>) -> String {
        if self.found.len() < WITH_HINTS { nearest(word, names) } else { String::new() }
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The problems in the order of the file.
    #[must_use]
    pub fn sorted(self, root: Option<&Node<'_>>) -> Vec<Problem> {
        let mut paths = HashMap::new();
        if let (Some(root), false) = (root, self.found.is_empty()) {
            let wanted = self.found.iter().filter_map(|finding| match finding.spot {
                Spot::Address(address) => Some((address, String::new())),
                Spot::Path(_) => None,
            });
            paths.extend(wanted);
            locate(root, &mut String::new(), &mut paths);
        }
        let mut problems: Vec<_> = self.found.into_iter().map(|finding| finding.told(&paths)).collect();
        problems.sort_by_key(|problem| problem.place);
        problems
    }
}

impl Finding {
    fn told(self, paths: &HashMap<usize, String>) -> Problem {
        let path = match &self.spot {
            Spot::Address(address) => paths.get(address).map_or("", String::as_str),
            Spot::Path(path) => path,
        };
        let colon = if path.is_empty() { "" } else { ": " };
        Problem { message: format!("{path}{colon}{}", self.problem.message), ..self.problem }
    }
}

impl<'t> Trail<'t> {
    /// The root.
    pub const ROOT: Self = Self { above: None, step: Step::Root };

    /// The way to the value of a key.
    #[must_use]
    pub fn key(&'t self, key: &'t str) -> Trail<'t> {
        Trail { above: Some(self), step: Step::Key(key) }
    }

    /// The way to an item of a list.
    #[must_use]
    pub fn item(&'t self, index: usize) -> Trail<'t> {
        Trail { above: Some(self), step: Step::Item(index) }
    }

    fn path(&self) -> String {
        let mut path = self.above.map(Self::path).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Key(key) => push_key(&mut path, key),
            Step::Item(index) => push_item(&mut path, index),
        }
        path
    }
}

/// Walks the tree and enters the path of every node that is wanted; a key has the path of its mapping.
fn locate(node: &Node<'_>, path: &mut String, paths: &mut HashMap<usize, String>) {
    enter(node, path, paths);
    let length = path.len();
    match &node.value {
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                push_item(path, index);
                locate(item, path, paths);
                path.truncate(length);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                enter(&entry.key, path, paths);
                push_key(path, &entry.key.text);
                locate(&entry.value, path, paths);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

fn enter(node: &Node<'_>, path: &str, paths: &mut HashMap<usize, String>) {
    if let Some(wanted) = paths.get_mut(&address(node)) {
        path.clone_into(wanted);
    }
}

fn address(node: &Node<'_>) -> usize {
    std::ptr::from_ref(node).addr()
}

fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

fn push_item(path: &mut String, index: usize) {
    // Writing to a String cannot fail.
    let _ = write!(path, "[{index}]");
}

/// A hint that names the allowed word most like this one; empty when none is.
#[must_use]
pub fn nearest<'w>(word: &str, allowed: impl IntoIterator<Item = &'w str>) -> String {
    let word = word.to_lowercase();
    let scored =
        allowed.into_iter().map(|candidate| (strsim::normalized_damerau_levenshtein(&word, candidate), candidate));
    let best = scored.filter(|(score, _)| *score >= ALIKE).max_by(|(left, _), (right, _)| left.total_cmp(right));
    best.map_or_else(String::new, |(_, candidate)| format!("did you mean \"{candidate}\"?"))
}
