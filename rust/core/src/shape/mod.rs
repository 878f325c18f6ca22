//! The shape of a call: what can be told of its arguments without telling what is in them.
//!
//! A shape is one value for each dimension of a profile, packed into a number. A *cell* is one dimension's value, or a pair of two
//! dimensions'; a shape lies in all cells that its values make. Combinations of three and more are not looked at: most faults that
//! depend on combinations depend on two (Kuhn, Wallace and Gallo, "Software fault interactions", 2004).

mod chat;
mod plain;
mod profile;
mod text;

use std::collections::HashSet;

pub use chat::ChatFacts;
pub use plain::{Kind, PlainFacts};
pub use profile::{Dimension, OUTCOME};
pub use text::TextClass;

/// Set in every shape, so that none is 0, which stands for a call nobody has looked at.
const MARK: u64 = 1 << 61;

/// A table of dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Calls with chat messages.
    Chat,
    /// Calls of which nothing is known but that they have arguments.
    Plain,
}

/// What the control did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlOutcome {
    /// It returned.
    Value,
    /// It raised.
    Exception,
}

impl Profile {
    /// The profile of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "chat" => Some(Self::Chat),
            "plain" => Some(Self::Plain),
            _ => None,
        }
    }

    /// Its dimensions, in the order in which cells name them.
    #[must_use]
    pub const fn dimensions(self) -> &'static [Dimension] {
        match self {
            Self::Chat => profile::CHAT,
            Self::Plain => profile::PLAIN,
        }
    }

    /// The value of each dimension of a shape. A number that is no shape of this profile has none.
    #[must_use]
    pub fn values(self, shape: u64) -> Vec<(&'static str, String)> {
        if shape & MARK == 0 || shape >= MARK << 1 {
            return Vec::new();
        }
        let mut rest = shape;
        let value = |dimension: &Dimension| {
            let value = rest & mask(dimension);
            rest >>= dimension.bits();
            (dimension.name, dimension.word(value))
        };
        self.dimensions().iter().map(value).collect()
    }

    /// Every cell that a shape lies in, such as `unicode=rtl` and `tools=some&unicode=rtl`.
    #[must_use]
    pub fn cells(self, shape: u64) -> Vec<String> {
        let ones: Vec<String> = self.values(shape).iter().map(|(name, word)| format!("{name}={word}")).collect();
        let pairs = ones
            .iter()
            .enumerate()
            .flat_map(|(index, one)| ones[index + 1..].iter().map(move |other| format!("{one}&{other}")));
        ones.iter().cloned().chain(pairs).collect()
    }

    /// Whether every cell of a shape that can be known before the control runs is among the certified ones.
    #[must_use]
    pub fn is_certified<S: std::hash::BuildHasher>(self, shape: u64, certified: &HashSet<String, S>) -> bool {
        let mut known = self.cells(shape).into_iter().filter(|cell| !cell.contains("outcome=")).peekable();
        known.peek().is_some() && known.all(|cell| certified.contains(&cell))
    }

    /// The same shape with what the control did.
    #[must_use]
    pub fn with_outcome(self, shape: u64, outcome: ControlOutcome) -> u64 {
        let before = match self {
            Self::Chat => const { before_last(profile::CHAT) },
            Self::Plain => const { before_last(profile::PLAIN) },
        };
        shape & !(0b11 << before) | (outcome as u64 + 1) << before
    }

    fn pack(self, values: &[u64]) -> u64 {
        let mut shape = MARK;
        let mut before = 0;
        for (dimension, value) in self.dimensions().iter().zip(values) {
            shape |= (value & mask(dimension)) << before;
            before += dimension.bits();
        }
        shape
    }
}

/// The bits of all dimensions but the last, which is [`OUTCOME`].
const fn before_last(dimensions: &[Dimension]) -> u32 {
    let (mut bits, mut index) = (0, 0);
    while index + 1 < dimensions.len() {
        bits += dimensions[index].bits();
        index += 1;
    }
    bits
}

const fn mask(dimension: &Dimension) -> u64 {
    (1 << dimension.bits()) - 1
}

/// The place of a word in a table whose last is for all others.
fn index_of(words: &[&str], word: &str) -> usize {
    words.iter().position(|known| *known == word).unwrap_or(words.len() - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_profile_fits_below_its_mark() {
        for profile in [Profile::Chat, Profile::Plain] {
            assert!(profile.dimensions().iter().map(Dimension::bits).sum::<u32>() <= 61);
        }
    }

    #[test]
    fn cells_are_all_values_and_all_pairs() {
        let cells = Profile::Plain.cells(Profile::Plain.pack(&[1, 1 << 4, 3, 0, 0, 0]));

        assert_eq!(6 + 15, cells.len());
        assert!(cells.contains(&"size=4-7".to_owned()) && cells.contains(&"kinds=str&unicode=ascii".to_owned()));
    }

    #[test]
    fn what_the_control_did_is_a_dimension_of_its_own() {
        let shape = Profile::Plain.pack(&[1, 1, 1, 1, 1, 0]);
        let words = [ControlOutcome::Value, ControlOutcome::Exception].map(|outcome| {
            Profile::Plain.values(Profile::Plain.with_outcome(shape, outcome)).pop().map(|(_, word)| word)
        });

        assert_eq!([Some("value".to_owned()), Some("exception".to_owned())], words);
        assert_eq!(
            Profile::Plain.values(shape)[..5],
            Profile::Plain.values(Profile::Plain.with_outcome(shape, ControlOutcome::Value))[..5]
        );
    }

    #[test]
    fn a_shape_is_certified_when_all_its_cells_but_the_outcomes_are() {
        let shape = Profile::Plain.pack(&[1, 1, 1, 1, 1, 0]);
        let mut certified: HashSet<String> =
            Profile::Plain.cells(shape).into_iter().filter(|it| !it.contains("outcome")).collect();

        assert!(Profile::Plain.is_certified(Profile::Plain.with_outcome(shape, ControlOutcome::Value), &certified));
        certified.remove("depth=1&unicode=latin1");
        assert!(!Profile::Plain.is_certified(shape, &certified));
    }

    #[test]
    fn a_call_nobody_has_looked_at_is_never_certified() {
        assert!(!Profile::Chat.is_certified(0, &HashSet::<String>::new()));
        assert!(!Profile::Chat.is_certified(i64::MAX as u64, &HashSet::<String>::new()));
    }

    proptest! {
        #[test]
        fn any_number_has_values_or_none(shape in any::<u64>()) {
            for profile in [Profile::Chat, Profile::Plain] {
                let values = profile.values(shape).len();
                prop_assert!(values == 0 || values == profile.dimensions().len());
            }
        }
    }
}
