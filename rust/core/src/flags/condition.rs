//! What a rule's `when` asks of a call.
//!
//! Kinds are strict: a text never equals a number, and a truth value never equals either. A missing attribute, or one of a
//! kind the test does not know, makes the test false, never an error; under `not` it is therefore true.

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use regex::Regex;
use rustc_hash::FxHashSet;

use super::call::{Call, Path, Value};
use super::document::{Number, Scalar};
use super::{moment, version};

/// A compiled condition.
#[derive(Debug)]
pub enum Condition {
    /// Every part holds.
    All(Box<[Condition]>),
    /// At least one part holds.
    Any(Box<[Condition]>),
    /// The part does not hold.
    Not(Box<Condition>),
    /// A named condition, shared by all who use it.
    Segment(Arc<str>, Arc<Condition>),
    /// The attribute passes the test.
    Attribute(Path, Test),
}

/// A compiled test of one attribute.
#[derive(Debug)]
pub enum Test {
    /// Equal, of the same kind.
    Equals(Scalar),
    /// Equal to one of these.
    In(Choices),
    /// A text with this part, or a list with this element.
    Contains(Scalar),
    /// A text that begins so.
    StartsWith(Box<str>),
    /// A text that ends so.
    EndsWith(Box<str>),
    /// A text in which this regular expression is found; linear in its length.
    Matches(Box<Regex>),
    /// A number that compares so with this one.
    Compare(Comparison, Number),
    /// Present (or, when false, absent).
    Exists(bool),
    /// A version within this range.
    Semver(version::Range),
    /// A moment, or a text that is one, before this one in Unix milliseconds.
    Before(i64),
    /// The same after it.
    After(i64),
    /// A text that is an address within one of these networks.
    Cidr(Box<[IpNet]>),
}

/// The values of an `in`. Many texts are looked up, not walked over.
#[derive(Debug)]
pub struct Choices {
    listed: Box<[Scalar]>,
    texts: Option<FxHashSet<Box<str>>>,
}

// Below this, walking over the texts is quicker than hashing one.
const FEW_CHOICES: usize = 8;

/// An order between numbers.
#[derive(Debug, Clone, Copy)]
pub enum Comparison {
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Smaller.
    Lt,
    /// Smaller or equal.
    Lte,
}

impl Condition {
    /// Whether the condition holds for this call.
    pub fn holds<C: Call>(&self, call: &C) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(call)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(call)),
            Self::Not(part) => !part.holds(call),
            Self::Segment(_, shared) => shared.holds(call),
            Self::Attribute(path, test) => call.look(path, |value| test.passes(value)),
        }
    }

    /// The smallest part that keeps a condition which does not hold from holding.
    pub fn obstacle<C: Call>(&self, call: &C) -> &Self {
        match self {
            Self::All(parts) => parts.iter().find(|part| !part.holds(call)).map_or(self, |part| part.obstacle(call)),
            Self::Segment(_, shared) => shared.obstacle(call),
            _ => self,
        }
    }
}

impl Test {
    /// Whether a value passes.
    #[must_use]
    pub fn passes(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Equals(wanted), _) => equal(wanted, value),
            (Self::In(choices), _) => choices.hold(value),
            (Self::Contains(Scalar::Text(part)), Value::Text(text)) => text.contains(part.as_str()),
            (Self::Contains(wanted), Value::Sequence(list)) => list.any(&mut |element| equal(wanted, element)),
            (Self::StartsWith(prefix), Value::Text(text)) => text.starts_with(&**prefix),
            (Self::EndsWith(suffix), Value::Text(text)) => text.ends_with(&**suffix),
            (Self::Matches(pattern), Value::Text(text)) => pattern.is_match(text),
            (Self::Compare(comparison, bound), _) => {
                order(value, *bound).is_some_and(|order| comparison.accepts(order))
            }
            (Self::Exists(wanted), _) => *wanted != matches!(value, Value::Missing),
            (Self::Semver(range), Value::Text(text)) => range.contains(text),
            (Self::Before(bound), _) => instant(value).is_some_and(|instant| instant < *bound),
            (Self::After(bound), _) => instant(value).is_some_and(|instant| instant > *bound),
            (Self::Cidr(networks), Value::Text(text)) => within(networks, text),
            _ => false,
        }
    }
}

impl Choices {
    /// Prepares the values.
    #[must_use]
    pub fn new(listed: Vec<Scalar>) -> Self {
        let texts = listed.iter().filter_map(|choice| match choice {
            Scalar::Text(text) => Some(text.as_str().into()),
            _ => None,
        });
        let texts = (listed.len() > FEW_CHOICES).then(|| texts.collect());
        Self { listed: listed.into(), texts }
    }

    /// The values in the order of the file.
    #[must_use]
    pub fn listed(&self) -> &[Scalar] {
        &self.listed
    }

    fn hold(&self, value: Value<'_>) -> bool {
        match (&self.texts, value) {
            (Some(texts), Value::Text(text)) => texts.contains(text),
            _ => self.listed.iter().any(|choice| equal(choice, value)),
        }
    }
}

fn instant(value: Value<'_>) -> Option<i64> {
    match value {
        Value::Time(moment) => Some(moment),
        Value::Text(text) => moment::parse(text),
        _ => None,
    }
}

/// Whether an address is within a network. An IPv4 address written as IPv6 is an IPv4 address.
fn within(networks: &[IpNet], text: &str) -> bool {
    let address = text.trim().parse::<IpAddr>().map(|address| address.to_canonical());
    address.is_ok_and(|address| networks.iter().any(|network| network.contains(&address)))
}

impl Comparison {
    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Gt => order.is_gt(),
            Self::Gte => order.is_ge(),
            Self::Lt => order.is_lt(),
            Self::Lte => order.is_le(),
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Gt => ">",
            Self::Gte => ">=",
            Self::Lt => "<",
            Self::Lte => "<=",
        }
    }
}

fn equal(wanted: &Scalar, value: Value<'_>) -> bool {
    match (wanted, value) {
        (Scalar::Bool(wanted), Value::Bool(value)) => *wanted == value,
        (Scalar::Text(wanted), Value::Text(value)) => wanted == value,
        (Scalar::Number(wanted), _) => order(value, *wanted) == Some(Ordering::Equal),
        _ => false,
    }
}

/// How the value compares with the bound; `None` when it is no number, or not a number.
#[expect(
    clippy::cast_precision_loss,
    reason = "two whole numbers are compared exactly; beside a fraction, f64 is the meaning"
)]
fn order(value: Value<'_>, bound: Number) -> Option<Ordering> {
    match (value, bound) {
        (Value::Int(value), Number::Int(bound)) => Some(value.cmp(&bound)),
        (Value::Int(value), Number::Float(bound)) => (value as f64).partial_cmp(&bound),
        (Value::Float(value), Number::Int(bound)) => value.partial_cmp(&(bound as f64)),
        (Value::Float(value), Number::Float(bound)) => value.partial_cmp(&bound),
        // Beyond 64 bits every bound that is a whole number is on the same side: the sign tells which.
        (Value::Big(digits), Number::Int(_)) => {
            Some(if digits.starts_with('-') { Ordering::Less } else { Ordering::Greater })
        }
        (Value::Big(digits), Number::Float(bound)) => digits.parse::<f64>().ok()?.partial_cmp(&bound),
        _ => None,
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => listed(out, "all of", parts),
            Self::Any(parts) => listed(out, "any of", parts),
            Self::Not(part) => write!(out, "not ({part})"),
            Self::Segment(name, _) => write!(out, "segment {name}"),
            Self::Attribute(path, test) => write!(out, "{} {test}", path.text),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(wanted) => write!(out, "equals {wanted}"),
            Self::In(choices) => listed(out, "in", &choices.listed),
            Self::Contains(part) => write!(out, "contains {part}"),
            Self::StartsWith(prefix) => write!(out, "starts with {prefix:?}"),
            Self::EndsWith(suffix) => write!(out, "ends with {suffix:?}"),
            Self::Matches(pattern) => write!(out, "matches /{pattern}/"),
            Self::Compare(comparison, bound) => write!(out, "{} {bound}", comparison.sign()),
            Self::Exists(true) => write!(out, "exists"),
            Self::Exists(false) => write!(out, "does not exist"),
            Self::Semver(range) => write!(out, "is a version {range}"),
            Self::Before(bound) => write!(out, "is before {}", moment::shown(*bound)),
            Self::After(bound) => write!(out, "is after {}", moment::shown(*bound)),
            Self::Cidr(networks) => listed(out, "is an address in", networks),
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(out, "{value}"),
            Self::Number(value) => write!(out, "{value}"),
            Self::Text(value) => write!(out, "{value:?}"),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(out, "{value}"),
            Self::Float(value) => write!(out, "{value}"),
        }
    }
}

fn listed<T: fmt::Display>(out: &mut fmt::Formatter<'_>, word: &str, parts: &[T]) -> fmt::Result {
    write!(out, "{word} [")?;
    for (index, part) in parts.iter().enumerate() {
        write!(out, "{}{part}", if index == 0 { "" } else { ", " })?;
    }
    write!(out, "]")
}
