//! Deep copies of plain builtin values.

use std::sync::{LazyLock, Mutex, PoisonError};

use arc_swap::ArcSwap;
use pyo3::import_exception;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple, PyType,
};

import_exception!(fast_litellm.errors, Unsnapshotable);

/// Deeper values are refused: the walk recurses, and a thread's stack may be small. A cycle ends here too.
const MAX_DEPTH: usize = 200;
/// The approximate size of an object apart from what it holds.
const OBJECT_BYTES: usize = 56;
/// The approximate size of one reference in a container.
const SLOT_BYTES: usize = 8;

/// What makes up a model of pydantic's beside its class.
const MODEL_PARTS: [(&str, &str); 4] = [
    ("fields", "__dict__"),
    ("fields_set", "__pydantic_fields_set__"),
    ("extra", "__pydantic_extra__"),
    ("private", "__pydantic_private__"),
];

/// The classes whose instances are shared, besides classes themselves.
static SHARED: LazyLock<ArcSwap<Vec<Py<PyType>>>> = LazyLock::new(ArcSwap::default);
static SHARING: Mutex<()> = Mutex::new(());

/// Lets `freeze` share the instances of further classes, which says that nobody changes one.
///
/// Args:
///     classes: Exact classes, such as that of a sentinel; instances of their subclasses are not shared.
#[pyfunction]
#[pyo3(signature = (classes, /))]
fn share_instances(py: Python<'_>, classes: Vec<Py<PyType>>) {
    let _held = SHARING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut shared: Vec<_> = SHARED.load().iter().map(|class| class.clone_ref(py)).collect();
    for class in classes {
        if !shared.iter().any(|known| known.is(&class)) {
            shared.push(class);
        }
    }
    SHARED.store(shared.into());
}

/// Makes a deep copy of plain builtin values, sharing the immutable ones.
///
/// Plain is the exact type None, bool, int, float, str, bytes, list, tuple, dict, set, frozenset or bytearray; a subclass is
/// not. Classes, and the instances that `share_instances` was told of, are shared where no dict or set hashes them. No code
/// of the value's own is run: no `__eq__`, `__hash__`, `__iter__` or `__deepcopy__`.
///
/// Args:
///     value: What to copy.
///     `max_bytes`: Stop when the copy would hold more, by the same estimate as the one returned.
///
/// Returns:
///     The copy and the approximate number of bytes it keeps alive (one byte a code point).
///
/// Raises:
///     Unsnapshotable: with the name of the first type that is not plain, "depth" (more than 200 levels, or a cycle),
///         or "size" (`max_bytes` exceeded).
#[pyfunction]
#[pyo3(signature = (value, max_bytes = 16 * 1024 * 1024))]
fn freeze<'py>(value: &Bound<'py, PyAny>, max_bytes: usize) -> PyResult<(Bound<'py, PyAny>, usize)> {
    Walk { bytes: 0, max_bytes, is_hashed: false, takes_models: false }.whole(value)
}

/// Makes a deep copy like `freeze`, in which objects of pydantic's model classes are told by plain dicts.
///
/// Args:
///     value: What to copy.
///     `max_bytes`: Stop when the copy would hold more, by the same estimate as the one returned.
///
/// Returns:
///     The copy and the approximate number of bytes it keeps alive. A model has the keys "class" (its module, its name and the
///     identity of the class object, as a tuple), "fields", "`fields_set`", "extra" and "private".
///
/// Raises:
///     Unsnapshotable: as from `freeze`.
#[pyfunction]
#[pyo3(signature = (value, max_bytes = 16 * 1024 * 1024))]
fn freeze_models<'py>(value: &Bound<'py, PyAny>, max_bytes: usize) -> PyResult<(Bound<'py, PyAny>, usize)> {
    Walk { bytes: 0, max_bytes, is_hashed: false, takes_models: true }.whole(value)
}

struct Walk {
    bytes: usize,
    max_bytes: usize,
    /// The walk is inside a key or a member of a set.
    is_hashed: bool,
    /// Objects of model classes are taken apart.
    takes_models: bool,
}

impl Walk {
    fn whole<'py>(mut self, value: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, usize)> {
        let copy = self.copy(value, 0)?.unwrap_or_else(|| value.clone());
        Ok((copy, self.bytes))
    }

    /// A copy of `value`, or `None` when the value itself may be shared.
    fn copy<'py>(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        if let Ok(text) = value.cast_exact::<PyString>() {
            return self.hold(text.len()?).map(|()| None);
        }
        if value.is_none() || value.is_exact_instance_of::<PyBool>() || value.is_exact_instance_of::<PyInt>() {
            return self.hold(0).map(|()| None);
        }
        if depth >= MAX_DEPTH {
            return Err(Unsnapshotable::new_err("depth"));
        }
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            return self.dict(dict, depth).map(Some);
        }
        if let Ok(list) = value.cast_exact::<PyList>() {
            return self.list(list, depth).map(Some);
        }
        self.rarer(value, depth)
    }

    fn rarer<'py>(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        if value.is_exact_instance_of::<PyFloat>() {
            return self.hold(0).map(|()| None);
        }
        if let Ok(bytes) = value.cast_exact::<PyBytes>() {
            return self.hold(bytes.as_bytes().len()).map(|()| None);
        }
        if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            return self.tuple(tuple, depth);
        }
        if let Ok(bytes) = value.cast_exact::<PyByteArray>() {
            self.hold(bytes.len())?;
            return Ok(Some(PyByteArray::new(value.py(), &bytes.to_vec()).into_any()));
        }
        if !self.is_hashed && is_shared(value) {
            return self.hold(0).map(|()| None);
        }
        if self.takes_models && !self.is_hashed && value.hasattr(intern!(value.py(), "__pydantic_fields_set__"))? {
            return self.model(value, depth).map(Some);
        }
        self.set(value, depth)
    }

    /// All that makes up a model, `None` where it has no such part.
    fn model<'py>(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        let class = value.get_type();
        let told = PyDict::new(value.py());
        told.set_item("class", (class.module()?, class.qualname()?, class.as_ptr().addr()))?;
        for (name, attribute) in MODEL_PARTS {
            let part = value.getattr(attribute)?;
            let copy = self.copy(&part, depth + 1)?;
            told.set_item(name, copy.unwrap_or(part))?;
        }
        Ok(told.into_any())
    }

    /// Keys are all checked before the first value is replaced: a lookup among unchecked keys could run their `__eq__`.
    /// The walk is over a private copy, because an allocation can run a finalizer that changes the original.
    fn dict<'py>(&mut self, dict: &Bound<'py, PyDict>, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        let copy = dict.copy()?;
        self.hold(copy.len() * 3 * SLOT_BYTES)?;
        for (key, _) in &copy {
            self.hashed(&key, depth + 1)?;
        }
        for (key, value) in &copy {
            if let Some(frozen) = self.copy(&value, depth + 1)? {
                copy.set_item(key, frozen)?;
            }
        }
        Ok(copy.into_any())
    }

    fn list<'py>(&mut self, list: &Bound<'py, PyList>, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        let copy = list.get_slice(0, list.len());
        self.hold(copy.len() * SLOT_BYTES)?;
        for (index, item) in copy.iter().enumerate() {
            if let Some(frozen) = self.copy(&item, depth + 1)? {
                copy.set_item(index, frozen)?;
            }
        }
        Ok(copy.into_any())
    }

    fn tuple<'py>(&mut self, tuple: &Bound<'py, PyTuple>, depth: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.hold(tuple.len() * SLOT_BYTES)?;
        let mut shared = true;
        let mut items = Vec::with_capacity(tuple.len());
        for item in tuple {
            let frozen = self.copy(&item, depth + 1)?;
            shared &= frozen.is_none();
            items.push(frozen.unwrap_or(item));
        }
        Ok(if shared { None } else { Some(PyTuple::new(tuple.py(), items)?.into_any()) })
    }

    /// Members of a set are hashable, and a hashable plain value is immutable all the way down: checking them is enough.
    fn set<'py>(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mutable = value.is_exact_instance_of::<PySet>();
        if !mutable && !value.is_exact_instance_of::<PyFrozenSet>() {
            return Err(Unsnapshotable::new_err(value.get_type().name()?.unbind()));
        }
        let copy = value.call_method0("copy")?;
        self.hold(copy.len()? * 2 * SLOT_BYTES)?;
        for member in copy.try_iter()? {
            self.hashed(&member?, depth + 1)?;
        }
        Ok(mutable.then_some(copy))
    }

    /// Checks a key or a member. A class may have an `__eq__` of its own, by its metaclass, so it is none that is shared.
    fn hashed(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> PyResult<()> {
        let was_hashed = std::mem::replace(&mut self.is_hashed, true);
        self.copy(value, depth)?;
        self.is_hashed = was_hashed;
        Ok(())
    }

    fn hold(&mut self, extra: usize) -> PyResult<()> {
        self.bytes = self.bytes.saturating_add(OBJECT_BYTES).saturating_add(extra);
        if self.bytes > self.max_bytes { Err(Unsnapshotable::new_err("size")) } else { Ok(()) }
    }
}

fn is_shared(value: &Bound<'_, PyAny>) -> bool {
    let class = value.get_type();
    value.is_instance_of::<PyType>() || SHARED.load().iter().any(|shared| shared.is(&class))
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(share_instances, module)?)?;
    module.add_function(wrap_pyfunction!(freeze_models, module)?)?;
    module.add_function(wrap_pyfunction!(freeze, module)?)
}
