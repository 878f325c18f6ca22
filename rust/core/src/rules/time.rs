//! Days, moments and durations.

use super::findings::Findings;
use super::node::Node;
use crate::flags::moment;

const DURATION_UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// A day as it was written.
pub fn date(node: &Node<'_>, findings: &mut Findings) -> Option<String> {
    let day = node.as_text().filter(|text| moment::day(text).is_some());
    if day.is_none() {
        findings.expected(node, "a date such as 2027-03-31", "");
    }
    day.map(str::to_owned)
}

/// A moment in Unix milliseconds: RFC 3339, or a day, which begins at midnight UTC.
pub fn moment(node: &Node<'_>, findings: &mut Findings) -> Option<i64> {
    let moment = node.as_text().and_then(moment::parse);
    if moment.is_none() {
        findings.expected(node, "a time such as 2027-01-05T09:00:00Z", hint_for(&node.text));
    }
    moment
}

/// A duration in milliseconds, such as 60s or 5m.
pub fn duration(node: &Node<'_>, findings: &mut Findings) -> Option<u64> {
    let read = node.as_text().and_then(duration_of).filter(|milliseconds| *milliseconds > 0);
    if read.is_none() {
        findings.expected(
            node,
            "a duration such as 500ms, 60s, 5m, 1h or 2d",
            if node.is_number() { "add its unit" } else { "" },
        );
    }
    read
}

fn duration_of(text: &str) -> Option<u64> {
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let (_, factor) = DURATION_UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor).filter(|milliseconds| *milliseconds <= u64::from(u32::MAX) * 1_000)
}

fn hint_for(text: &str) -> &'static str {
    if text.contains('T') && !text.ends_with('Z') { "say the zone: a Z at the end means UTC" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        let cases = [("500ms", Some(500)), ("60s", Some(60_000)), ("5m", Some(300_000)), ("2d", Some(172_800_000))];
        for (text, expected) in cases {
            assert_eq!(expected, duration_of(text), "{text}");
        }
        for text in ["60", "s", "1.5s", "-1s", "5 m", "1w", "99999999999999999999s", ""] {
            assert_eq!(None, duration_of(text), "{text}");
        }
    }
}
