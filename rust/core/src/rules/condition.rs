//! The `when` of a rule, and segments.
//!
//! Kinds are strict: a text never equals a number, and true never equals 1; 1 equals 1.0. A missing attribute (absent or
//! nothing), or one of a kind the test does not know, makes a test false, and therefore its opposite true.

use std::net::IpAddr;

use ipnet::IpNet;
use semver::VersionReq;

use super::fields::{self, Fields};
use super::findings::{Findings, Mark, nearest};
use super::node::{Entry, Node, Value};
use super::table::{FORMS, NEGATION, TESTS};
use super::time;
use crate::flags::compile::pattern;
use crate::flags::document::{Condition, Number, Scalar, Test};

/// Reads conditions and remembers which segments they name.
#[derive(Debug, Default)]
pub struct ConditionReader {
    /// The segments that were named, and where.
    pub references: Vec<(Mark, String)>,
}

impl ConditionReader {
    /// Reads a condition; `None`, or one with holes, when something is wrong with it.
    pub fn read(&mut self, node: &Node<'_>, findings: &mut Findings) -> Option<Condition> {
        let entries = fields::entries(node, findings, &format!("a mapping of {}, {}", FORMS.listed(), TESTS.listed()));
        refuse_unknown(entries, findings);
        let fields = Fields::unchecked(node);
        let forms: Vec<_> = FORMS.names().filter(|form| fields.get(form).is_some()).collect();
        match (forms.as_slice(), node.as_map()) {
            (["attr"], _) => attribute(node, entries, findings),
            ([form], _) => {
                for entry in entries.iter().filter(|entry| entry.key.text != *form) {
                    let message = format!("expected \"{form}\" alone, got \"{}\" beside it", entry.key.text);
                    findings.add(&entry.value, message, "");
                }
                self.composed(form, fields.get(form)?, findings)
            }
            (_, None) => None,
            (forms, Some(_)) => {
                let got = if forms.is_empty() { "none of them".to_owned() } else { forms.join(" and ") };
                findings.add(node, format!("expected exactly one of {}, got {got}", FORMS.listed()), "");
                None
            }
        }
    }

    fn composed(&mut self, form: &str, node: &Node<'_>, findings: &mut Findings) -> Option<Condition> {
        match form {
            "segment" => {
                let name = fields::text(node, findings)?;
                self.references.push((node.into(), name.clone()));
                Some(Condition::Segment(name))
            }
            "not" => Some(Condition::Not(Box::new(self.read(node, findings)?))),
            _ => {
                let items = fields::items(node, findings);
                let parts = items.iter().filter_map(|part| self.read(part, findings)).collect();
                Some(if form == "all" { Condition::All(parts) } else { Condition::Any(parts) })
            }
        }
    }
}

fn refuse_unknown(entries: &[Entry<'_>], findings: &mut Findings) {
    for entry in entries {
        let name = &*entry.key.text;
        if !FORMS.names().any(|form| form == name) && !TESTS.names().any(|test| test == positive(name).0) {
            let message = format!("expected one of {}, {}, got the key \"{name}\"", FORMS.listed(), TESTS.listed());
            let tests = TESTS.names().flat_map(|test| [test.to_owned(), format!("{NEGATION}{test}")]);
            let allowed: Vec<_> = FORMS.names().map(str::to_owned).chain(tests).collect();
            findings.add(&entry.key, message, nearest(name, allowed.iter().map(String::as_str)));
        }
    }
}

/// A test's name without its negation, and whether there was none.
fn positive(name: &str) -> (&str, bool) {
    name.strip_prefix(NEGATION).map_or((name, true), |test| (test, false))
}

fn attribute(node: &Node<'_>, entries: &[Entry<'_>], findings: &mut Findings) -> Option<Condition> {
    let path = fields::attribute(Fields::unchecked(node).get("attr")?, findings);
    if entries.len() == 1 {
        findings.add(node, format!("expected a test ({}), got none", TESTS.listed()), "");
    }
    let mut tests = Vec::new();
    for entry in entries {
        let (name, as_it_is) = positive(&entry.key.text);
        if let (Some(test), Some(path)) = (test(name, &entry.value, findings), &path) {
            let condition = Condition::Attr(path.clone(), test);
            tests.push(if as_it_is { condition } else { Condition::Not(Box::new(condition)) });
        }
    }
    if tests.len() == 1 { tests.pop() } else { Some(Condition::All(tests)) }
}

/// Reads a test; `None` when its value is wrong, or when this is the name of no test.
fn test(name: &str, node: &Node<'_>, findings: &mut Findings) -> Option<Test> {
    Some(match name {
        "equals" => Test::Equals(scalar(node, findings)?),
        "in" => Test::In(fields::items(node, findings).iter().filter_map(|item| scalar(item, findings)).collect()),
        "contains" => Test::Contains(scalar(node, findings)?),
        "starts_with" => Test::StartsWith(fields::text(node, findings)?),
        "ends_with" => Test::EndsWith(fields::text(node, findings)?),
        "matches" => Test::Matches(regular_expression(node, findings)?),
        "gt" => Test::Gt(number(node, "a number", findings)?),
        "gte" => Test::Gte(number(node, "a number", findings)?),
        "lt" => Test::Lt(number(node, "a number", findings)?),
        "lte" => Test::Lte(number(node, "a number", findings)?),
        "semver" => Test::Semver(version_range(node, findings)?),
        "before" => Test::Before(time::moment(node, findings)?),
        "after" => Test::After(time::moment(node, findings)?),
        "exists" => Test::Exists(fields::boolean(node, findings)?),
        "cidr" => Test::Cidr(networks(node, findings)),
        _ => return None,
    })
}

fn scalar(node: &Node<'_>, findings: &mut Findings) -> Option<Scalar> {
    match node.value {
        Value::Text => Some(Scalar::Text(node.text.clone().into_owned())),
        Value::Bool(truth) => Some(Scalar::Bool(truth)),
        _ => number(node, "a text, a number, true or false", findings).map(Scalar::Number),
    }
}

fn number(node: &Node<'_>, wanted: &str, findings: &mut Findings) -> Option<Number> {
    match node.value {
        Value::Int(number) => return Some(Number::Int(number)),
        Value::Float(number) if number.is_finite() => return Some(Number::Float(number)),
        Value::Big => findings.expected(node, "a whole number within 64 bits", ""),
        Value::Null => findings.expected(node, wanted, "to test for absence, write exists: false"),
        _ => findings.expected(node, wanted, ""),
    }
    None
}

fn regular_expression(node: &Node<'_>, findings: &mut Findings) -> Option<String> {
    let text = fields::text(node, findings)?;
    if let Err(error) = pattern(&text) {
        let error = error.to_string();
        let reason = error.trim().lines().next_back().unwrap_or_default().replace("error: ", "");
        findings.add(node, format!("expected a regular expression, got an invalid one: {reason}"), "");
        return None;
    }
    Some(text)
}

fn version_range(node: &Node<'_>, findings: &mut Findings) -> Option<String> {
    let text = fields::text(node, findings)?;
    if let Err(error) = VersionReq::parse(&text) {
        let message = format!("expected a version range such as \">=2.4.0, <3\", got an invalid one: {error}");
        findings.add(node, message, "separate comparisons with commas");
        return None;
    }
    Some(text)
}

fn networks(node: &Node<'_>, findings: &mut Findings) -> Vec<String> {
    match &node.value {
        Value::List(_) => fields::items(node, findings).iter().filter_map(|item| network(item, findings)).collect(),
        _ => network(node, findings).into_iter().collect(),
    }
}

/// A network, or an address, which is a network of its own.
fn network(node: &Node<'_>, findings: &mut Findings) -> Option<String> {
    let text = node.as_text().unwrap_or_default();
    let parsed = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    if parsed.is_none() {
        findings.expected(node, "a network such as 10.0.0.0/8 or 2001:db8::/32", "");
    }
    parsed.map(|network| network.to_string())
}
