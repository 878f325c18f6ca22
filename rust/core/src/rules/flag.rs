//! One flag of a rule file.

use std::collections::HashMap;

use super::action;
use super::condition::ConditionReader;
use super::fields::{self, Fields};
use super::findings::Findings;
use super::layers::Layers;
use super::node::{Entry, Node};
use super::requires::Requirements;
use super::shadow::{self, Shadow};
use super::table::{FLAG, HASHES, RULE, STAGES};
use super::{Notes, gate, guard, plan, time};
use crate::flags::document::{Action, Flag, Hash, Rule};
use crate::flags::{Implementation, Stage};

/// Reads the flags of one file.
#[derive(Debug)]
pub struct FlagReader {
    /// The layers of the file.
    pub layers: Layers,
    hash: Hash,
    /// What the rules name.
    pub conditions: ConditionReader,
    /// What the flags require.
    pub requirements: Requirements,
}

impl FlagReader {
    /// A reader for flags in these layers, with this hash where they name none.
    #[must_use]
    pub fn new(layers: Layers, hash: Hash) -> Self {
        Self { layers, hash, conditions: ConditionReader::default(), requirements: Requirements::default() }
    }

    /// Reads a flag; with problems noted, it may have holes.
    pub fn read(&mut self, entry: &Entry<'_>, findings: &mut Findings) -> (Flag, Notes) {
        let name = &*entry.key.text;
        let found = Fields::of(&entry.value, &FLAG, findings);
        let shadow = found.get("shadow").map(|node| shadow::read(node, findings));
        let otherwise = found.get("otherwise");
        let hash = found.get("hash").and_then(|node| hash(node, findings)).unwrap_or(self.hash);
        let flag = Flag {
            line: entry.key.place.line,
            killed: found.get("enabled").and_then(|node| fields::boolean(node, findings)) == Some(false),
            stage: found.get("stage").and_then(|node| stage(node, findings)),
            candidate: found.get("candidate").and_then(|node| candidate(node, findings)),
            salt: found.get("salt").and_then(|node| fields::text(node, findings)),
            unit: found.get("unit").and_then(|node| fields::attribute(node, findings)),
            hash,
            layer: self.layer(name, found.get("layer"), findings),
            requires: found
                .get("requires")
                .map(|node| self.requirements.read(name, node, findings))
                .unwrap_or_default(),
            rules: found.get("rules").map(|node| self.rules((name, hash), node, findings)).unwrap_or_default(),
            otherwise: otherwise.and_then(|node| action::otherwise(node, hash, findings)),
            otherwise_line: otherwise.map_or(0, |node| node.place.line),
            shadow: shadow.map(|shadow| shadow.percent),
            plan: found.get("plan").map(|node| Box::new(plan::read(node, findings))),
            guard: found.get("guard").and_then(|node| guard::read(node, findings)),
        };
        check_pin(found, &flag, findings);
        let notes = Notes {
            plan: flag.plan.clone(),
            candidate: flag.candidate.as_deref().map(Into::into),
            ..notes(found, shadow, findings)
        };
        (flag, notes)
    }

    fn layer(&self, flag: &str, node: Option<&Node<'_>>, findings: &mut Findings) -> Option<String> {
        if let Some(node) = node
            && let Some(said) = fields::text(node, findings)
        {
            self.layers.agree(flag, node, &said, findings);
        }
        self.layers.of(flag).map(str::to_owned)
    }

    fn rules(&mut self, (flag, hash): (&str, Hash), node: &Node<'_>, findings: &mut Findings) -> Vec<Rule> {
        let mut rules: Vec<Rule> = Vec::new();
        let mut positions: HashMap<String, usize> = HashMap::new();
        for item in fields::items(node, findings) {
            let rule = self.rule(item, hash, findings);
            let first = *positions.entry(rule.name.clone()).or_insert(rules.len());
            if first < rules.len() && !rule.name.is_empty() {
                let (name, place) = (&rule.name, format!("flags.{flag}.rules[{first}]"));
                findings.add(
                    item,
                    format!("expected each rule's name once, got \"{name}\" again (first: {place})"),
                    "",
                );
            }
            rules.push(rule);
        }
        rules
    }

    /// Reads a rule; what it lacks is filled with something harmless, because it will never be used.
    fn rule(&mut self, node: &Node<'_>, hash: Hash, findings: &mut Findings) -> Rule {
        let found = Fields::of(node, &RULE, findings);
        let when = found.get("when").and_then(|node| self.conditions.read(node, findings));
        Rule {
            name: found.get("name").and_then(|node| fields::text(node, findings)).unwrap_or_default(),
            line: node.place.line,
            when: when.unwrap_or(crate::flags::document::Condition::Any(Vec::new())),
            then: action::read(found, hash, findings).unwrap_or(Action::Serve("python".to_owned())),
        }
    }
}

/// Reads the name of a hash.
pub fn hash(node: &Node<'_>, findings: &mut Findings) -> Option<Hash> {
    let chosen = fields::choice(node, HASHES, findings)?;
    Some([Hash::Xxh3, Hash::Unleash, Hash::Growthbook2, Hash::Flagd2][chosen])
}

fn stage(node: &Node<'_>, findings: &mut Findings) -> Option<Stage> {
    Some([Stage::Off, Stage::Shadow, Stage::Canary, Stage::On][fields::choice(node, STAGES, findings)?])
}

/// Reads the name of the candidate; the control is none.
fn candidate(node: &Node<'_>, findings: &mut Findings) -> Option<String> {
    let name = fields::implementation(node, findings)?;
    if Implementation::from(&*name) == Implementation::Python {
        findings.add(node, "expected a candidate, got python, which is what candidates are compared with", "");
    }
    Some(name)
}

fn notes(found: Fields<'_, '_>, shadow: Option<Shadow>, findings: &mut Findings) -> Notes {
    Notes {
        owner: found.get("owner").and_then(|node| fields::text(node, findings)).map(Into::into),
        expires: found.get("expires").and_then(|node| time::date(node, findings)).map(Into::into),
        shadow: shadow.unwrap_or(Shadow::DEFAULT),
        plan: None,
        candidate: None,
        gate: found.get("gate").map(|node| Box::new(gate::read(node, findings))),
    }
}

/// Notes pinned stages and plans that contradict the flag so far that they could only be a mistake.
fn check_pin(found: Fields<'_, '_>, flag: &Flag, findings: &mut Findings) {
    if let Some(node) = found.get("plan") {
        for stronger in ["stage", "otherwise"].into_iter().filter(|key| found.get(key).is_some()) {
            let message = format!("expected a plan or {stronger}, got both");
            findings.add(node, message, format!("{stronger} wins over the plan; remove one of them"));
        }
    }
    if let (Some(Stage::On), [], Some(otherwise), Some(node)) =
        (flag.stage, &flag.rules[..], &flag.otherwise, found.get("otherwise"))
        && action::only_python(otherwise)
    {
        let message = "expected an implementation that stage: on can serve, got only python";
        findings.add(node, message, "remove otherwise, or write stage: off");
    }
    if let (Some(Stage::Shadow), Some(0), Some(node)) = (flag.stage, flag.shadow, found.get("shadow")) {
        let message = "expected something for stage: shadow to compare, got 0 percent";
        findings.add(node, message, "raise the percentage, or write stage: off");
    }
}
