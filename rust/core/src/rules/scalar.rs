//! What an unquoted word in YAML 1.2 means (its core schema): `on`, `off`, `yes`, `no` and dates are text.
//!
//! See <https://yaml.org/spec/1.2.2/#1032-tag-resolution>.

use super::node::Value;

// A double needs fewer digits.
const LONGEST: usize = 400;

/// The value of an unquoted word.
#[must_use]
pub fn resolve(text: &str) -> Value<'static> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if text.len() <= LONGEST && text.starts_with(|first: char| "+-.0123456789".contains(first)) => number(text),
        _ => Value::Text,
    }
}

fn number(text: &str) -> Value<'static> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits(unsigned) {
        return text.parse().map_or(Value::Big, Value::Int);
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(rest) = text.strip_prefix(prefix)
            && !rest.is_empty()
            && rest.chars().all(|digit| digit.is_digit(radix))
        {
            return i64::from_str_radix(rest, radix).map_or(Value::Big, Value::Int);
        }
    }
    if is_fraction(unsigned) {
        return text.parse().map_or(Value::Text, Value::Float);
    }
    match (unsigned, text.starts_with('-')) {
        (".inf" | ".Inf" | ".INF", negative) => Value::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY }),
        (".nan" | ".NaN" | ".NAN", _) if unsigned.len() == text.len() => Value::Float(f64::NAN),
        _ => Value::Text,
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `.5`, `5.`, `5.5`, each with an exponent or without.
fn is_fraction(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let whole = exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    whole
        && match mantissa.split_once('.') {
            Some(("", after)) => digits(after),
            Some((before, after)) => digits(before) && (after.is_empty() || digits(after)),
            None => digits(mantissa),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> String {
        format!("{:?}", resolve(text))
    }

    #[test]
    fn words_that_yaml_1_1_would_change_stay_text() {
        for word in
            ["on", "off", "yes", "no", "On", "y", "2027-01-02", "1_000", "12:30", "0b1", "<<", "=", "+", ".", "-"]
        {
            assert_eq!("Text", kind(word), "{word}");
        }
    }

    #[test]
    fn the_core_schema_is_followed() {
        let cases = [
            ("true", "Bool(true)"),
            ("FALSE", "Bool(false)"),
            ("", "Null"),
            ("~", "Null"),
            ("null", "Null"),
            ("-5", "Int(-5)"),
            ("007", "Int(7)"),
            ("0o17", "Int(15)"),
            ("0x1F", "Int(31)"),
            ("9223372036854775808", "Big"),
            ("1e3", "Float(1000.0)"),
            (".5", "Float(0.5)"),
            ("5.", "Float(5.0)"),
            ("+5.5E-1", "Float(0.55)"),
            ("-.inf", "Float(-inf)"),
            (".nan", "Float(NaN)"),
            ("-.nan", "Text"),
            ("1e", "Text"),
            ("0x", "Text"),
        ];
        for (word, expected) in cases {
            assert_eq!(expected, kind(word), "{word}");
        }
    }

    #[test]
    fn endless_digits_are_text() {
        assert_eq!("Text", kind(&"9".repeat(5000)));
    }
}
