//! A request body as the OpenAI SDK would send it: copied where its types describe it, shared where they do not.

use pyo3::import_exception;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyType};

import_exception!(fast_litellm.errors, Declined);

/// Deeper values are declined: the walk recurses, and a thread's stack may be small. A cycle ends here too.
const MAX_DEPTH: usize = 100;

/// What a type says about the dicts and lists at one place.
struct Node {
    fields: Option<Fields>,
    /// The node of a list's items; without one the list itself is passed on.
    items: Option<usize>,
}

struct Fields {
    /// A node for each described key.
    named: Py<PyDict>,
    /// The node of all other keys; without one their values are passed on, whatever they are.
    others: Option<usize>,
    /// Values that stand for "not given" are left out.
    leaves_out: bool,
}

/// Rebuilds request bodies by one compiled type.
///
/// Args:
///     nodes: A `(named, others, leaves_out, items)` tuple for each place in the type: key to node or None when a dict is not
///         described, the node of all other keys or None, whether values that are not given are left out, and the node of a
///         list's items or None. Node 0 describes nothing; the body is at the last one.
///     `not_given`: The classes whose instances stand for "not given".
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Transformer {
    nodes: Vec<Node>,
    not_given: Vec<Py<PyType>>,
}

type NodeTuple = (Option<Py<PyDict>>, Option<usize>, bool, Option<usize>);

#[pymethods]
impl Transformer {
    #[new]
    #[pyo3(signature = (nodes, not_given, /))]
    fn new(nodes: Vec<NodeTuple>, not_given: Vec<Py<PyType>>) -> Self {
        let nodes = nodes.into_iter().map(|(named, others, leaves_out, items)| Node {
            fields: named.map(|named| Fields { named, others, leaves_out }),
            items,
        });
        Self { nodes: nodes.collect(), not_given }
    }

    /// Rebuilds a body.
    ///
    /// Args:
    ///     body: What the caller passed; it is not changed.
    ///     root: The node it is at.
    ///
    /// Returns:
    ///     The body to send. Parts that no type describes are the caller's own objects, as in the reference.
    ///
    /// Raises:
    ///     Declined: "`opaque_value`": something described is not a plain builtin; "depth".
    #[pyo3(signature = (body, root, /))]
    fn apply<'py>(&self, body: &Bound<'py, PyAny>, root: usize) -> PyResult<Bound<'py, PyAny>> {
        self.value(body, root, 0).map(|rebuilt| rebuilt.unwrap_or_else(|| body.clone()))
    }
}

impl Transformer {
    /// What takes the value's place, or `None` when the value itself does.
    fn value<'py>(&self, value: &Bound<'py, PyAny>, node: usize, depth: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        if depth > MAX_DEPTH {
            return Err(Declined::new_err("depth"));
        }
        let known = self.nodes.get(node);
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            return known.and_then(|it| it.fields.as_ref()).map(|it| self.dict(dict, it, depth)).transpose();
        }
        if let Ok(list) = value.cast_exact::<PyList>() {
            return known.and_then(|it| it.items).map(|items| self.list(list, items, depth)).transpose();
        }
        if is_scalar(value) { Ok(None) } else { Err(Declined::new_err("opaque_value")) }
    }

    /// The walk is over the copy, because an allocation can run a finalizer that changes the original.
    fn dict<'py>(&self, dict: &Bound<'py, PyDict>, fields: &Fields, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        let copy = dict.copy()?;
        let named = fields.named.bind(dict.py());
        let mut left_out = Vec::new();
        for (key, value) in &copy {
            if !key.is_exact_instance_of::<PyString>() {
                return Err(Declined::new_err("opaque_value"));
            }
            if fields.leaves_out && self.is_not_given(&value) {
                left_out.push(key);
                continue;
            }
            let Some(node) = node_of(named, &key)?.or(fields.others) else {
                continue;
            };
            if let Some(rebuilt) = self.value(&value, node, depth + 1)? {
                copy.set_item(key, rebuilt)?;
            }
        }
        for key in left_out {
            copy.del_item(key)?;
        }
        Ok(copy.into_any())
    }

    fn list<'py>(&self, list: &Bound<'py, PyList>, items: usize, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        let copy = list.get_slice(0, list.len());
        for (index, item) in copy.iter().enumerate() {
            if let Some(rebuilt) = self.value(&item, items, depth + 1)? {
                copy.set_item(index, rebuilt)?;
            }
        }
        Ok(copy.into_any())
    }

    fn is_not_given(&self, value: &Bound<'_, PyAny>) -> bool {
        self.not_given.iter().any(|class| value.get_type().is(class))
    }
}

fn node_of(named: &Bound<'_, PyDict>, key: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
    named.get_item(key)?.map(|node| node.extract()).transpose()
}

fn is_scalar(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyString>()
        || value.is_none()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Transformer>()
}
