//! Conditions that can never hold, as far as that is certain.

use super::call::Value;
use super::condition::{Comparison, Condition, Test};
use super::document::{Number, Scalar};

impl Condition {
    /// Whether no call whatever can satisfy the condition. `false` proves nothing: only what is certain counts.
    #[must_use]
    pub fn never_holds(&self) -> bool {
        match self {
            Self::All(parts) => parts.iter().any(Self::never_holds) || contradict(&self.tests()),
            Self::Any(parts) => parts.iter().all(Self::never_holds),
            Self::Segment(_, shared) => shared.never_holds(),
            Self::Not(_) | Self::Attribute(..) => false,
        }
    }

    /// The tests that must all pass, by the position of their attribute.
    fn tests(&self) -> Vec<(usize, &Test)> {
        match self {
            Self::All(parts) => parts.iter().flat_map(Self::tests).collect(),
            Self::Segment(_, shared) => shared.tests(),
            Self::Attribute(path, test) => vec![(path.index, test)],
            Self::Any(_) | Self::Not(_) => Vec::new(),
        }
    }
}

fn contradict(tests: &[(usize, &Test)]) -> bool {
    let later = |index: usize| tests[index + 1..].iter();
    tests.iter().enumerate().any(|(index, (path, test))| {
        later(index).any(|(other_path, other)| path == other_path && (test.excludes(other) || other.excludes(test)))
    })
}

impl Test {
    /// Whether a value that passes this test can never pass the other one.
    fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exists(false), other) => !matches!(other, Self::Exists(false)),
            (Self::Equals(value), _) => !other.passes(value.value()),
            (Self::In(choices), _) => choices.listed().iter().all(|choice| !other.passes(choice.value())),
            (Self::Compare(low, least), Self::Compare(high, most)) => is_empty((*low, *least), (*high, *most)),
            _ => false,
        }
    }
}

impl Scalar {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Text(text) => Value::Text(text),
            Self::Number(Number::Int(number)) => Value::Int(*number),
            Self::Number(Number::Float(number)) => Value::Float(*number),
        }
    }
}

/// Whether no number lies above the first bound and below the second.
fn is_empty((low, least): (Comparison, Number), (high, most): (Comparison, Number)) -> bool {
    let opposed = matches!(low, Comparison::Gt | Comparison::Gte) && matches!(high, Comparison::Lt | Comparison::Lte);
    let touching = matches!((low, high), (Comparison::Gte, Comparison::Lte));
    let bound = Scalar::Number(least);
    let reaches = if touching { Test::Compare(Comparison::Lte, most) } else { Test::Compare(Comparison::Lt, most) };
    opposed && !reaches.passes(bound.value())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::flags::{Process, Snapshot};

    fn never(when: &Json) -> bool {
        let rule = json!({"name": "r", "when": when, "serve": "rust"});
        let file =
            json!({"version": 1, "flags": {"f": {"rules": [rule]}}, "segments": {"a": {"attr": "x", "equals": "a"}}});
        let rules = crate::rules::from_text(file.to_string().as_bytes()).unwrap();
        Snapshot::compile(&rules.document, &Process::default()).unwrap().flags[0].rules[0].when.never_holds()
    }

    #[test]
    fn contradictions_are_found() {
        for when in [
            json!({"attr": "x", "equals": "a", "in": ["b", "c"]}),
            json!({"all": [{"segment": "a"}, {"attr": "x", "equals": "b"}]}),
            json!({"attr": "x", "gt": 5, "lt": 5}),
            json!({"attr": "x", "gte": 5.5, "lte": 5}),
            json!({"attr": "x", "gt": 5, "lte": 5}),
            json!({"attr": "x", "exists": false, "equals": 1}),
            json!({"attr": "x", "in": ["a", "b"], "starts_with": "c"}),
            json!({"any": [{"attr": "x", "equals": 1, "gt": 1}, {"attr": "y", "exists": false, "contains": "a"}]}),
            json!({"attr": "x", "equals": 1, "matches": "1"}),
        ] {
            assert!(never(&when), "{when}");
        }
    }

    #[test]
    fn what_may_hold_is_left_alone() {
        for when in [
            json!({"attr": "x", "equals": "a", "in": ["a", "b"]}),
            json!({"attr": "x", "gte": 5, "lte": 5}),
            json!({"attr": "x", "gt": 5, "gte": 7}),
            json!({"attr": "x", "starts_with": "a", "ends_with": "b"}),
            json!({"all": [{"attr": "x", "equals": 1}, {"attr": "y", "equals": 2}]}),
            json!({"any": [{"attr": "x", "equals": 1, "gt": 1}, {"attr": "x", "equals": 2}]}),
            json!({"not": {"attr": "x", "gt": 5, "lt": 5}}),
            json!({"attr": "x", "exists": true, "equals": 1}),
        ] {
            assert!(!never(&when), "{when}");
        }
    }
}
