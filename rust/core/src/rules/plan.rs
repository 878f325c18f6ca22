//! A flag's `plan`: the steps of its rollout.

use super::fields::{self, Fields};
use super::findings::Findings;
use super::node::{Node, Value};
use super::percent::{self, WHOLE};
use super::table::{ADVANCES, PLAN, PLAN_STEP};
use super::time;
use crate::flags::document::{Plan, PlanStep};

const FIRST: &str = "shadow";
const LAST: &str = "on";
const WANTED: &str = "shadow, a percentage such as 5%, on, or a mapping of to, bake";

/// Reads a plan.
pub fn read(node: &Node<'_>, findings: &mut Findings) -> Plan {
    let found = Fields::of(node, &PLAN, findings);
    let advance = found.get("advance").and_then(|node| fields::choice(node, ADVANCES, findings));
    let steps = found.get("steps").map_or_else(|| Plan::default().steps, |node| steps(node, findings));
    Plan { is_automatic: advance == Some(1), steps }
}

/// Shares only rise, and nothing is served before something was compared.
fn steps(node: &Node<'_>, findings: &mut Findings) -> Box<[PlanStep]> {
    let items = fields::items(node, findings);
    let steps: Vec<_> = items.iter().filter_map(|item| step(item, findings)).collect();
    if steps.len() < items.len() {
        return steps.into();
    }
    if let (Some(item), Some(1..)) = (items.first(), steps.first().map(|step| step.share)) {
        findings.expected(item, "shadow as the first step", "no step serves before calls were compared");
    }
    for (item, pair) in items.iter().skip(1).zip(steps.windows(2)) {
        if pair[1].share <= pair[0].share {
            findings.expected(item, "a larger share than that of the step before", "");
        }
    }
    steps.into()
}

fn step(node: &Node<'_>, findings: &mut Findings) -> Option<PlanStep> {
    if !matches!(node.value, Value::Map(_)) {
        return Some(PlanStep { share: share(node, findings)?, bake_ms: None });
    }
    let found = Fields::of(node, &PLAN_STEP, findings);
    let bake_ms = found.get("bake").and_then(|node| time::duration(node, findings));
    Some(PlanStep { share: share(found.get("to")?, findings)?, bake_ms })
}

fn share(node: &Node<'_>, findings: &mut Findings) -> Option<u32> {
    match node.as_text() {
        Some(FIRST) => Some(0),
        Some(LAST) => Some(WHOLE),
        Some(text) if text.ends_with('%') => percent::millionths(node, findings),
        _ => {
            findings.expected(node, WANTED, if node.is_number() { "add the % sign" } else { "" });
            None
        }
    }
}

/// A step's share as it is written.
#[must_use]
pub fn written(share: u32) -> String {
    match share {
        0 => FIRST.to_owned(),
        WHOLE.. => LAST.to_owned(),
        share => format!("{}%", percent::shown(u64::from(share))),
    }
}
