//! What a rule, or the end of the rules, does: serve | split | ramp.

use super::fields::{self, Fields};
use super::findings::Findings;
use super::node::{Entry, Node};
use super::table::{ACTION, RAMP_TABLE, STEP};
use super::{percent, time};
use crate::flags::Implementation;
use crate::flags::document::{Action, Hash, Ramp};
use crate::flags::hash::{self, Draw};

const FORMS: [&str; 3] = ["serve", "split", "ramp"];
const CANDIDATE: &str = "rust";

/// Reads `otherwise`: an implementation's name, or a mapping.
pub fn otherwise(node: &Node<'_>, hash: Hash, findings: &mut Findings) -> Option<Action> {
    if node.as_map().is_none() {
        return fields::implementation(node, findings).map(Action::Serve);
    }
    read(Fields::of(node, &ACTION, findings), hash, findings)
}

/// Reads the one form that stands among the fields of a rule or of `otherwise`.
pub fn read(fields: Fields<'_, '_>, hash: Hash, findings: &mut Findings) -> Option<Action> {
    let present: Vec<_> = FORMS.into_iter().filter(|form| fields.get(form).is_some()).collect();
    let [form] = present[..] else {
        if fields.node().as_map().is_some() {
            let got = if present.is_empty() { "none of them".to_owned() } else { present.join(" and ") };
            findings.add(fields.node(), format!("expected exactly one of {}, got {got}", FORMS.join(", ")), "");
        }
        return None;
    };
    let node = fields.get(form)?;
    match form {
        "serve" => fields::implementation(node, findings).map(Action::Serve),
        "split" => Some(Action::Split(split(node, hash, findings))),
        _ => Some(Action::Ramp(ramp(node, hash, findings))),
    }
}

/// Whether Python answers every call.
#[must_use]
pub fn only_python(action: &Action) -> bool {
    match action {
        Action::Serve(name) => name == "python",
        Action::Split(parts) => parts.iter().all(|(name, share)| name == "python" || *share == 0),
        Action::Ramp(ramp) => ramp.serve == "python" || ramp.steps.iter().all(|(_, share)| *share == 0),
    }
}

fn split(node: &Node<'_>, hash: Hash, findings: &mut Findings) -> Vec<(String, u32)> {
    let entries = fields::named(node, findings);
    let read = entries.iter().filter_map(|entry| Some((*entry, percent::millionths(&entry.value, findings)?)));
    let read: Vec<(&Entry<'_>, u32)> = read.collect();
    check_steps(&read, hash, findings);
    let total: u64 = read.iter().map(|(_, share)| u64::from(*share)).sum();
    let whole = u64::from(percent::WHOLE);
    if total != whole && node.as_map().is_some_and(|all| all.len() == read.len()) {
        let missing = total < whole && !read.iter().any(|(entry, _)| entry.key.text == "python");
        let hint = if missing { format!("add python: {}", percent::shown(whole - total)) } else { String::new() };
        findings.add(node, format!("expected percentages that add up to 100, got {}", percent::shown(total)), hint);
    }
    read.into_iter().map(|(entry, share)| (entry.key.text.to_string(), share)).collect()
}

/// Notes shares finer than the flag's hash can tell apart.
fn check_steps(read: &[(&Entry<'_>, u32)], hash: Hash, findings: &mut Findings) {
    let parts: Vec<_> = read.iter().map(|(entry, share)| (Implementation::from(&*entry.key.text), *share)).collect();
    let finest = hash::finest(hash, hash::draw(&parts));
    for (entry, _) in read.iter().filter(|(_, share)| share % finest != 0) {
        too_fine(&entry.value, finest, findings);
    }
}

/// Notes a share that the engine whose hash is asked for cannot tell from its neighbours.
fn too_fine(node: &Node<'_>, finest: u32, findings: &mut Findings) {
    let step = percent::shown(u64::from(finest));
    let message = format!("expected a multiple of {step} percent, the finest step of this flag's hash, got {node}");
    findings.add(node, message, "nothing is rounded; hash: xxh3 has steps of 0.0001");
}

fn ramp(node: &Node<'_>, hash: Hash, findings: &mut Findings) -> Ramp {
    let fields = Fields::of(node, &RAMP_TABLE, findings);
    Ramp {
        serve: fields.get("serve").and_then(|node| fields::implementation(node, findings)).unwrap_or(CANDIDATE.into()),
        unit: fields.get("unit").and_then(|node| fields::attribute(node, findings)),
        salt: fields.get("salt").and_then(|node| fields::text(node, findings)),
        steps: fields.get("steps").map(|node| steps(node, hash, findings)).unwrap_or_default(),
    }
}

fn steps(node: &Node<'_>, hash: Hash, findings: &mut Findings) -> Vec<(i64, u32)> {
    let mut steps: Vec<(i64, u32)> = Vec::new();
    for item in fields::items(node, findings) {
        let fields = Fields::of(item, &STEP, findings);
        let at = fields.get("at").and_then(|node| time::moment(node, findings));
        let share = fields.get("percent").and_then(|node| percent::millionths(node, findings));
        let (Some(at), Some(share)) = (at, share) else { continue };
        let finest = hash::finest(hash, Draw::Rollout);
        if let (true, Some(node)) = (share % finest != 0, fields.get("percent")) {
            too_fine(node, finest, findings);
        }
        if let Some((before, _)) = steps.last()
            && *before >= at
        {
            findings.add(item, "expected a step later than the one before it, got an earlier or the same time", "");
        }
        steps.push((at, share));
    }
    steps
}
