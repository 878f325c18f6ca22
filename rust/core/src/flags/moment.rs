//! Moments as texts.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Reads a moment in Unix milliseconds: RFC 3339 with a zone, or a day, which begins at midnight UTC.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    match day(text) {
        Some(day) => day.to_zoned(TimeZone::UTC).ok().map(|midnight: Zoned| midnight.timestamp().as_millisecond()),
        None => Timestamp::from_str(text).ok().map(Timestamp::as_millisecond),
    }
}

/// Reads a day, written 2027-03-31.
#[must_use]
pub fn day(text: &str) -> Option<Date> {
    let digit_or_dash = |(at, byte): (usize, u8)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    let written = text.len() == 10 && text.bytes().enumerate().all(digit_or_dash);
    if written { Date::from_str(text).ok() } else { None }
}

/// Writes a moment as RFC 3339 in UTC.
#[must_use]
pub fn shown(moment: i64) -> String {
    Timestamp::from_millisecond(moment).map_or_else(|_| moment.to_string(), |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_utc_milliseconds() {
        assert_eq!(Some(1_799_139_600_000), parse("2027-01-05T09:00:00Z"));
        assert_eq!(Some(1_799_139_600_000), parse("2027-01-05T10:00:00+01:00"));
        assert_eq!(Some(1_799_107_200_000), parse("2027-01-05"));
    }

    #[test]
    fn a_moment_without_a_zone_is_none() {
        for text in ["2027-01-05T09:00:00", "2027-02-30", "tomorrow", "", "20270105", "2027-W01-1", "1799139600"] {
            assert_eq!(None, parse(text), "{text}");
        }
    }

    #[test]
    fn moments_are_shown_in_utc() {
        assert_eq!("2027-01-05T09:00:00Z", shown(1_799_139_600_000));
        assert_eq!(i64::MAX.to_string(), shown(i64::MAX));
    }
}
