//! Days, moments and durations.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;

use super::findings::Findings;
use super::node::Node;

const DURATION_UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// A day as it was written.
pub fn date(node: &Node<'_>, findings: &mut Findings) -> Option<String> {
    let day = node.as_text().filter(|text| day(text).is_some());
    if day.is_none() {
        findings.expected(node, "a date such as 2027-03-31", "");
    }
    day.map(str::to_owned)
}

/// A moment in Unix milliseconds: RFC 3339, or a day, which begins at midnight UTC.
pub fn moment(node: &Node<'_>, findings: &mut Findings) -> Option<i64> {
    let moment = node.as_text().and_then(moment_of);
    if moment.is_none() {
        findings.expected(node, "a time such as 2027-01-05T09:00:00Z", hint_for(&node.text));
    }
    moment
}

/// Reads a moment.
#[must_use]
pub fn moment_of(text: &str) -> Option<i64> {
    match day(text) {
        Some(day) => day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|midnight| midnight.timestamp().as_millisecond()),
        None => Timestamp::from_str(text).ok().map(Timestamp::as_millisecond),
    }
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

fn day(text: &str) -> Option<Date> {
    let written = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    if written { Date::from_str(text).ok() } else { None }
}

fn hint_for(text: &str) -> &'static str {
    if text.contains('T') && !text.ends_with('Z') { "say the zone: a Z at the end means UTC" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_utc_milliseconds() {
        assert_eq!(Some(1_799_139_600_000), moment_of("2027-01-05T09:00:00Z"));
        assert_eq!(Some(1_799_139_600_000), moment_of("2027-01-05T10:00:00+01:00"));
        assert_eq!(Some(1_799_107_200_000), moment_of("2027-01-05"));
    }

    #[test]
    fn a_moment_without_a_zone_is_none() {
        for text in ["2027-01-05T09:00:00", "2027-02-30", "tomorrow", "", "20270105", "2027-W01-1", "1799139600"] {
            assert_eq!(None, moment_of(text), "{text}");
        }
    }

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
