//! What is told of a call of which nothing is known but that it has arguments.

use super::chat::bucket;
use super::profile::{self, ARGUMENTS, DEPTHS};
use super::{Profile, TextClass};

/// The class of a value, in the order of `profile::KINDS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// None.
    None,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number with a fraction.
    Float,
    /// Text.
    Str,
    /// Bytes, changeable or not.
    Bytes,
    /// A list.
    List,
    /// A tuple.
    Tuple,
    /// A dict.
    Dict,
    /// A set, changeable or not.
    Set,
    /// Anything else, subclasses of these included.
    Other,
}

/// Collects while the arguments are walked.
#[derive(Debug, Clone, Default)]
pub struct PlainFacts {
    arguments: usize,
    kinds: u64,
    size: usize,
    depth: usize,
    class: TextClass,
}

impl PlainFacts {
    /// Notes an argument.
    pub fn argument(&mut self) {
        self.arguments += 1;
    }

    /// Notes a value inside so many containers, which holds so many things.
    pub fn value(&mut self, kind: Kind, depth: usize, length: usize) {
        self.kinds |= 1 << kind as u64;
        self.depth = self.depth.max(depth);
        self.size = self.size.saturating_add(length);
    }

    /// Notes the class of a text.
    pub fn text(&mut self, class: TextClass) {
        self.class = self.class.max(class);
    }

    /// The shape of what was noted.
    #[must_use]
    pub fn shape(&self) -> u64 {
        Profile::Plain.pack(&[
            bucket(self.arguments, &[0, 1, 2, 4], ARGUMENTS),
            self.kinds,
            profile::size(self.size),
            bucket(self.depth, &[0, 1, 2], DEPTHS),
            self.class as u64,
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_told() {
        let mut facts = PlainFacts::default();
        (0..3).for_each(|_| facts.argument());
        facts.value(Kind::List, 0, 2);
        facts.value(Kind::Str, 1, 3);
        facts.text(TextClass::Rtl);

        let values: Vec<_> = Profile::Plain.values(facts.shape()).into_iter().map(|(_, word)| word).collect();
        assert_eq!(["3-4", "str+list", "4-7", "1", "rtl", "unknown"].map(str::to_owned).to_vec(), values);
    }
}
