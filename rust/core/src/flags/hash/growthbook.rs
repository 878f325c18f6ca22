//! `GrowthBook`'s hash, version 2: <https://docs.growthbook.io/lib/build-your-own>.

const OFFSET: u32 = 0x811c_9dc5;
const PRIME: u32 = 0x0100_0193;

const STEPS: u32 = 10_000;
const STEP: u32 = 100;

/// FNV-1a over seed and unit, and again over the decimal digits of the result.
#[derive(Debug, Clone)]
pub(super) struct Hasher {
    seeded: u32,
}

impl Hasher {
    pub(super) fn new(seed: &str) -> Self {
        Self { seeded: hash(OFFSET, seed.encode_utf16()) }
    }

    pub(super) fn bucket(&self, unit: &str) -> u32 {
        let mut digits = [0; 10];
        let first = decimal(hash(self.seeded, unit.encode_utf16()), &mut digits);
        hash(OFFSET, first.iter().copied()) % STEPS * STEP
    }
}

// The reference implementation reads a text as JavaScript does, in units of UTF-16.
fn hash(start: u32, units: impl Iterator<Item = u16>) -> u32 {
    units.fold(start, |state, unit| (state ^ u32::from(unit)).wrapping_mul(PRIME))
}

fn decimal(mut number: u32, digits: &mut [u16; 10]) -> &[u16] {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = u16::from(b'0') + u16::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 {
            return &digits[start..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_full() {
        for number in [0, 9, 10, 4_294_967_295] {
            let written: Vec<u16> = number.to_string().encode_utf16().collect();
            assert_eq!(written, decimal(number, &mut [0; 10]));
        }
    }
}
