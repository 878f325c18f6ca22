//! The border of the message walk: Python objects as its values, and the counter of one model.
#![expect(clippy::doc_markdown, reason = "these are Python docstrings")]

use std::borrow::Cow;
use std::num::NonZeroUsize;

use fast_litellm_core::bpe::{self, ChunkRule};
use fast_litellm_core::messages::{Accounting, Call, Decline, Key, Kind, Node, Semantics, count_messages};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::encoding::{Encoding, with_text};

pyo3::import_exception!(fast_litellm.errors, Declined);

/// Values nested deeper than this are not written out; Python's own `repr` has a limit too.
const MAX_DEPTH: usize = 64;

/// Counts text and messages for models that share an encoding and an accounting.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct TokenCounter {
    encoding: Py<Encoding>,
    rule: ChunkRule,
    semantics: Semantics,
    accounting: Accounting,
    base_image_tokens: i64,
}

#[pymethods]
impl TokenCounter {
    /// Args:
    ///     encoding: The vocabulary.
    ///     limits: Code points of a slice, and of the longest text that is counted exactly; both at least 1.
    ///     semantics: The name of a LiteLLM release line whose rules hold: 1.83, 1.106, 1.108, 1.109 or 1.110.
    ///     legacy: Messages are priced as for gpt-3.5-turbo-0301.
    ///     base_image_tokens: What an image counts at low detail.
    ///
    /// Raises:
    ///     ValueError: The semantics are unknown.
    #[new]
    #[pyo3(signature = (encoding, limits, semantics, *, legacy, base_image_tokens))]
    fn new(
        encoding: Py<Encoding>,
        limits: (NonZeroUsize, NonZeroUsize),
        semantics: &str,
        legacy: bool,
        base_image_tokens: i64,
    ) -> PyResult<Self> {
        let known = Semantics::named(semantics);
        Ok(Self {
            encoding,
            rule: ChunkRule { chunk_chars: limits.0, max_exact_chars: limits.1 },
            semantics: known.ok_or_else(|| PyValueError::new_err(format!("no semantics named {semantics:?}")))?,
            accounting: if legacy { Accounting::LEGACY } else { Accounting::USUAL },
            base_image_tokens,
        })
    }

    /// The tokens of a text.
    ///
    /// Raises:
    ///     Declined: Its count hangs on the version of Unicode that the control's tokenizer has.
    pub(crate) fn count_text(&self, text: &Bound<'_, PyString>) -> PyResult<u64> {
        with_text(text, |text| self.count(text))?.map_err(|decline| Declined::new_err(decline.word()))
    }

    /// The tokens of chat messages and what goes with them.
    ///
    /// Args:
    ///     messages: A list of dictionaries.
    ///     tools: Tool definitions, or None.
    ///     tool_choice: A word, a dictionary, or None.
    ///     fixed_image_tokens: What every image counts, or None to look at each.
    ///     with_extras: Count the tools, the choice and the reply's primer too.
    ///
    /// Raises:
    ///     Declined: Something is not reproduced, or the control would raise.
    #[pyo3(signature = (messages, tools, tool_choice, *, fixed_image_tokens, with_extras))]
    pub(crate) fn count_messages<'py>(
        &self,
        messages: &Bound<'py, PyAny>,
        tools: &Bound<'py, PyAny>,
        tool_choice: &Bound<'py, PyAny>,
        fixed_image_tokens: Option<i64>,
        with_extras: bool,
    ) -> PyResult<i64> {
        let count = |text: &Bound<'py, PyString>| self.count_string(text);
        let (counting, writing) = (counting(&count), self.writing());
        let call = Call { with_extras, ..self.call(fixed_image_tokens, &counting, &writing) };
        count_messages(&call, &PyNode(messages.clone()), &PyNode(tools.clone()), &PyNode(tool_choice.clone()))
            .map_err(|decline| Declined::new_err(decline.word()))
    }
}

impl TokenCounter {
    /// The vocabulary itself.
    pub(crate) fn core(&self) -> &bpe::Encoding {
        self.encoding.get().core()
    }

    /// How long text is counted.
    pub(crate) fn rule(&self) -> ChunkRule {
        self.rule
    }

    /// The tokens of a text that is met on a walk.
    pub(crate) fn count_string(&self, text: &Bound<'_, PyString>) -> Result<i64, Decline> {
        with_text(text, |text| self.count(text)).map_err(|_| Decline::Error)?.map(signed)
    }

    fn count(&self, text: bpe::Text<'_>) -> Result<u64, Decline> {
        let encoding = self.core();
        if encoding.is_certain(text) { Ok(bpe::count_text(encoding, self.rule, text)) } else { Err(Decline::Unicode) }
    }

    /// The tokens of a message list without tools, its texts counted by somebody else.
    pub(crate) fn walk_messages<'py>(
        &self,
        messages: Bound<'py, PyAny>,
        fixed_image_tokens: Option<i64>,
        count: &dyn Fn(&Bound<'py, PyString>) -> Result<i64, Decline>,
    ) -> Result<i64, Decline> {
        let none = PyNode(messages.py().None().into_bound(messages.py()));
        let (counting, writing) = (counting(count), self.writing());
        count_messages(&self.call(fixed_image_tokens, &counting, &writing), &PyNode(messages), &none, &none)
    }

    fn call<'a, 'py>(
        &self,
        fixed_image_tokens: Option<i64>,
        count: &'a dyn Fn(&PyNode<'py>) -> Result<i64, Decline>,
        count_written: &'a dyn Fn(&str) -> Result<i64, Decline>,
    ) -> Call<'a, PyNode<'py>> {
        Call {
            semantics: self.semantics,
            accounting: self.accounting,
            fixed_image_tokens,
            base_image_tokens: self.base_image_tokens,
            with_extras: true,
            count,
            count_written,
        }
    }

    fn writing(&self) -> impl Fn(&str) -> Result<i64, Decline> {
        |text| self.count(bpe::Text::Valid(text)).map(signed)
    }
}

fn counting<'py>(
    count: &dyn Fn(&Bound<'py, PyString>) -> Result<i64, Decline>,
) -> impl Fn(&PyNode<'py>) -> Result<i64, Decline> {
    move |text| count(text.0.cast_exact::<PyString>().map_err(|_| Decline::OpaqueValue)?)
}

/// A count as the walk adds it up.
pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A Python object as a value of the walk.
#[derive(Clone)]
struct PyNode<'py>(Bound<'py, PyAny>);

impl<'py> PyNode<'py> {
    fn dict(&self) -> Option<&Bound<'py, PyDict>> {
        self.0.cast_exact::<PyDict>().ok()
    }

    /// Whether writing it out runs nobody's code but Python's own.
    fn check_plain(&self, depth: usize) -> Result<(), Decline> {
        if depth == MAX_DEPTH {
            return Err(Decline::Depth);
        }
        match self.kind() {
            Kind::Opaque => Err(Decline::OpaqueValue),
            Kind::List => self.elements().iter().try_for_each(|element| element.check_plain(depth + 1)),
            Kind::Dict => self.entries().iter().try_for_each(|(key, value)| {
                key.check_plain(depth + 1)?;
                value.check_plain(depth + 1)
            }),
            Kind::Other if self.0.is_exact_instance_of::<PyTuple>() => Err(Decline::OpaqueValue),
            _ => Ok(()),
        }
    }
}

impl Node for PyNode<'_> {
    fn kind(&self) -> Kind {
        let value = &self.0;
        if value.is_exact_instance_of::<PyString>() {
            Kind::Text
        } else if value.is_none() {
            Kind::None
        } else if value.is_exact_instance_of::<PyDict>() {
            Kind::Dict
        } else if value.is_exact_instance_of::<PyList>() {
            Kind::List
        } else if is_other_builtin(value) {
            Kind::Other
        } else {
            Kind::Opaque
        }
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        self.0.cast_exact::<PyString>().ok()?.to_str().ok().map(Cow::Borrowed)
    }

    fn truthy(&self) -> bool {
        self.0.is_truthy().unwrap_or(false)
    }

    fn elements(&self) -> Vec<Self> {
        self.0.cast_exact::<PyList>().map_or_else(|_| Vec::new(), |list| list.iter().map(PyNode).collect())
    }

    fn entries(&self) -> Vec<(Self, Self)> {
        self.dict().map_or_else(Vec::new, |dict| dict.iter().map(|(key, value)| (PyNode(key), PyNode(value))).collect())
    }

    fn get(&self, key: Key) -> Option<Self> {
        self.dict()?.get_item(interned(self.0.py(), key)).ok().flatten().map(PyNode)
    }

    fn display(&self) -> Result<Self, Decline> {
        if self.kind() == Kind::Text {
            return Ok(self.clone());
        }
        self.check_plain(0)?;
        self.0.str().map(|text| PyNode(text.into_any())).map_err(|_| Decline::Error)
    }
}

fn is_other_builtin(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyBytes>()
        || value.is_exact_instance_of::<PyTuple>()
}

fn interned(py: Python<'_>, key: Key) -> &Bound<'_, PyString> {
    static NAMES: PyOnceLock<Vec<Py<PyString>>> = PyOnceLock::new();
    let names =
        NAMES.get_or_init(py, || Key::ALL.iter().map(|key| PyString::intern(py, key.text()).unbind()).collect());
    names[key as usize].bind(py)
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<TokenCounter>()
}
