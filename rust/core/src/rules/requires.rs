//! What flags require of each other.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::{self, Fields};
use super::findings::{Findings, Mark};
use super::node::Node;
use super::table::REQUIREMENT;
use crate::flags::compile::REQUIREMENT_DEPTH;
use crate::flags::document::Requirement;

const CANDIDATE: &str = "rust";

/// The requirements of all flags, with their places.
#[derive(Debug, Default)]
pub struct Requirements {
    of_flag: BTreeMap<String, Vec<(Mark, String)>>,
}

impl Requirements {
    /// Reads a flag's `requires`.
    pub fn read(&mut self, flag: &str, node: &Node<'_>, findings: &mut Findings) -> Vec<Requirement> {
        let mut requirements = Vec::new();
        for item in fields::items(node, findings) {
            if let Some(requirement) = requirement(item, findings) {
                let noted = self.of_flag.entry(flag.to_owned()).or_default();
                noted.push((item.into(), requirement.flag.clone()));
                requirements.push(requirement);
            }
        }
        requirements
    }

    fn first(&self, flag: &str) -> Option<&(Mark, String)> {
        self.of_flag.get(flag).and_then(|all| all.first())
    }

    /// Notes required flags that do not exist, and circles: each once, at a requirement that closes it.
    pub fn check(&self, flags: &BTreeSet<&str>, findings: &mut Findings) {
        for (item, name) in self.of_flag.values().flatten() {
            if !flags.contains(&**name) {
                let hint = findings.nearest(name, flags.iter().copied());
                findings.add(*item, format!("expected a flag of this file, got \"{name}\""), hint);
            }
        }
        let mut walk = Walk { requirements: self, depths: BTreeMap::new(), chain: Vec::new() };
        for flag in self.of_flag.keys() {
            if !walk.depths.contains_key(flag.as_str()) {
                walk.follow(flag, findings);
            }
        }
    }
}

fn requirement(node: &Node<'_>, findings: &mut Findings) -> Option<Requirement> {
    if node.as_map().is_none() {
        return Some(Requirement { flag: name(node, findings)?, serves: CANDIDATE.to_owned() });
    }
    let found = Fields::of(node, &REQUIREMENT, findings);
    let serves = found.get("serves").and_then(|node| fields::implementation(node, findings));
    Some(Requirement { flag: name(found.get("flag")?, findings)?, serves: serves.unwrap_or(CANDIDATE.to_owned()) })
}

fn name(node: &Node<'_>, findings: &mut Findings) -> Option<String> {
    let name = node.as_text().filter(|text| fields::is_name(text));
    if name.is_none() {
        findings.expected(node, "the name of a flag, or {flag: NAME, serves: IMPLEMENTATION}", "");
    }
    name.map(str::to_owned)
}

/// A depth-first walk without recursion, so that a chain of any length is only a chain.
struct Walk<'r> {
    requirements: &'r Requirements,
    depths: BTreeMap<&'r str, usize>,
    chain: Vec<Link<'r>>,
}

/// A flag of the chain that is followed.
struct Link<'r> {
    flag: &'r str,
    next: usize,
    depth: usize,
}

impl<'r> Walk<'r> {
    fn follow(&mut self, flag: &'r str, findings: &mut Findings) {
        self.chain.push(Link { flag, next: 0, depth: 0 });
        while let Some(link) = self.chain.last_mut() {
            let required = self.requirements.of_flag.get(link.flag).and_then(|all| all.get(link.next));
            link.next += 1;
            match required {
                Some((item, name)) => self.step(*item, name, findings),
                None => self.step_back(findings),
            }
        }
    }

    fn step(&mut self, item: Mark, name: &'r str, findings: &mut Findings) {
        if let Some(begin) = self.chain.iter().position(|link| link.flag == name) {
            let names = self.chain[begin..].iter().map(|link| link.flag).chain([name]);
            let circle = names.collect::<Vec<_>>().join(" -> ");
            findings.add(item, format!("expected requirements without a circle, got {circle}"), "");
        } else if let Some(depth) = self.depths.get(name).copied() {
            self.reach(depth);
        } else {
            self.chain.push(Link { flag: name, next: 0, depth: 0 });
        }
    }

    /// Leaves a flag all of whose requirements were followed. One that leads too far is told once, and then counts as
    /// leading nowhere, so that those who require it are not told, too.
    fn step_back(&mut self, findings: &mut Findings) {
        let Some(link) = self.chain.pop() else { return };
        let mut depth = link.depth;
        if let (true, Some((item, _))) = (depth > REQUIREMENT_DEPTH, self.requirements.first(link.flag)) {
            findings.add(*item, format!("expected at most {REQUIREMENT_DEPTH} requirements in a chain, got more"), "");
            depth = 0;
        }
        self.depths.insert(link.flag, depth);
        self.reach(depth);
    }

    /// Notes at the last flag of the chain how far a requirement of it leads.
    fn reach(&mut self, depth: usize) {
        if let Some(link) = self.chain.last_mut() {
            link.depth = link.depth.max(depth + 1);
        }
    }
}
