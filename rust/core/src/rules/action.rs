//! What a rule, or the end of the rules, does: serve | split | ramp.

use super::fields::{self, Fields};
use super::findings::Findings;
use super::node::Node;
use super::table::{ACTION, RAMP_TABLE, STEP};
use super::{percent, time};
use crate::flags::document::{Action, Ramp};

const FORMS: [&str; 3] = ["serve", "split", "ramp"];
const CANDIDATE: &str = "rust";

/// Reads `otherwise`: an implementation's name, or a mapping.
pub fn otherwise(node: &Node<'_>, findings: &mut Findings) -> Option<Action> {
    if node.as_map().is_none() {
        return fields::implementation(node, findings).map(Action::Serve);
    }
    read(Fields::of(node, &ACTION, findings), findings)
}

/// Reads the one form that stands among the fields of a rule or of `otherwise`.
pub fn read(fields: Fields<'_, '_>, findings: &mut Findings) -> Option<Action> {
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
        "split" => Some(Action::Split(split(node, findings))),
        _ => Some(Action::Ramp(ramp(node, findings))),
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

fn split(node: &Node<'_>, findings: &mut Findings) -> Vec<(String, u32)> {
    let entries = fields::named(node, findings);
    let read = |entry: &&super::node::Entry<'_>, findings: &mut Findings| {
        Some((entry.key.text.to_string(), percent::millionths(&entry.value, findings)?))
    };
    let parts: Vec<_> = entries.iter().filter_map(|entry| read(entry, findings)).collect();
    let total: u64 = parts.iter().map(|(_, share)| u64::from(*share)).sum();
    let whole = u64::from(percent::WHOLE);
    if total != whole && node.as_map().is_some_and(|all| all.len() == parts.len()) {
        let missing = total < whole && !parts.iter().any(|(name, _)| name == "python");
        let hint = if missing { format!("add python: {}", percent::shown(whole - total)) } else { String::new() };
        findings.add(node, format!("expected percentages that add up to 100, got {}", percent::shown(total)), hint);
    }
    parts
}

fn ramp(node: &Node<'_>, findings: &mut Findings) -> Ramp {
    let fields = Fields::of(node, &RAMP_TABLE, findings);
    Ramp {
        serve: fields.get("serve").and_then(|node| fields::implementation(node, findings)).unwrap_or(CANDIDATE.into()),
        unit: fields.get("unit").and_then(|node| fields::attribute(node, findings)),
        salt: fields.get("salt").and_then(|node| fields::text(node, findings)),
        steps: fields.get("steps").map(|node| steps(node, findings)).unwrap_or_default(),
    }
}

fn steps(node: &Node<'_>, findings: &mut Findings) -> Vec<(i64, u32)> {
    let mut steps: Vec<(i64, u32)> = Vec::new();
    for item in fields::items(node, findings) {
        let fields = Fields::of(item, &STEP, findings);
        let at = fields.get("at").and_then(|node| time::moment(node, findings));
        let share = fields.get("percent").and_then(|node| percent::millionths(node, findings));
        let (Some(at), Some(share)) = (at, share) else { continue };
        if let Some((before, _)) = steps.last()
            && *before >= at
        {
            findings.add(item, "expected a step later than the one before it, got an earlier or the same time", "");
        }
        steps.push((at, share));
    }
    steps
}
