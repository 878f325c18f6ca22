//! The border of one call of LiteLLM's `token_counter`: its arguments by the names of the control's parameters.
#![expect(clippy::doc_markdown, reason = "these are Python docstrings")]

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyString, PyTuple};

use crate::messages::{Declined, TokenCounter, signed};

/// The control's parameters, in their order. The last one only matters where the control meets an error.
const NAMES: [&str; 9] = [
    "model",
    "custom_tokenizer",
    "text",
    "messages",
    "count_response_tokens",
    "tools",
    "tool_choice",
    "use_default_image_token_count",
    "default_token_count",
];

/// The places of those that are looked at.
#[derive(Clone, Copy)]
enum Parameter {
    Model,
    CustomTokenizer,
    Text,
    Messages,
    CountResponseTokens,
    Tools,
    ToolChoice,
    UseDefaultImageTokenCount,
}

/// The arguments of one call by their parameters; absent when left out.
struct TokenCall<'py>([Option<Bound<'py, PyAny>>; NAMES.len()]);

impl<'py> TokenCall<'py> {
    fn bind(args: &Bound<'py, PyTuple>, kwargs: &Bound<'py, PyDict>) -> PyResult<Self> {
        let by_place = args.len();
        let mut given = [const { None }; NAMES.len()];
        if by_place > NAMES.len() {
            return Err(declined("control_raises"));
        }
        for (place, value) in given.iter_mut().zip(args) {
            *place = Some(value);
        }
        let mut by_name = 0;
        for (place, name) in given.iter_mut().zip(names(args.py())).skip(by_place) {
            *place = kwargs.get_item(name)?;
            by_name += usize::from(place.is_some());
        }
        // What is left over has a name that the control does not know, or was given by place too.
        if by_name == kwargs.len() { Ok(Self(given)) } else { Err(declined("control_raises")) }
    }

    fn get(&self, parameter: Parameter) -> Option<&Bound<'py, PyAny>> {
        self.0[parameter as usize].as_ref()
    }

    /// The value, absent too when it is None.
    fn present(&self, parameter: Parameter) -> Option<&Bound<'py, PyAny>> {
        self.get(parameter).filter(|value| !value.is_none())
    }

    /// What the control would raise for before it looks at the messages, and what it is never asked for here.
    fn check(&self) -> PyResult<()> {
        let has_text = self.present(Parameter::Text).is_some();
        let bare = [Parameter::Tools, Parameter::ToolChoice].map(|name| self.get(name).is_none_or(is_nothing));
        if has_text == self.present(Parameter::Messages).is_some() {
            Err(declined("control_raises"))
        } else if self.present(Parameter::CustomTokenizer).is_some() {
            Err(declined("custom_tokenizer"))
        } else if has_text && bare.contains(&false) {
            Err(declined("control_raises"))
        } else {
            Ok(())
        }
    }

    fn model(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyString>>> {
        let Some(model) = self.get(Parameter::Model) else { return Ok(Some(intern!(py, "").clone())) };
        let text = || model.cast_exact::<PyString>().cloned().map_err(|_| declined("model_type"));
        if model.is_none() { Ok(None) } else { text().map(Some) }
    }

    fn is_image_count_fixed(&self) -> PyResult<bool> {
        let Some(switch) = self.present(Parameter::UseDefaultImageTokenCount) else { return Ok(false) };
        let is_plain = switch.is_exact_instance_of::<PyBool>() || switch.is_exact_instance_of::<PyInt>();
        if is_plain { switch.is_truthy() } else { Err(declined("image_switch")) }
    }
}

/// Reads what can be told of a call from its arguments alone.
///
/// Args:
///     args: Those by place.
///     kwargs: Those by name.
///     is_counted: False when the answer is known: then they only have to fit.
///
/// Returns:
///     The model, and whether every image counts the same.
///
/// Raises:
///     Declined: The control would raise, or does what is not reproduced.
#[pyfunction]
#[pyo3(signature = (args, kwargs, *, is_counted))]
fn token_call<'py>(
    args: &Bound<'py, PyTuple>,
    kwargs: &Bound<'py, PyDict>,
    is_counted: bool,
) -> PyResult<(Option<Bound<'py, PyString>>, bool)> {
    let call = TokenCall::bind(args, kwargs)?;
    if !is_counted {
        return Ok((None, false));
    }
    call.check()?;
    Ok((call.model(args.py())?, call.is_image_count_fixed()?))
}

/// Counts the tokens of one call of the control.
///
/// Args:
///     counter: Counts for the call's model.
///     args: The arguments by place.
///     kwargs: Those by name.
///     fixed_image_tokens: What every image counts, or None to look at each.
///
/// Raises:
///     Declined: Something is not reproduced, or the control would raise.
#[pyfunction]
#[pyo3(signature = (counter, args, kwargs, *, fixed_image_tokens))]
fn count_call<'py>(
    counter: &TokenCounter,
    args: &Bound<'py, PyTuple>,
    kwargs: &Bound<'py, PyDict>,
    fixed_image_tokens: Option<i64>,
) -> PyResult<i64> {
    let call = TokenCall::bind(args, kwargs)?;
    if let Some(text) = call.present(Parameter::Text) {
        return counter.count_text(&joined(text)?).map(signed);
    }
    let none = args.py().None().into_bound(args.py());
    let value = |parameter| call.get(parameter).unwrap_or(&none);
    let with_extras =
        call.get(Parameter::CountResponseTokens).is_none_or(|switch| switch.is(PyBool::new(args.py(), false)));
    let (messages, tools) = (value(Parameter::Messages), value(Parameter::Tools));
    counter.count_messages(messages, tools, value(Parameter::ToolChoice), fixed_image_tokens, with_extras)
}

/// The text that is counted: a list's strings joined, its other elements dropped.
fn joined<'py>(text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    if let Ok(text) = text.cast_exact::<PyString>() {
        return Ok(text.clone());
    }
    let elements = text.cast_exact::<PyList>().map_err(|_| declined("text_type"))?;
    let texts = PyList::empty(text.py());
    for element in elements.iter().filter(PyAnyMethods::is_instance_of::<PyString>) {
        texts.append(element.cast_into_exact::<PyString>().map_err(|_| declined("opaque_value"))?)?;
    }
    let all = PyString::new(text.py(), "").call_method1(intern!(text.py(), "join"), (texts,))?;
    Ok(all.cast_into()?)
}

/// Python's false, for builtin values only: asking others would run the caller's code.
fn is_nothing(value: &Bound<'_, PyAny>) -> bool {
    let is_builtin = value.is_none()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyDict>()
        || value.is_exact_instance_of::<PyTuple>();
    is_builtin && value.is_truthy().is_ok_and(|truth| !truth)
}

fn names(py: Python<'_>) -> impl Iterator<Item = &Bound<'_, PyString>> {
    static INTERNED: PyOnceLock<Vec<Py<PyString>>> = PyOnceLock::new();
    let names = INTERNED.get_or_init(py, || NAMES.iter().map(|name| PyString::intern(py, name).unbind()).collect());
    names.iter().map(move |name| name.bind(py))
}

fn declined(word: &'static str) -> PyErr {
    Declined::new_err(word)
}

/// Adds this file's functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(token_call, module)?)?;
    module.add_function(wrap_pyfunction!(count_call, module)?)
}
