//! What a decision may see of a call: its unit and its attributes.

use std::io::Write;
use std::sync::Arc;

use super::standing::Standing;

/// One attribute's value, borrowed from whoever holds it.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// Absent, or present without a value.
    Missing,
    /// A truth value; never equal to a number.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number beyond 64 bits, in decimal digits.
    Big(&'a str),
    /// Any other number.
    Float(f64),
    /// Text that is valid Unicode.
    Text(&'a str),
    /// A moment in Unix milliseconds.
    Time(i64),
    /// A list.
    Sequence(&'a dyn Sequence),
    /// Anything else: present, but no condition except `exists` holds for it.
    Other,
}

/// A list that can be searched without copying it.
pub trait Sequence {
    /// Whether `check` holds for at least one element.
    fn any(&self, check: &mut dyn FnMut(Value<'_>) -> bool) -> bool;
}

/// A call, as far as rules may look at it. Implementations never fail: what cannot be read is [`Value::Missing`].
pub trait Call {
    /// The unit the caller named; `None` or empty means none.
    fn unit(&self) -> Option<&str>;

    /// The time of the call in Unix milliseconds; asked only where something depends on it.
    fn now(&self) -> i64;

    /// Whether the flag at a position in [`super::Snapshot::flags`] may serve its candidate.
    fn standing(&self, _flag: usize) -> Standing {
        Standing::Running
    }

    /// Hands the attribute at `path` to `then`.
    fn look<R>(&self, path: &Path, then: impl FnOnce(Value<'_>) -> R) -> R;
}

/// The same call at another moment in Unix milliseconds.
pub struct At<'c, C> {
    /// The call.
    pub call: &'c C,
    /// The moment.
    pub moment: i64,
}

impl<C: Call> Call for At<'_, C> {
    fn unit(&self) -> Option<&str> {
        self.call.unit()
    }

    fn now(&self) -> i64 {
        self.moment
    }

    fn standing(&self, flag: usize) -> Standing {
        self.call.standing(flag)
    }

    fn look<R>(&self, path: &Path, then: impl FnOnce(Value<'_>) -> R) -> R {
        self.call.look(path, then)
    }
}

/// The name of an attribute. An attribute whose name is the whole text, dots included, wins over a nested one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The position in [`super::Snapshot::paths`], for callers that keep keys of their own per path.
    pub index: usize,
    /// The name as written.
    pub text: Arc<str>,
}

impl Path {
    /// The keys to follow into nested attributes; empty when the name has no dot.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        let nested = self.text.contains('.');
        self.text.split('.').filter(move |_| nested)
    }
}

impl Value<'_> {
    /// Hands over the text that is hashed when this value is a unit: text as it is, whole numbers in decimal.
    /// `None` for everything else and for empty text.
    pub fn with_unit<R>(self, then: impl FnOnce(Option<&str>) -> R) -> R {
        match self {
            Value::Text(text) | Value::Big(text) if !text.is_empty() => then(Some(text)),
            Value::Int(number) => with_decimal(number, |text| then(Some(text))),
            _ => then(None),
        }
    }
}

/// Writes a whole number in decimal without allocating.
fn with_decimal<R>(number: i64, then: impl FnOnce(&str) -> R) -> R {
    let mut digits = [0_u8; 20]; // the longest is "-9223372036854775808"
    let mut rest = &mut digits[..];
    let written = write!(rest, "{number}").map_or(0, |()| 20 - rest.len());
    then(std::str::from_utf8(&digits[..written]).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(value: Value<'_>) -> Option<String> {
        value.with_unit(|text| text.map(str::to_owned))
    }

    #[test]
    fn whole_numbers_are_units_in_decimal() {
        assert_eq!(Some("-9223372036854775808".to_owned()), unit(Value::Int(i64::MIN)));
        assert_eq!(Some("0".to_owned()), unit(Value::Int(0)));
        assert_eq!(Some("18446744073709551616".to_owned()), unit(Value::Big("18446744073709551616")));
    }

    #[test]
    fn other_values_are_no_units() {
        for value in [Value::Missing, Value::Bool(true), Value::Float(1.0), Value::Text(""), Value::Other] {
            assert_eq!(None, unit(value));
        }
    }

    #[test]
    fn only_dotted_names_have_parts() {
        let parts = |text: &str| {
            let path = Path { index: 0, text: text.into() };
            path.parts().map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(parts("team").is_empty());
        assert_eq!(vec!["org", "tier"], parts("org.tier"));
    }
}
