//! Which calls a promoted candidate may answer: those of shapes whose every cell is certified.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::shape::Shaper;

/// Shapes whose answer is kept; the cells of all others are looked up call by call.
const KEPT: usize = 4_096;

/// The certified cells of one feature at one time.
pub(crate) struct Proven {
    shaper: Py<Shaper>,
    cells: HashSet<String>,
    known: RwLock<HashMap<u64, bool>>,
}

impl Proven {
    pub(crate) fn new(shaper: Py<Shaper>, cells: HashSet<String>) -> Self {
        Self { shaper, cells, known: RwLock::default() }
    }

    /// Whether every cell that a call's arguments tell is certified.
    pub(crate) fn covers(&self, (args, kwargs): (&Bound<'_, PyTuple>, Option<&Bound<'_, PyDict>>)) -> bool {
        let shaper = self.shaper.get();
        let shape = shaper.of(args, kwargs);
        if let Some(covered) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&shape) {
            return *covered;
        }
        let covered = shaper.profile().is_certified(shape, &self.cells);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < KEPT {
            known.insert(shape, covered);
        }
        covered
    }
}
