//! A call for tests.

use serde_json::Value as Json;

use super::standing::Word;
use super::{Call, Path, Sequence, Standing, Value};

/// A call written as JSON.
pub(super) struct JsonCall<'a> {
    pub(super) unit: Option<&'a str>,
    pub(super) attributes: &'a Json,
    pub(super) now: i64,
    pub(super) standings: Vec<Word>,
}

impl<'a> JsonCall<'a> {
    pub(super) fn of(unit: &'a str, attributes: &'a Json) -> Self {
        Self { unit: Some(unit), attributes, now: 0, standings: Vec::new() }
    }
}

struct Elements<'a>(&'a [Json]);

impl Sequence for Elements<'_> {
    fn any(&self, check: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        self.0.iter().any(|element| with_value(Some(element), &mut *check))
    }
}

impl Call for JsonCall<'_> {
    fn unit(&self) -> Option<&str> {
        self.unit
    }

    fn now(&self) -> i64 {
        self.now
    }

    fn standing(&self, flag: usize) -> Standing {
        Standing::of(self.standings.get(flag).copied().unwrap_or(0), self.now)
    }

    fn look<R>(&self, path: &Path, then: impl FnOnce(Value<'_>) -> R) -> R {
        let mut parts = path.parts().peekable();
        let nested = parts.peek().is_some().then(|| parts.try_fold(self.attributes, |inner, part| inner.get(part)));
        with_value(self.attributes.get(&*path.text).or(nested.flatten()), then)
    }
}

fn with_value<R>(value: Option<&Json>, then: impl FnOnce(Value<'_>) -> R) -> R {
    match value {
        None | Some(Json::Null) => then(Value::Missing),
        Some(Json::Bool(value)) => then(Value::Bool(*value)),
        Some(Json::String(value)) => then(Value::Text(value)),
        Some(Json::Array(elements)) => then(Value::Sequence(&Elements(elements))),
        Some(Json::Object(_)) => then(Value::Other),
        Some(Json::Number(value)) => {
            then(value.as_i64().map_or_else(|| Value::Float(value.as_f64().unwrap_or(f64::NAN)), Value::Int))
        }
    }
}
