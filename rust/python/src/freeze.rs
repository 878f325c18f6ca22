//! Deep copies of plain builtin values.
//!
//! A value is frozen into a list of its parts, which costs its caller no Python object but references to what nobody can change. It
//! is thawed, when and where somebody wants to look at it, into Python objects of its own.

use std::sync::{LazyLock, Mutex, PoisonError};

use arc_swap::ArcSwap;
use pyo3::import_exception;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple, PyType,
};
use smallvec::{SmallVec, smallvec};

use crate::dispatch::Arguments;

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
    let frozen = Frozen::value(value, max_bytes)?;
    Ok((frozen.thaw(value.py())?, frozen.bytes))
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
    let frozen = Walk { takes_models: true, ..Walk::new(max_bytes) }.whole(value)?;
    Ok((frozen.thaw(value.py())?, frozen.bytes))
}

/// Why a value cannot be frozen.
pub(crate) enum Unfreezable {
    /// It would hold too much.
    Size,
    /// It, or a part of it, is not plain, or too deep: an `Unsnapshotable`.
    Value(PyErr),
    /// Reading it failed.
    Failed(PyErr),
}

impl From<PyErr> for Unfreezable {
    fn from(error: PyErr) -> Self {
        Self::Failed(error)
    }
}

impl From<Unfreezable> for PyErr {
    fn from(reason: Unfreezable) -> Self {
        match reason {
            Unfreezable::Size => Unsnapshotable::new_err("size"),
            Unfreezable::Value(error) | Unfreezable::Failed(error) => error,
        }
    }
}

/// A value as it was, out of everybody's reach.
pub(crate) struct Frozen {
    /// Each container before what it holds; of a dict, each key before its value.
    parts: Parts,
    /// The approximate number of bytes it keeps alive.
    pub(crate) bytes: usize,
}

/// As many as a call with one plain argument has need no memory of their own.
type Parts = SmallVec<[Part; 3]>;

enum Part {
    Shared(Py<PyAny>),
    List(usize),
    Tuple(usize),
    Dict(usize),
    /// A pair of so many positional arguments and a dict. Their tuple is not shared: it was made for the call and ends with it, so
    /// that the collector of cycles, which counts what lives on, is not brought nearer to its next turn.
    Call(usize),
    /// A set or a bytearray; itself a copy, which is copied again.
    Copied(Py<PyAny>),
}

impl Frozen {
    /// Freezes a value, unless that would hold more than so many bytes.
    pub(crate) fn value(value: &Bound<'_, PyAny>, max_bytes: usize) -> Result<Self, Unfreezable> {
        Walk::new(max_bytes).whole(value)
    }

    /// Freezes a pair of arguments.
    pub(crate) fn call((args, kwargs): Arguments<'_, '_>, max_bytes: usize) -> Result<Self, Unfreezable> {
        let mut walk = Walk::new(max_bytes);
        walk.hold(2 * SLOT_BYTES)?;
        walk.hold(args.len() * SLOT_BYTES)?;
        walk.parts.push(Part::Call(args.len()));
        for argument in args.iter_borrowed() {
            walk.add(&argument, 2)?;
        }
        if let Some(kwargs) = kwargs {
            walk.dict(kwargs, 1)?;
        } else {
            walk.hold(0)?;
            walk.parts.push(Part::Dict(0));
        }
        Ok(Self { parts: walk.parts, bytes: walk.bytes })
    }

    /// The value itself, which nobody looks into.
    pub(crate) fn unseen(value: &Bound<'_, PyAny>) -> Self {
        Self { parts: smallvec![Part::Shared(value.clone().unbind())], bytes: 0 }
    }

    /// Python objects that nobody else has.
    pub(crate) fn thaw<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        thawed(py, &mut self.parts.iter())
    }
}

fn thawed<'py>(py: Python<'py>, parts: &mut std::slice::Iter<'_, Part>) -> PyResult<Bound<'py, PyAny>> {
    match parts.next() {
        None => Ok(py.None().into_bound(py)),
        Some(Part::Shared(value)) => Ok(value.bind(py).clone()),
        Some(Part::List(count)) => Ok(PyList::new(py, items(py, parts, *count)?)?.into_any()),
        Some(Part::Tuple(count)) => Ok(PyTuple::new(py, items(py, parts, *count)?)?.into_any()),
        Some(Part::Dict(count)) => {
            let dict = PyDict::new(py);
            for _ in 0..*count {
                dict.set_item(thawed(py, parts)?, thawed(py, parts)?)?;
            }
            Ok(dict.into_any())
        }
        Some(Part::Call(count)) => {
            let args = PyTuple::new(py, items(py, parts, *count)?)?.into_any();
            Ok(PyTuple::new(py, [args, thawed(py, parts)?])?.into_any())
        }
        Some(Part::Copied(copy)) => copy.bind(py).call_method0("copy"),
    }
}

fn items<'py>(
    py: Python<'py>,
    parts: &mut std::slice::Iter<'_, Part>,
    count: usize,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    (0..count).map(|_| thawed(py, parts)).collect()
}

struct Walk {
    parts: Parts,
    bytes: usize,
    max_bytes: usize,
    /// The walk is inside a key or a member of a set.
    is_hashed: bool,
    /// Objects of model classes are taken apart.
    takes_models: bool,
}

impl Walk {
    fn new(max_bytes: usize) -> Self {
        Self { parts: Parts::new(), bytes: 0, max_bytes, is_hashed: false, takes_models: false }
    }

    fn whole(mut self, value: &Bound<'_, PyAny>) -> Result<Frozen, Unfreezable> {
        self.add(value, 0)?;
        Ok(Frozen { parts: self.parts, bytes: self.bytes })
    }

    /// Adds a value. Returns whether it is shared: whether nobody can change it nor anything in it.
    fn add(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Result<bool, Unfreezable> {
        if let Ok(text) = value.cast_exact::<PyString>() {
            return self.share(value, text.len()?);
        }
        if is_number(value) {
            return self.share(value, 0);
        }
        if depth >= MAX_DEPTH {
            return Err(Unfreezable::Value(Unsnapshotable::new_err("depth")));
        }
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            return self.dict(dict, depth).map(|()| false);
        }
        if let Ok(list) = value.cast_exact::<PyList>() {
            return self.list(list, depth).map(|()| false);
        }
        self.rarer(value, depth)
    }

    fn rarer(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Result<bool, Unfreezable> {
        if value.is_exact_instance_of::<PyFloat>() {
            return self.share(value, 0);
        }
        if let Ok(bytes) = value.cast_exact::<PyBytes>() {
            return self.share(value, bytes.as_bytes().len());
        }
        if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            return self.tuple(tuple, depth);
        }
        if let Ok(bytes) = value.cast_exact::<PyByteArray>() {
            self.hold(bytes.len())?;
            self.parts.push(Part::Copied(bytes.call_method0("copy")?.unbind()));
            return Ok(false);
        }
        if !self.is_hashed && is_shared(value) {
            return self.share(value, 0);
        }
        if self.takes_models && !self.is_hashed && value.hasattr(intern!(value.py(), "__pydantic_fields_set__"))? {
            return self.model(value, depth).map(|()| false);
        }
        self.set(value, depth)
    }

    /// All that makes up a model, `None` where it has no such part.
    fn model(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Result<(), Unfreezable> {
        let (py, class) = (value.py(), value.get_type());
        let told = (class.module()?, class.qualname()?, class.as_ptr().addr()).into_pyobject(py)?;
        let name = |name| Part::Shared(PyString::intern(py, name).into_any().unbind());
        self.parts.push(Part::Dict(1 + MODEL_PARTS.len()));
        self.parts.push(name("class"));
        self.parts.push(Part::Shared(told.into_any().unbind()));
        for (part, attribute) in MODEL_PARTS {
            self.parts.push(name(part));
            self.add(&value.getattr(attribute)?, depth + 1)?;
        }
        Ok(())
    }

    fn share(&mut self, value: &Bound<'_, PyAny>, extra: usize) -> Result<bool, Unfreezable> {
        self.hold(extra)?;
        self.parts.push(Part::Shared(value.clone().unbind()));
        Ok(true)
    }

    fn dict(&mut self, dict: &Bound<'_, PyDict>, depth: usize) -> Result<(), Unfreezable> {
        self.hold(dict.len() * 3 * SLOT_BYTES)?;
        self.parts.reserve(1 + 2 * dict.len());
        self.parts.push(Part::Dict(dict.len()));
        for (key, value) in dict {
            self.hashed(&key, depth + 1)?;
            self.add(&value, depth + 1)?;
        }
        Ok(())
    }

    fn list(&mut self, list: &Bound<'_, PyList>, depth: usize) -> Result<(), Unfreezable> {
        let count = list.len();
        self.hold(count * SLOT_BYTES)?;
        self.parts.reserve(1 + count);
        self.parts.push(Part::List(count));
        for index in 0..count {
            self.add(&list.get_item(index)?, depth + 1)?;
        }
        Ok(())
    }

    /// A tuple is shared when everything in it is.
    fn tuple(&mut self, tuple: &Bound<'_, PyTuple>, depth: usize) -> Result<bool, Unfreezable> {
        self.hold(tuple.len() * SLOT_BYTES)?;
        if tuple.iter_borrowed().all(|item| item.is_exact_instance_of::<PyString>() || is_number(&item)) {
            for item in tuple.iter_borrowed() {
                self.hold(if is_number(&item) { 0 } else { item.len()? })?;
            }
            self.parts.push(Part::Shared(tuple.clone().into_any().unbind()));
            return Ok(true);
        }
        let start = self.parts.len();
        self.parts.push(Part::Tuple(tuple.len()));
        let mut is_shared = true;
        for item in tuple.iter_borrowed() {
            is_shared &= self.add(&item, depth + 1)?;
        }
        if is_shared {
            self.parts.truncate(start);
            self.parts.push(Part::Shared(tuple.clone().into_any().unbind()));
        }
        Ok(is_shared)
    }

    /// Members of a set are hashable, and a hashable plain value is immutable all the way down: checking them is enough.
    fn set(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Result<bool, Unfreezable> {
        let is_mutable = value.is_exact_instance_of::<PySet>();
        if !is_mutable && !value.is_exact_instance_of::<PyFrozenSet>() {
            return Err(Unfreezable::Value(Unsnapshotable::new_err(value.get_type().name()?.unbind())));
        }
        let copy = value.call_method0("copy")?;
        self.hold(copy.len()? * 2 * SLOT_BYTES)?;
        for member in copy.try_iter()? {
            self.checked(&member?, depth + 1)?;
        }
        self.parts.push(if is_mutable { Part::Copied(copy.unbind()) } else { Part::Shared(copy.unbind()) });
        Ok(!is_mutable)
    }

    /// Adds a key, after checking that it is plain.
    fn hashed(&mut self, key: &Bound<'_, PyAny>, depth: usize) -> Result<(), Unfreezable> {
        if let Ok(text) = key.cast_exact::<PyString>() {
            return self.share(key, text.len()?).map(drop);
        }
        self.checked(key, depth)?;
        self.parts.push(Part::Shared(key.clone().unbind()));
        Ok(())
    }

    /// Checks a key or a member. A class may have an `__eq__` of its own, by its metaclass, so it is none that is shared.
    fn checked(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Result<(), Unfreezable> {
        let was_hashed = std::mem::replace(&mut self.is_hashed, true);
        let start = self.parts.len();
        self.add(value, depth)?;
        self.parts.truncate(start);
        self.is_hashed = was_hashed;
        Ok(())
    }

    fn hold(&mut self, extra: usize) -> Result<(), Unfreezable> {
        self.bytes = self.bytes.saturating_add(OBJECT_BYTES).saturating_add(extra);
        if self.bytes > self.max_bytes { Err(Unfreezable::Size) } else { Ok(()) }
    }
}

/// Or nothing: what holds nothing else and takes no room to speak of.
fn is_number(value: &Bound<'_, PyAny>) -> bool {
    value.is_none() || value.is_exact_instance_of::<PyBool>() || value.is_exact_instance_of::<PyInt>()
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
