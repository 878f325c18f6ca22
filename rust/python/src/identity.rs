//! Noticing that somebody has put an object of his own in the place of one that a candidate relies on.
//!
//! Most calls find nothing changed, and CPython says so cheaply: a dictionary has a number that changes with it, and a class has
//! one that changes with it and with its bases. Only after a change are the names looked up again, one by one. Why, and for which
//! interpreters: `docs/decisions/0054-what-has-not-changed.md`.
#![expect(clippy::doc_markdown, reason = "these are Python docstrings")]

use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;
use pyo3::types::{PyDict, PyString, PyType};

use crate::messages::Declined;

/// Remembers which objects stand under names, to notice when one has been replaced.
#[pyclass(frozen, module = "fast_litellm._native")]
struct IdentityGuard {
    namespaces: Vec<Watched<PyDict, Py<PyString>>>,
    classes: Vec<Watched<PyType, Py<PyString>>>,
    lacking: Vec<Watched<PyType, Py<PyString>>>,
    tables: Vec<Watched<PyDict, Py<PyAny>>>,
}

/// What is remembered of one owner.
struct Watched<Owner, Name> {
    owner: Py<Owner>,
    entries: Vec<(Name, Py<PyAny>)>,
    /// The owner's number when its entries were looked at last and found as remembered; 0 is nobody's.
    held_at: AtomicU64,
}

#[pymethods]
impl IdentityGuard {
    /// Args:
    ///     places: A namespace, or a class, and a name in it; what stands there is remembered.
    ///     tables: Dictionaries of which every entry is remembered, in its order.
    ///     lacking: A class, and a name that neither it nor one of its bases has.
    ///
    /// Raises:
    ///     KeyError: A namespace has no such name.
    ///     AttributeError: A class has no such name.
    ///     TypeError: An owner is neither a dictionary nor a class.
    #[new]
    #[pyo3(signature = (places, tables = Vec::new(), lacking = Vec::new()))]
    fn new(
        places: Vec<(Bound<'_, PyAny>, Bound<'_, PyString>)>,
        tables: Vec<Bound<'_, PyDict>>,
        lacking: Vec<(Bound<'_, PyType>, Bound<'_, PyString>)>,
    ) -> PyResult<Self> {
        let (mut namespaces, mut classes, mut without) = (Vec::new(), Vec::new(), Vec::new());
        for (owner, name) in places {
            if let Ok(class) = owner.cast::<PyType>() {
                let object = unbound(class.getattr(&name)?).unbind();
                remember(&mut classes, class, name.unbind(), object);
            } else {
                let object = owner.get_item(&name)?.unbind();
                remember(&mut namespaces, owner.cast::<PyDict>()?, name.unbind(), object);
            }
        }
        for (class, name) in lacking {
            remember(&mut without, &class, name.unbind(), class.py().None());
        }
        let tables = tables.into_iter().map(|table| Watched::new(&table, entries(&table))).collect();
        Ok(Self { namespaces, classes, lacking: without, tables })
    }

    /// Whether every name still stands for the identical object or for nothing, and every table has the identical entries.
    fn holds(&self, py: Python<'_>) -> bool {
        self.namespaces.iter().all(|it| it.holds(py, dict_number, Watched::has_names))
            && self.classes.iter().all(|it| it.holds(py, class_number, Watched::has_attributes))
            && self.lacking.iter().all(|it| it.holds(py, class_number, Watched::lacks_attributes))
            && self.tables.iter().all(|it| it.holds(py, dict_number, Watched::has_nothing_else))
    }

    /// Raises:
    ///     Declined: Something has been replaced.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.holds(py).then_some(()).ok_or_else(|| Declined::new_err("reference_patched"))
    }

    /// Returns:
    ///     A number that is another one after something has been replaced, even if it has been put back since. Where CPython
    ///     keeps no numbers it is always 0.
    ///
    /// Raises:
    ///     Declined: Something has been replaced.
    fn state(&self, py: Python<'_>) -> PyResult<u64> {
        self.check(py)?;
        let dicts = self.namespaces.iter().map(|it| &it.owner).chain(self.tables.iter().map(|it| &it.owner));
        let numbers = dicts.map(|it| dict_number(it.bind(py)));
        let classes = self.classes.iter().chain(&self.lacking).map(|it| class_number(it.owner.bind(py)));
        Ok(numbers.chain(classes).fold(0, u64::wrapping_add)) // each of them only grows
    }
}

fn entries(table: &Bound<'_, PyDict>) -> Vec<(Py<PyAny>, Py<PyAny>)> {
    table.iter().map(|(key, value)| (key.unbind(), value.unbind())).collect()
}

fn remember<Owner>(
    owners: &mut Vec<Watched<Owner, Py<PyString>>>,
    owner: &Bound<'_, Owner>,
    name: Py<PyString>,
    object: Py<PyAny>,
) {
    match owners.iter_mut().find(|it| it.owner.is(owner)) {
        Some(known) => known.entries.push((name, object)),
        None => owners.push(Watched::new(owner, vec![(name, object)])),
    }
}

impl<Owner, Name> Watched<Owner, Name> {
    fn new(owner: &Bound<'_, Owner>, entries: Vec<(Name, Py<PyAny>)>) -> Self {
        Self { owner: owner.clone().unbind(), entries, held_at: AtomicU64::new(0) }
    }

    /// The number is read before the entries are: what changes meanwhile is then looked at again.
    fn holds<'py>(
        &self,
        py: Python<'py>,
        number: impl FnOnce(&Bound<'py, Owner>) -> u64,
        look: impl FnOnce(&Self, &Bound<'py, Owner>) -> bool,
    ) -> bool {
        let owner = self.owner.bind(py);
        let number = number(owner);
        if number != 0 && number == self.held_at.load(Ordering::Relaxed) {
            return true;
        }
        let holds = look(self, owner);
        if holds {
            self.held_at.store(number, Ordering::Relaxed);
        }
        holds
    }
}

impl Watched<PyDict, Py<PyString>> {
    #[allow(unsafe_code)] // docs/decisions/0026-borrowed-look-ups.md
    fn has_names(&self, dict: &Bound<'_, PyDict>) -> bool {
        self.entries.iter().all(|(name, object)| {
            // SAFETY: the owner is a dictionary, both are alive, and the thread is attached. Of what is found, which is
            // borrowed, only the address is looked at.
            let found = unsafe { ffi::PyDict_GetItemWithError(dict.as_ptr(), name.as_ptr()) };
            if found.is_null() {
                drop(PyErr::take(dict.py()));
            }
            ptr::eq(found, object.as_ptr())
        })
    }
}

impl Watched<PyType, Py<PyString>> {
    fn has_attributes(&self, class: &Bound<'_, PyType>) -> bool {
        self.entries
            .iter()
            .all(|(name, object)| class.getattr(name).is_ok_and(|found| found.is(object) || unbound(found).is(object)))
    }

    /// As instances look: what their class's own class has is not theirs.
    fn lacks_attributes(&self, class: &Bound<'_, PyType>) -> bool {
        let has = |base: &Bound<'_, PyAny>, name: &Py<PyString>| {
            base.getattr(intern!(base.py(), "__dict__")).and_then(|names| names.contains(name)).unwrap_or(true)
        };
        class.mro().iter().all(|base| self.entries.iter().all(|(name, _)| !has(&base, name)))
    }
}

/// The function of a class method, which is bound anew whenever it is asked for; anything else as it is.
fn unbound(found: Bound<'_, PyAny>) -> Bound<'_, PyAny> {
    found.getattr(intern!(found.py(), "__func__")).unwrap_or(found)
}

impl Watched<PyDict, Py<PyAny>> {
    #[allow(unsafe_code)] // docs/decisions/0026-borrowed-look-ups.md
    fn has_nothing_else(&self, dict: &Bound<'_, PyDict>) -> bool {
        with_critical_section(dict, || {
            let (mut position, mut key, mut value) = (0, ptr::null_mut(), ptr::null_mut());
            dict.len() == self.entries.len()
                && self.entries.iter().all(|known| {
                    // SAFETY: the dictionary is alive and nobody else changes it meanwhile; of what is borrowed, only the
                    // addresses are looked at.
                    let found =
                        unsafe { ffi::PyDict_Next(dict.as_ptr(), &raw mut position, &raw mut key, &raw mut value) };
                    found != 0 && ptr::eq(key, known.0.as_ptr()) && ptr::eq(value, known.1.as_ptr())
                })
        })
    }
}

/// A number that no two states of dictionaries share; 0 where there is none.
#[cfg(not(any(Py_3_14, Py_GIL_DISABLED)))]
#[allow(unsafe_code)] // docs/decisions/0054-what-has-not-changed.md
fn dict_number(dict: &Bound<'_, PyDict>) -> u64 {
    // SAFETY: `dict` is a live dictionary, of which every one begins with a `PyDictObject` as this CPython lays it out. The
    // thread is attached, and under the interpreter's lock nobody writes the number meanwhile.
    #[allow(deprecated, reason = "gone with CPython 3.14, for which this is not compiled")]
    unsafe {
        (*dict.as_ptr().cast::<ffi::PyDictObject>()).ma_version_tag
    }
}

#[cfg(any(Py_3_14, Py_GIL_DISABLED))]
fn dict_number(_dict: &Bound<'_, PyDict>) -> u64 {
    0
}

/// A number that no two states of classes and their bases share; 0 before anything has been looked up, and where there is none.
#[cfg(not(any(Py_3_14, Py_GIL_DISABLED)))]
#[allow(unsafe_code)] // as above
fn class_number(class: &Bound<'_, PyType>) -> u64 {
    let class = class.as_type_ptr();
    // SAFETY: `class` is a live type object; otherwise as for dictionaries.
    let (flags, tag) = unsafe { ((*class).tp_flags, (*class).tp_version_tag) };
    // From 3.13 on there is no such flag: a number that is not valid is 0.
    let is_valid = cfg!(Py_3_13) || flags & ffi::Py_TPFLAGS_VALID_VERSION_TAG != 0;
    if is_valid { u64::from(tag) } else { 0 }
}

#[cfg(any(Py_3_14, Py_GIL_DISABLED))]
fn class_number(_class: &Bound<'_, PyType>) -> u64 {
    0
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<IdentityGuard>()
}
