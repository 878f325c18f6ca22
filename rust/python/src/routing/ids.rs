//! Ids of deployments as keys of a table.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use pyo3::prelude::*;
use pyo3::types::PyString;

use super::fields;

/// An id. Its hash is Python's, which a text has once and for all, and which hangs on a secret of the process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Id<'a> {
    text: &'a str,
    hash: isize,
}

/// A table by id.
pub(super) type ById<'a, T> = HashMap<Id<'a>, T, BuildHasherDefault<Hashed>>;

/// Passes a hash on, for ids are hashed already.
#[derive(Default)]
pub(super) struct Hashed(u64);

impl<'a> Id<'a> {
    pub(super) fn of(id: &'a Bound<'_, PyString>) -> PyResult<Self> {
        Ok(Self { text: fields::text(id)?, hash: id.hash()? })
    }
}

impl Hash for Id<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_isize(self.hash);
    }
}

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_isize(&mut self, hash: isize) {
        self.0 = hash.cast_unsigned() as u64;
    }
}
