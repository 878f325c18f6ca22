//! A flag's `gate`: what a promotion takes. Only what is written is kept; what is not has the judge's own defaults.

use serde_json::{Map, Value as Json, json};

use super::fields::{self, Fields};
use super::findings::Findings;
use super::node::{Node, Value};
use super::percent::{self, WHOLE};
use super::table::{BOUND, GATE, GATE_LATENCY};
use super::time;

const BOUNDS: [&str; 4] = ["divergence", "cells", "pairs", "timeouts"];
const MS_PER_SECOND: f64 = 1_000.0;

/// Reads a gate as the JSON object that the judge's policy is made of: fractions, and seconds.
pub fn read(node: &Node<'_>, findings: &mut Findings) -> Map<String, Json> {
    let found = Fields::of(node, &GATE, findings);
    let mut gate = Map::new();
    for name in BOUNDS {
        if let Some(node) = found.get(name) {
            gate.insert(name.to_owned(), bound(node, findings).into());
        }
    }
    if let Some(share) = found.get("not_compared").and_then(|node| percent::millionths(node, findings)) {
        gate.insert("not_compared".to_owned(), fraction(share));
    }
    if let Some(node) = found.get("latency") {
        gate.insert("latency".to_owned(), latency(node, findings));
    }
    if let Some(bake) = found.get("bake").and_then(|node| time::duration(node, findings)) {
        gate.insert("bake".to_owned(), seconds(bake));
    }
    if let Some(hosts) = found.get("hosts").and_then(|node| fields::count(node, 1, findings)) {
        gate.insert("hosts".to_owned(), json!(hosts));
    }
    gate
}

/// Milliseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "durations are far below 2^53 milliseconds")]
#[must_use]
pub fn seconds(milliseconds: u64) -> Json {
    json!(milliseconds as f64 / MS_PER_SECOND)
}

fn fraction(millionths: u32) -> Json {
    json!(f64::from(millionths) / f64::from(WHOLE))
}

fn bound(node: &Node<'_>, findings: &mut Findings) -> Map<String, Json> {
    shares(Fields::of(node, &BOUND, findings), &["rate", "alpha"], findings)
}

fn latency(node: &Node<'_>, findings: &mut Findings) -> Json {
    if node.as_text() == Some("none") {
        return Json::Null;
    }
    let found = Fields::of(node, &GATE_LATENCY, findings);
    let mut latency = shares(found, &["tail", "alpha"], findings);
    if let Some(ratio) = found.get("median_ratio").and_then(|node| ratio(node, findings)) {
        latency.insert("median_ratio".to_owned(), json!(ratio));
    }
    latency.into()
}

/// Shares that are neither nothing nor all: a rate of 0 can never be proven, and one of 1 says nothing.
fn shares(found: Fields<'_, '_>, names: &[&str], findings: &mut Findings) -> Map<String, Json> {
    let mut read = Map::new();
    for name in names {
        let Some(node) = found.get(name) else { continue };
        match percent::millionths(node, findings) {
            Some(0 | WHOLE) => findings.expected(node, "a percentage above 0 and below 100", ""),
            Some(share) => drop(read.insert((*name).to_owned(), fraction(share))),
            None => {}
        }
    }
    read
}

fn ratio(node: &Node<'_>, findings: &mut Findings) -> Option<f64> {
    let ratio = match node.value {
        Value::Int(1) => 1.0,
        Value::Float(ratio) => ratio,
        _ => 0.0,
    };
    if ratio > 0.0 && ratio <= 1.0 {
        return Some(ratio);
    }
    findings.expected(node, "a ratio above 0 and at most 1, such as 0.9", "to ask for no speed, write latency: none");
    None
}
