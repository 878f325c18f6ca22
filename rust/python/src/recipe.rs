//! An answer that is made again and again: new objects of known content, with a few values put in.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PySet, PyType};

use crate::model;

/// How an answer, or a part of it, is made.
///
/// It is put together by its static methods, of recipes for what is inside.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Recipe(Step);

enum Step {
    Value(usize),
    Kept(Py<PyAny>),
    Dict(Py<PyDict>, Vec<(Py<PyAny>, Py<Recipe>)>),
    List(Vec<Py<Recipe>>),
    Set(Py<PySet>),
    Model(Py<PyType>, [Py<Recipe>; 4]),
}

#[pymethods]
impl Recipe {
    /// The value at a place of those that vary.
    #[staticmethod]
    #[pyo3(signature = (place, /))]
    fn value(place: usize) -> Self {
        Self(Step::Value(place))
    }

    /// The same object in every answer.
    #[staticmethod]
    #[pyo3(signature = (value, /))]
    fn kept(value: Py<PyAny>) -> Self {
        Self(Step::Kept(value))
    }

    /// A new dict like this one, with other values at some of its keys.
    #[staticmethod]
    #[pyo3(signature = (like, made, /))]
    fn new_dict(like: &Bound<'_, PyDict>, made: Vec<(Py<PyAny>, Py<Recipe>)>) -> PyResult<Self> {
        Ok(Self(Step::Dict(like.copy()?.unbind(), made)))
    }

    /// A new list.
    #[staticmethod]
    #[pyo3(signature = (items, /))]
    fn new_list(items: Vec<Py<Recipe>>) -> Self {
        Self(Step::List(items))
    }

    /// A new set of the members that this one has now.
    #[staticmethod]
    #[pyo3(signature = (like, /))]
    fn new_set(like: &Bound<'_, PySet>) -> PyResult<Self> {
        Ok(Self(Step::Set(copied(like)?.cast_into::<PySet>()?.unbind())))
    }

    /// A new object of a class of pydantic's: its fields, private attributes, extras, and the names of the fields that were set.
    #[staticmethod]
    #[pyo3(signature = (class_, parts, /))]
    fn new_model(class_: Py<PyType>, parts: [Py<Recipe>; 4]) -> Self {
        Self(Step::Model(class_, parts))
    }

    /// Makes an answer.
    ///
    /// Args:
    ///     values: Those that vary, each at its place.
    ///
    /// Raises:
    ///     `IndexError`: There are fewer of them.
    #[pyo3(signature = (values, /))]
    fn make<'py>(&self, values: &Bound<'py, PyList>) -> PyResult<Bound<'py, PyAny>> {
        let py = values.py();
        let part = |recipe: &Py<Recipe>| recipe.get().make(values);
        match &self.0 {
            Step::Value(place) => values.get_item(*place),
            Step::Kept(object) => Ok(object.bind(py).clone()),
            Step::Dict(like, made) => {
                let dict = like.bind(py).copy()?;
                for (key, recipe) in made {
                    dict.set_item(key, part(recipe)?)?;
                }
                Ok(dict.into_any())
            }
            Step::List(items) => {
                let items = items.iter().map(part).collect::<PyResult<Vec<_>>>()?;
                Ok(PyList::new(py, items)?.into_any())
            }
            Step::Set(like) => copied(like.bind(py)),
            Step::Model(class, [fields, private, extra, set]) => {
                model::instance(class.bind(py), &[part(fields)?, part(private)?, part(extra)?, part(set)?])
            }
        }
    }
}

fn copied<'py>(set: &Bound<'py, PySet>) -> PyResult<Bound<'py, PyAny>> {
    set.call_method0(intern!(set.py(), "copy"))
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Recipe>()
}
