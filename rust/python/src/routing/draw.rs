//! What is drawn from Python's generator, in its order.

use pyo3::prelude::*;
use pyo3::types::PyInt;

/// Draws a permutation as `random.Random.sample(range(count), count)` does, with the same numbers.
///
/// The pool of what is left and the draw below a limit are CPython's, `Lib/random.py`; a permutation never takes the way of
/// small samples there.
///
/// Args:
///     getrandbits: The generator's method.
///     count: How many there are.
///
/// Returns:
///     The whole numbers below `count`, each once.
#[pyfunction]
#[pyo3(signature = (getrandbits, count, /))]
pub(super) fn permutation(getrandbits: &Bound<'_, PyAny>, count: usize) -> PyResult<Vec<usize>> {
    let mut bits = Bits { getrandbits, width: PyInt::new(getrandbits.py(), 0), at: 0 };
    let mut pool: Vec<usize> = (0..count).collect();
    let mut drawn = Vec::with_capacity(count);
    for left in (1..=count).rev() {
        let place = bits.below(left)?;
        drawn.push(pool[place]);
        pool[place] = pool[left - 1];
    }
    Ok(drawn)
}

/// A generator, and a number of bits to ask it for, kept because the next draw mostly takes as many.
struct Bits<'a, 'py> {
    getrandbits: &'a Bound<'py, PyAny>,
    width: Bound<'py, PyInt>,
    at: u32,
}

impl Bits<'_, '_> {
    fn below(&mut self, limit: usize) -> PyResult<usize> {
        let at = usize::BITS - limit.leading_zeros();
        if self.at != at {
            self.at = at;
            self.width = PyInt::new(self.getrandbits.py(), at);
        }
        loop {
            let drawn: usize = self.getrandbits.call1((&self.width,))?.extract()?;
            if drawn < limit {
                return Ok(drawn);
            }
        }
    }
}
