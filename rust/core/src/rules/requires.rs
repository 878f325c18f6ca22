//! What flags require of each other.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::{self, Fields};
use super::findings::Findings;
use super::node::Node;
use super::table::REQUIREMENT;
use crate::flags::document::Requirement;

const CANDIDATE: &str = "rust";

/// The requirements of all flags, with their places.
#[derive(Debug, Default)]
pub struct Requirements<'n, 'a> {
    of_flag: BTreeMap<String, Vec<(&'n Node<'a>, String)>>,
}

impl<'n, 'a> Requirements<'n, 'a> {
    /// Reads a flag's `requires`.
    pub fn read(&mut self, flag: &str, node: &'n Node<'a>, findings: &mut Findings) -> Vec<Requirement> {
        let mut requirements = Vec::new();
        for item in fields::items(node, findings) {
            if let Some(requirement) = requirement(item, findings) {
                let noted = self.of_flag.entry(flag.to_owned()).or_default();
                noted.push((item, requirement.flag.clone()));
                requirements.push(requirement);
            }
        }
        requirements
    }

    /// Notes required flags that do not exist, and circles: each once, at a requirement that closes it.
    pub fn check(&self, flags: &BTreeSet<&str>, findings: &mut Findings) {
        for (item, name) in self.of_flag.values().flatten() {
            if !flags.contains(&**name) {
                let hint = findings.nearest(name, flags.iter().copied());
                findings.add(item, format!("expected a flag of this file, got \"{name}\""), hint);
            }
        }
        let mut walk = Walk { requirements: self, done: BTreeSet::new(), chain: Vec::new() };
        for flag in self.of_flag.keys() {
            walk.follow(flag, findings);
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
struct Walk<'r, 'n, 'a> {
    requirements: &'r Requirements<'n, 'a>,
    done: BTreeSet<&'r str>,
    chain: Vec<(&'r str, usize)>,
}

impl<'r> Walk<'r, '_, '_> {
    fn follow(&mut self, flag: &'r str, findings: &mut Findings) {
        self.chain.push((flag, 0));
        while let Some((flag, next)) = self.chain.last_mut() {
            let (flag, position) = (*flag, *next);
            *next += 1;
            let required = self.requirements.of_flag.get(flag).and_then(|all| all.get(position));
            if let Some((item, name)) = required {
                self.step(item, name, findings);
            } else {
                self.done.insert(flag);
                self.chain.pop();
            }
        }
    }

    fn step(&mut self, item: &Node<'_>, name: &'r str, findings: &mut Findings) {
        if let Some(begin) = self.chain.iter().position(|(flag, _)| *flag == name) {
            let names = self.chain[begin..].iter().map(|(flag, _)| *flag).chain([name]);
            let circle = names.collect::<Vec<_>>().join(" -> ");
            findings.add(item, format!("expected requirements without a circle, got {circle}"), "");
        } else if !self.done.contains(name) {
            self.chain.push((name, 0));
        }
    }
}
