//! A flag's `guard`.

use super::fields::{self, Fields};
use super::findings::Findings;
use super::node::{Node, Value};
use super::table::{ERROR_RATE, GUARD, LATENCY, ON_BREACH, SCOPES};
use super::{percent, time};
use crate::flags::document::{Guard, Scope};

const WINDOW_MS: u64 = 60_000;
const MIN_CALLS: u32 = 200;
const HOLD_MS: u64 = 300_000;
const RETRY: u32 = 10_000; // 1 %
const RATIO_LIMIT: f64 = 1_000.0;

/// Reads a guard.
pub fn read(node: &Node<'_>, findings: &mut Findings) -> Option<Guard> {
    let found = Fields::of(node, &GUARD, findings);
    let error_rate_over = found.get("error_rate").and_then(|node| error_rate(node, findings));
    let latency_ratio = found.get("latency_p99").and_then(|node| latency(node, findings));
    if node.as_map().is_some() && found.get("error_rate").is_none() && found.get("latency_p99").is_none() {
        findings.add(
            node,
            "expected error_rate or latency_p99, got neither",
            "add error_rate: {max_over_python: 0.5%}",
        );
    }
    let guard = Guard {
        window_ms: found.get("window").and_then(|node| time::duration(node, findings)).unwrap_or(WINDOW_MS),
        min_calls: found.get("min_calls").and_then(|node| fields::count(node, 1, findings)).unwrap_or(MIN_CALLS),
        error_rate_over,
        latency_ratio,
        hold_ms: HOLD_MS,
        retry: RETRY,
        scope: Scope::Host,
    };
    Some(found.get("on_breach").map_or(guard, |node| on_breach(guard, node, findings)))
}

fn on_breach(guard: Guard, node: &Node<'_>, findings: &mut Findings) -> Guard {
    let found = Fields::of(node, &ON_BREACH, findings);
    if let Some(node) = found.get("serve") {
        fields::choice(node, &["python"], findings);
    }
    let scope = found.get("scope").and_then(|node| fields::choice(node, SCOPES, findings));
    Guard {
        hold_ms: found.get("hold").and_then(|node| time::duration(node, findings)).unwrap_or(HOLD_MS),
        retry: found.get("retry_percent").and_then(|node| percent::millionths(node, findings)).unwrap_or(RETRY),
        scope: scope.map_or(Scope::Host, |chosen| [Scope::Process, Scope::Host, Scope::Fleet][chosen]),
        ..guard
    }
}

fn error_rate(node: &Node<'_>, findings: &mut Findings) -> Option<u32> {
    percent::millionths(Fields::of(node, &ERROR_RATE, findings).get("max_over_python")?, findings)
}

/// Reads a ratio as thousandths.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked before")]
fn latency(node: &Node<'_>, findings: &mut Findings) -> Option<u32> {
    let node = Fields::of(node, &LATENCY, findings).get("max_ratio_to_python")?;
    let ratio = match node.value {
        Value::Int(ratio) => f64::from(i32::try_from(ratio).unwrap_or(0)),
        Value::Float(ratio) => ratio,
        _ => 0.0,
    };
    if !(1.0..=RATIO_LIMIT).contains(&ratio) {
        findings.expected(node, "a ratio from 1 to 1000, such as 1.10", "");
        return None;
    }
    Some((ratio * 1_000.0).round() as u32)
}
