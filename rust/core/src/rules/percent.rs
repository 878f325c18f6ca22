//! Percentages as whole numbers of millionths: exact, or an error, never rounded.

use super::findings::Findings;
use super::node::Node;

/// All of it: 100 % in millionths.
pub const WHOLE: u32 = 1_000_000;

const WANTED: &str = "a percentage from 0 to 100, such as 10, 0.5 or 10%";
const DECIMALS: usize = 4; // a millionth is 0.0001 %
const LONGEST: usize = 20; // digits on either side of the point

/// Why a text is no percentage.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not written as one.
    Form,
    /// It is more than 100.
    TooLarge,
    /// It has more decimals than there are buckets for.
    TooFine,
}

/// Reads a percentage: a number, or a text that ends in %.
pub fn millionths(node: &Node<'_>, findings: &mut Findings) -> Option<u32> {
    let written = node.is_number() || node.as_text().is_some_and(|text| text.ends_with('%'));
    let read = if written { parsed(&node.text) } else { Err(Refusal::Form) };
    read.inspect_err(|refusal| findings.expected(node, WANTED, refusal.hint(&node.text))).ok()
}

/// Reads a percentage as it was written, the sign optional.
///
/// # Errors
///
/// The text is no percentage from 0 to 100 with at most four decimals.
pub fn parsed(text: &str) -> Result<u32, Refusal> {
    let number = text.strip_suffix('%').unwrap_or(text);
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(Refusal::Form),
        None => (number, ""),
    };
    let digits = |part: &str| part.len() <= LONGEST && part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(Refusal::Form);
    }
    let (kept, rest) = fraction.split_at(fraction.len().min(DECIMALS));
    let exact: u128 = format!("{whole}{kept:0<DECIMALS$}").parse().map_err(|_| Refusal::Form)?;
    let beyond = rest.bytes().any(|byte| byte != b'0');
    match u32::try_from(exact) {
        Ok(WHOLE) if beyond => Err(Refusal::TooLarge),
        Ok(..=WHOLE) if beyond => Err(Refusal::TooFine),
        Ok(exact @ ..=WHOLE) => Ok(exact),
        _ => Err(Refusal::TooLarge),
    }
}

impl Refusal {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self, text: &str) -> String {
        match self {
            Self::TooFine => "0.0001 is the finest step; nothing is rounded".to_owned(),
            Self::Form if text.starts_with('.') && text[1..].starts_with(|next: char| next.is_ascii_digit()) => {
                format!("write 0{text}")
            }
            _ => String::new(),
        }
    }
}

/// Millionths as people write them, such as "0.5".
#[must_use]
pub fn shown(millionths: u64) -> String {
    let (whole, fraction) = (millionths / 10_000, millionths % 10_000);
    if fraction == 0 { whole.to_string() } else { format!("{whole}.{fraction:04}").trim_end_matches('0').to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentages_are_exact() {
        let cases = [
            ("0", 0),
            ("100", WHOLE),
            ("10%", 100_000),
            ("0.0001", 1),
            ("99.9999%", 999_999),
            ("33.3000000", 333_000),
            ("007", 70_000),
        ];
        for (written, expected) in cases {
            assert_eq!(Ok(expected), parsed(written), "{written}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for written in [
            "-1", ".5", ".5%", "5.", "1e1", "ten", "", "%", "10 %", "10%%", "nan", "inf", "1_0", "٣", "1\n", "+5",
            "1.2.3",
        ] {
            assert_eq!(Err(Refusal::Form), parsed(written), "{written}");
        }
        for written in ["100.0001", "100.00000001", "101", "99999999999999999999"] {
            assert_eq!(Err(Refusal::TooLarge), parsed(written), "{written}");
        }
        assert_eq!(Err(Refusal::TooFine), parsed("0.00001"));
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read_back(millionths in 0..=WHOLE) {
            prop_assert_eq!(Ok(millionths), parsed(&shown(u64::from(millionths))));
        }
    }
}
