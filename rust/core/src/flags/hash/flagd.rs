//! flagd's `fractional`: `MurmurHash3` over what it buckets by, scaled by multiplication
//! (<https://flagd.dev/reference/custom-operations/fractional-operation>).
//!
//! What is hashed depends on how the operator is written and on flagd's age, so a salt can say it:
//!
//! | salt | hashed | where from |
//! | --- | --- | --- |
//! | `key` | CBOR array of `key` and the unit | the short form, which names no bucketing value |
//! | `cat:key` | CBOR text of `key` followed by the unit | `{"cat": [{"var": "$flagd.flagKey"}, {"var": unit}]}` |
//! | `text:key` | `key` followed by the unit, as they are | either form, before flagd hashed CBOR |
//!
//! CBOR is that of RFC 8949, section 4.2: the shortest header there is.

use super::murmur3;
use crate::flags::bucket::BUCKETS;

const TEXT: u8 = 0x60;
const ARRAY_OF_TWO: u8 = 0x82;

/// The bytes before the unit, and how the unit follows them.
#[derive(Debug, Clone)]
pub(super) struct Hasher {
    salt: Box<[u8]>,
    form: Form,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Pair,
    Joined,
    Plain,
}

impl Hasher {
    pub(super) fn new(salt: &str) -> Self {
        let (form, bytes) = if let Some(key) = salt.strip_prefix("cat:") {
            (Form::Joined, key.as_bytes().to_vec())
        } else if let Some(key) = salt.strip_prefix("text:") {
            (Form::Plain, key.as_bytes().to_vec())
        } else {
            (Form::Pair, [&[ARRAY_OF_TWO], Header::of(salt.len()).bytes(), salt.as_bytes()].concat())
        };
        Self { salt: bytes.into_boxed_slice(), form }
    }

    pub(super) fn bucket(&self, unit: &str) -> u32 {
        let (salt, unit) = (&*self.salt, unit.as_bytes());
        let hash = match self.form {
            Form::Pair => murmur3::hash_pieces(&[salt, Header::of(unit.len()).bytes(), unit], 0),
            Form::Joined => murmur3::hash_pieces(&[Header::of(salt.len() + unit.len()).bytes(), salt, unit], 0),
            Form::Plain => murmur3::hash_pieces(&[salt, unit], 0),
        };
        u32::try_from((u64::from(hash) * u64::from(BUCKETS)) >> 32).unwrap_or(BUCKETS - 1)
    }
}

/// What CBOR writes before a text: its kind and its length in bytes.
struct Header {
    bytes: [u8; 9],
    length: usize,
}

impl Header {
    fn of(length: usize) -> Self {
        let big = (length as u64).to_be_bytes();
        let (mark, width) = match length {
            0..24 => (big[7], 0),
            24..0x100 => (24, 1),
            0x100..0x1_0000 => (25, 2),
            0x1_0000..0x1_0000_0000 => (26, 4),
            _ => (27, 8),
        };
        let mut bytes = [TEXT | mark; 9];
        bytes[1..=width].copy_from_slice(&big[8 - width..]);
        Self { bytes, length: 1 + width }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_the_shortest_there_are() {
        let headers = [0, 23, 24, 255, 256, 65_535, 65_536].map(|length| Header::of(length).bytes().to_vec());
        let expected: [&[u8]; 7] =
            [&[0x60], &[0x77], &[0x78, 24], &[0x78, 255], &[0x79, 1, 0], &[0x79, 255, 255], &[0x7a, 0, 1, 0, 0]];
        assert_eq!(expected.map(<[u8]>::to_vec), headers);
    }
}
