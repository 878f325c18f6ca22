//! JSON as the walk's values, for tests and fuzzing.

use std::borrow::Cow;

use serde_json::Value;

use super::node::{Decline, Key, Kind, Node};
use super::{Accounting, Call, Semantics, count_messages};

impl Node for Value {
    fn kind(&self) -> Kind {
        match self {
            Value::Null => Kind::None,
            Value::String(_) => Kind::Text,
            Value::Array(_) => Kind::List,
            Value::Object(_) => Kind::Dict,
            Value::Bool(_) | Value::Number(_) => Kind::Other,
        }
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        self.as_str().map(Cow::Borrowed)
    }

    fn truthy(&self) -> bool {
        match self {
            Value::Null => false,
            Value::Bool(truth) => *truth,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(text) => !text.is_empty(),
            Value::Array(elements) => !elements.is_empty(),
            Value::Object(entries) => !entries.is_empty(),
        }
    }

    fn elements(&self) -> Vec<Self> {
        self.as_array().cloned().unwrap_or_default()
    }

    fn entries(&self) -> Vec<(Self, Self)> {
        let entries = self.as_object().into_iter().flatten();
        entries.map(|(key, value)| (Value::String(key.clone()), value.clone())).collect()
    }

    fn get(&self, key: Key) -> Option<Self> {
        self.as_object().and_then(|entries| entries.get(key.text())).cloned()
    }

    fn display(&self) -> Result<Self, Decline> {
        match self {
            Value::String(_) => Ok(self.clone()),
            Value::Null => Ok(Value::String("None".to_owned())),
            other => Ok(Value::String(other.to_string())),
        }
    }
}

/// Counts with one token a character, so that an expected number can be read off the case.
pub(crate) fn counted(semantics: Semantics, case: &Value) -> Result<i64, Decline> {
    let length = |text: &str| i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let call = Call {
        semantics,
        accounting: Accounting::USUAL,
        fixed_image_tokens: None,
        base_image_tokens: 85,
        with_extras: case["with_extras"].as_bool().unwrap_or(true),
        count: &|text: &Value| Ok(length(&text.text().ok_or(Decline::Error)?)),
        count_written: &|text| Ok(length(text)),
    };
    count_messages(&call, &case["messages"], &case["tools"], &case["tool_choice"])
}

#[test]
fn vectors_are_counted_as_they_say() {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../../../../tests/vectors/messages.json")).expect("the vectors are JSON");
    for case in &vectors {
        let name = case["name"].as_str().unwrap_or_default();
        for (semantics, expected) in case["expected"].as_object().expect("expected is an object") {
            let found = counted(Semantics::named(semantics).expect("a known release"), case);
            let found = found.map_or_else(|decline| Value::from(decline.word()), Value::from);
            assert_eq!(expected, &found, "{name} on {semantics}");
        }
    }
}
