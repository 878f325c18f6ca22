//! A flag's `shadow`: how much is compared, where, and what that may take.

use super::fields::{self, Fields};
use super::findings::Findings;
use super::node::Node;
use super::table::{MODES, SHADOW};
use super::{percent, time};

/// How a flag's calls are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shadow {
    /// How many of a million calls that Python answers.
    pub percent: u32,
    /// How many millionths of one core.
    pub budget: u32,
    /// Where the candidate runs, a position in [`MODES`].
    pub mode: usize,
    /// How long one run of it may take, in milliseconds.
    pub deadline_ms: u64,
    /// How many bytes the copies of waiting calls may keep alive.
    pub memory: u64,
}

impl Shadow {
    /// What holds for a flag that says nothing.
    pub const DEFAULT: Self =
        Self { percent: percent::WHOLE, budget: 50_000, mode: 0, deadline_ms: 1_000, memory: 16 * MIB };
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const MEMORY_UNITS: [(&str, u64); 3] = [("KiB", KIB), ("MiB", MIB), ("GiB", GIB)];
const MEMORY_LIMIT: u64 = 64 * GIB;

/// Reads what a flag says of its comparisons.
pub fn read(node: &Node<'_>, findings: &mut Findings) -> Shadow {
    let found = Fields::of(node, &SHADOW, findings);
    let default = Shadow::DEFAULT;
    let budget = found.get("budget").and_then(|node| Some((node, percent::millionths(node, findings)?)));
    if let Some((node, 0)) = budget {
        findings.expected(node, "a share of one core above 0%", "to compare nothing, write percent: 0");
    }
    Shadow {
        percent: found.get("percent").and_then(|node| percent::millionths(node, findings)).unwrap_or(default.percent),
        budget: budget.map_or(default.budget, |(_, budget)| budget),
        mode: found.get("mode").and_then(|node| fields::choice(node, MODES, findings)).unwrap_or(default.mode),
        deadline_ms: found
            .get("deadline")
            .and_then(|node| time::duration(node, findings))
            .unwrap_or(default.deadline_ms),
        memory: found.get("memory").and_then(|node| memory(node, findings)).unwrap_or(default.memory),
    }
}

fn memory(node: &Node<'_>, findings: &mut Findings) -> Option<u64> {
    let read = node.as_text().and_then(bytes_of);
    if read.is_none() {
        let hint = if node.is_number() { "add its unit" } else { "" };
        findings.expected(node, "an amount of memory such as 512KiB, 16MiB or 1GiB", hint);
    }
    read
}

fn bytes_of(text: &str) -> Option<u64> {
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let (_, factor) = MEMORY_UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor).filter(|bytes| (1..=MEMORY_LIMIT).contains(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_has_a_unit() {
        let cases = [("512KiB", Some(512 * KIB)), ("16MiB", Some(16 * MIB)), ("1GiB", Some(GIB))];
        for (text, expected) in cases {
            assert_eq!(expected, bytes_of(text), "{text}");
        }
        for text in ["16", "MiB", "1.5MiB", "-1MiB", "16 MiB", "16MB", "0MiB", "65GiB", "99999999999999999999GiB", ""] {
            assert_eq!(None, bytes_of(text), "{text}");
        }
    }
}
