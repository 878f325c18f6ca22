//! A response as the OpenAI SDK constructs it: the same objects of the same classes, made in one walk by a compiled plan.

use pyo3::import_exception;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PySet, PyString, PyType};

use crate::model;

import_exception!(fast_litellm.errors, Declined);

/// Deeper values are declined: the walk recurses, and a thread's stack may be small. A cycle ends here too.
const MAX_DEPTH: usize = 100;
/// Keys that the reference, which passes an object's members by name, would take for parameters of its own.
const PARAMETERS: [&str; 2] = ["_fields_set", "_BaseModel__cls"];

/// What becomes of the values at one place of a type.
enum Node {
    /// They are passed on, whatever they are.
    Plain,
    /// Whole numbers become floats where that changes no value.
    Float,
    /// The items of a list are at another place.
    List(usize),
    /// The values of a dict are.
    Dict(usize),
    /// Values of some exact classes are passed on; the reference is asked for all others.
    Asked(Vec<Py<PyType>>, Py<PyAny>),
    /// Dicts become objects of a class, also inside of a list.
    Model(Model),
}

struct Model {
    class: Py<PyType>,
    /// The class's own table of fields, by its identity: another one means another class.
    table: Py<PyAny>,
    fields: Vec<Field>,
}

/// Its name; the key it has in a response; whether its name will do as well; what it is when it is not there or null; and the
/// place of its value.
type Field = (Py<PyString>, Py<PyString>, bool, Py<PyAny>, usize);

/// Constructs responses by one compiled type.
///
/// Args:
///     nodes: A `(kind, items, classes, ask, fields)` tuple for each place in the type. The kind is "plain"; "float"; "list" or
///         "dict", whose items are at the place `items`; "asked", where exact instances of `classes` are passed on and `ask`
///         answers for all other values; or "model", where `classes` is the class and `fields` are its `(name, key, by_name,
///         default, place)`.
///
/// Raises:
///     `ValueError`: A kind is none of these, or a part of it is missing.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Constructor {
    nodes: Vec<Node>,
}

type NodeTuple = (String, Option<usize>, Vec<Py<PyType>>, Option<Py<PyAny>>, Vec<Field>);

#[pymethods]
impl Constructor {
    #[new]
    #[pyo3(signature = (nodes, /))]
    fn new(py: Python<'_>, nodes: Vec<NodeTuple>) -> PyResult<Self> {
        let nodes = nodes.into_iter().map(|node| compiled(py, node));
        Ok(Self { nodes: nodes.collect::<PyResult<_>>()? })
    }

    /// Constructs a response.
    ///
    /// Args:
    ///     value: What was received; it is not changed.
    ///     root: The place it is at.
    ///
    /// Returns:
    ///     What the reference makes of it. Parts that no type describes are the caller's own objects, as there.
    ///
    /// Raises:
    ///     Declined: "`opaque_value`": something described is not a plain builtin, or a key is a parameter of the reference;
    ///         "depth"; "`model_rebuilt`": a class has other fields than it had.
    #[pyo3(signature = (value, root, /))]
    fn apply<'py>(&self, value: &Bound<'py, PyAny>, root: usize) -> PyResult<Bound<'py, PyAny>> {
        self.value(value, root, 0)
    }
}

fn compiled(py: Python<'_>, (kind, items, mut classes, ask, fields): NodeTuple) -> PyResult<Node> {
    let node = match (kind.as_str(), items, ask) {
        ("plain", ..) => Some(Node::Plain),
        ("float", ..) => Some(Node::Float),
        ("list", Some(items), _) => Some(Node::List(items)),
        ("dict", Some(items), _) => Some(Node::Dict(items)),
        ("asked", _, Some(ask)) => Some(Node::Asked(classes, ask)),
        ("model", ..) => match classes.pop() {
            Some(class) => {
                let table = class.bind(py).getattr(intern!(py, "__pydantic_fields__"))?.unbind();
                Some(Node::Model(Model { class, table, fields }))
            }
            None => None,
        },
        _ => None,
    };
    node.ok_or_else(|| pyo3::exceptions::PyValueError::new_err(kind))
}

impl Constructor {
    fn value<'py>(&self, value: &Bound<'py, PyAny>, place: usize, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        if depth > MAX_DEPTH {
            return Err(Declined::new_err("depth"));
        }
        match self.nodes.get(place) {
            None | Some(Node::Plain) => Ok(value.clone()),
            Some(Node::Float) => float(value),
            Some(Node::Asked(passed, ask)) => {
                let class = value.get_type();
                if passed.iter().any(|it| it.is(&class)) {
                    Ok(value.clone())
                } else {
                    ask.bind(value.py()).call1((value,))
                }
            }
            Some(Node::List(items)) => match value.cast_exact::<PyList>() {
                Ok(list) => mapped(list, |item| self.value(item, *items, depth + 1)),
                Err(_) => passed_on(value),
            },
            Some(Node::Dict(items)) => match value.cast_exact::<PyDict>() {
                Ok(dict) => self.dict(dict, *items, depth),
                Err(_) => passed_on(value),
            },
            Some(Node::Model(model)) => self.model(value, model, depth),
        }
    }

    /// The walk is over the copy, because an allocation can run a finalizer that changes the original.
    fn dict<'py>(&self, dict: &Bound<'py, PyDict>, items: usize, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        let copy = dict.copy()?;
        for (key, item) in &copy {
            if !key.is_exact_instance_of::<PyString>() {
                return Err(Declined::new_err("opaque_value"));
            }
            copy.set_item(key, self.value(&item, items, depth + 1)?)?;
        }
        Ok(copy.into_any())
    }

    fn model<'py>(&self, value: &Bound<'py, PyAny>, model: &Model, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            return self.object(dict, model, depth);
        }
        let Ok(list) = value.cast_exact::<PyList>() else { return passed_on(value) };
        mapped(list, |item| match item.cast_exact::<PyDict>() {
            Ok(dict) => self.object(dict, model, depth + 1),
            Err(_) => passed_on(item),
        })
    }

    fn object<'py>(&self, received: &Bound<'py, PyDict>, model: &Model, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        let py = received.py();
        let class = model.class.bind(py);
        if !class.getattr(intern!(py, "__pydantic_fields__"))?.is(&model.table) {
            return Err(Declined::new_err("model_rebuilt"));
        }
        let values = received.copy()?;
        let fields = PyDict::new(py);
        let set = PySet::empty(py)?;
        for (name, key, by_name, default, place) in &model.fields {
            let mut found = values.get_item(key)?;
            if found.is_none() && *by_name {
                found = values.get_item(name)?;
            }
            let value = match &found {
                Some(value) if !value.is_none() => self.value(value, *place, depth + 1)?,
                _ => default.bind(py).clone(),
            };
            if found.is_some() {
                set.add(name)?;
            }
            fields.set_item(name, value)?;
        }
        let extra = extras(&values, &fields)?;
        let none = py.None().into_bound(py);
        model::instance(class, &[fields.into_any(), none, extra.into_any(), set.into_any()])
    }
}

/// What no field has the name of, in the order in which it was received.
fn extras<'py>(values: &Bound<'py, PyDict>, fields: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let extra = PyDict::new(values.py());
    for (key, value) in values {
        let Ok(name) = key.cast_exact::<PyString>() else { return Err(Declined::new_err("opaque_value")) };
        if !fields.contains(name)? {
            if PARAMETERS.iter().any(|parameter| name.to_str().is_ok_and(|name| name == *parameter)) {
                return Err(Declined::new_err("opaque_value"));
            }
            extra.set_item(key, value)?;
        }
    }
    Ok(extra)
}

fn mapped<'py>(
    list: &Bound<'py, PyList>,
    made: impl Fn(&Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let copy = list.get_slice(0, list.len());
    for (index, item) in copy.iter().enumerate() {
        copy.set_item(index, made(&item)?)?;
    }
    Ok(copy.into_any())
}

fn float<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(truth) = value.cast_exact::<PyBool>() {
        return Ok(PyFloat::new(value.py(), f64::from(u8::from(truth.is_true()))).into_any());
    }
    if value.is_exact_instance_of::<PyInt>() {
        let Ok(whole) = value.extract::<i32>() else { return Err(Declined::new_err("opaque_value")) };
        return Ok(PyFloat::new(value.py(), f64::from(whole)).into_any());
    }
    passed_on(value)
}

/// A value that is not of the described kind is passed on. What is no plain builtin could be of that kind all the same.
fn passed_on<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let is_plain = value.is_none()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyDict>()
        || value.is_exact_instance_of::<PyList>();
    if is_plain { Ok(value.clone()) } else { Err(Declined::new_err("opaque_value")) }
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Constructor>()
}
