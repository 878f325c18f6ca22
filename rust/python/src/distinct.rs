//! Digests of inputs, and the sketches in which distinct ones are counted.

use std::hash::Hasher;

use fast_litellm_core::account::Sketch;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple,
};
use siphasher::sip::SipHasher24;

/// What `freeze` copies is never deeper.
const MAX_DEPTH: usize = 256;

/// A keyed digest of a plain value.
///
/// Equal values of equal types have equal digests, whatever the order in a dict or set. It is SipHash-2-4, so that
/// nobody without the key can guess a value from it.
///
/// Args:
///     key: At least 16 bytes; the first 16 are used.
///     value: What `freeze` returned. Of any object that is not plain, the type's name is taken.
///
/// Returns:
///     A number of 64 bits that is not 0.
///
/// Raises:
///     `ValueError`: The key is too short.
#[pyfunction]
#[pyo3(signature = (key, value, /))]
fn digest(key: &[u8], value: &Bound<'_, PyAny>) -> PyResult<u64> {
    let key = key.first_chunk::<16>().ok_or_else(|| PyValueError::new_err("key must have at least 16 bytes"))?;
    Ok(Walk { key }.of(value, 0)?.max(1))
}

struct Walk<'a> {
    key: &'a [u8; 16],
}

impl Walk<'_> {
    fn of(&self, value: &Bound<'_, PyAny>, depth: usize) -> PyResult<u64> {
        let mut hasher = SipHasher24::new_with_key(self.key);
        self.add(&mut hasher, value, depth)?;
        Ok(hasher.finish())
    }

    /// Each kind of value has a letter of its own, so that `1`, `True`, `1.0` and `"1"` differ.
    fn add(&self, to: &mut SipHasher24, value: &Bound<'_, PyAny>, depth: usize) -> PyResult<()> {
        if let Ok(text) = value.cast_exact::<PyString>() {
            return add_text(to, text);
        }
        if value.is_none() {
            to.write_u8(b'n');
        } else if let Ok(value) = value.cast_exact::<PyBool>() {
            to.write(&[b'b', u8::from(value.is_true())]);
        } else if let Ok(value) = value.cast_exact::<PyInt>() {
            return add_int(to, value);
        } else if let Ok(value) = value.cast_exact::<PyFloat>() {
            to.write_u8(b'f');
            to.write_u64(value.value().to_bits());
        } else if depth >= MAX_DEPTH {
            to.write_u8(b'.');
        } else {
            return self.add_container(to, value, depth + 1);
        }
        Ok(())
    }

    fn add_container(&self, to: &mut SipHasher24, value: &Bound<'_, PyAny>, depth: usize) -> PyResult<()> {
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            let entries = dict.iter().map(|(key, value)| self.entry(&key, &value, depth));
            return add_sum(to, b'd', entries);
        }
        if let Ok(list) = value.cast_exact::<PyList>() {
            start(to, b'l', list.len());
            return list.iter().try_for_each(|item| self.add(to, &item, depth));
        }
        if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            start(to, b't', tuple.len());
            return tuple.iter().try_for_each(|item| self.add(to, &item, depth));
        }
        self.add_rarer(to, value, depth)
    }

    fn add_rarer(&self, to: &mut SipHasher24, value: &Bound<'_, PyAny>, depth: usize) -> PyResult<()> {
        if let Ok(set) = value.cast_exact::<PySet>() {
            return add_sum(to, b'S', set.iter().map(|member| self.of(&member, depth)));
        }
        if let Ok(set) = value.cast_exact::<PyFrozenSet>() {
            return add_sum(to, b'F', set.iter().map(|member| self.of(&member, depth)));
        }
        if let Ok(bytes) = value.cast_exact::<PyBytes>() {
            add_bytes(to, b'y', bytes.as_bytes());
        } else if let Ok(bytes) = value.cast_exact::<PyByteArray>() {
            add_bytes(to, b'a', &bytes.to_vec());
        } else {
            add_bytes(to, b'o', value.get_type().fully_qualified_name()?.to_string().as_bytes());
        }
        Ok(())
    }

    fn entry(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>, depth: usize) -> PyResult<u64> {
        let mut hasher = SipHasher24::new_with_key(self.key);
        self.add(&mut hasher, key, depth)?;
        self.add(&mut hasher, value, depth)?;
        Ok(hasher.finish())
    }
}

/// What has no order is summed up: each part is a keyed hash of its own.
fn add_sum(to: &mut SipHasher24, kind: u8, parts: impl ExactSizeIterator<Item = PyResult<u64>>) -> PyResult<()> {
    start(to, kind, parts.len());
    let mut sum = 0_u64;
    for part in parts {
        sum = sum.wrapping_add(part?);
    }
    to.write_u64(sum);
    Ok(())
}

fn add_text(to: &mut SipHasher24, text: &Bound<'_, PyString>) -> PyResult<()> {
    if let Ok(text) = text.to_str() {
        add_bytes(to, b's', text.as_bytes());
        return Ok(());
    }
    let encoded = text.call_method1(pyo3::intern!(text.py(), "encode"), ("utf-8", "surrogatepass"))?;
    add_bytes(to, b's', encoded.cast::<PyBytes>()?.as_bytes());
    Ok(())
}

fn add_int(to: &mut SipHasher24, value: &Bound<'_, PyInt>) -> PyResult<()> {
    if let Ok(small) = value.extract::<i64>() {
        to.write_u8(b'i');
        to.write_i64(small);
        return Ok(());
    }
    let hexadecimal = value.call_method1(pyo3::intern!(value.py(), "__format__"), ("x",))?;
    add_bytes(to, b'I', hexadecimal.cast::<PyString>()?.to_str()?.as_bytes());
    Ok(())
}

fn add_bytes(to: &mut SipHasher24, kind: u8, bytes: &[u8]) {
    start(to, kind, bytes.len());
    to.write(bytes);
}

fn start(to: &mut SipHasher24, kind: u8, length: usize) {
    to.write_u8(kind);
    to.write_usize(length);
}

/// Merges sketches of distinct inputs.
///
/// Args:
///     sketches: As a tally's shape readings have them; empty ones count nothing.
///
/// Returns:
///     Their union.
///
/// Raises:
///     `ValueError`: One of them is no sketch.
#[pyfunction]
#[pyo3(signature = (sketches, /))]
fn sketch_merge(sketches: &Bound<'_, PyList>) -> PyResult<Vec<u8>> {
    let mut merged = Sketch::default();
    for bytes in sketches {
        let bytes = bytes.cast::<PyBytes>()?.as_bytes();
        if !bytes.is_empty() {
            merged.merge(&read(bytes)?);
        }
    }
    Ok(merged.to_bytes())
}

/// At least so many different inputs are in a sketch: exact up to 128, above that with a confidence of 99.8 %.
///
/// Raises:
///     `ValueError`: It is no sketch.
#[pyfunction]
#[pyo3(signature = (sketch, /))]
fn sketch_lower_bound(sketch: &[u8]) -> PyResult<u64> {
    if sketch.is_empty() { Ok(0) } else { read(sketch).map(|sketch| sketch.lower_bound()) }
}

fn read(bytes: &[u8]) -> PyResult<Sketch> {
    Sketch::from_bytes(bytes).ok_or_else(|| PyValueError::new_err("these bytes are no sketch of distinct inputs"))
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(digest, module)?)?;
    module.add_function(wrap_pyfunction!(sketch_merge, module)?)?;
    module.add_function(wrap_pyfunction!(sketch_lower_bound, module)?)
}
