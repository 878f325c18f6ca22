//! Exact token counts.
#![expect(clippy::doc_markdown, reason = "these are Python docstrings")]

use std::num::NonZeroUsize;

use fast_litellm_core::bpe::{self, ChunkRule, Text};
use pyo3::exceptions::{PyUnicodeEncodeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// Texts of more bytes are counted without the GIL.
///
/// Counting takes 2 to 30 nanoseconds a byte, so this is 4 to 60 microseconds of work. Giving the GIL up and taking it
/// back costs a fraction of one when nobody wants it, but up to the switch interval (5 ms) when somebody does.
pub(crate) const DETACH_BYTES: usize = 2048;

/// One of tiktoken's encodings or Anthropic's tokenizer, able to count and nothing else.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct Encoding(bpe::Encoding);

impl Encoding {
    /// The encoding itself, for the other borders.
    pub(crate) fn core(&self) -> &bpe::Encoding {
        &self.0
    }
}

#[pymethods]
impl Encoding {
    /// Reads an encoding from the text of its ``.tiktoken`` file.
    ///
    /// Args:
    ///     name: ``cl100k_base``, ``o200k_base``, ``p50k_base`` or ``r50k_base``.
    ///     data: A base64 token, a space and a rank on each line.
    ///
    /// Raises:
    ///     ValueError: The name is another one, or the data are not that encoding's; the message names the line.
    #[staticmethod]
    fn from_tiktoken(py: Python<'_>, name: &str, data: &Bound<'_, PyBytes>) -> PyResult<Self> {
        let data = data.as_bytes();
        py.detach(|| bpe::Encoding::from_tiktoken(name, data))
            .map(Self)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// Reads Anthropic's tokenizer from the text of its ``tokenizer.json``.
    ///
    /// Args:
    ///     data: The file, as LiteLLM brings it.
    ///
    /// Raises:
    ///     ValueError: The file is of another kind.
    #[staticmethod]
    fn from_anthropic(py: Python<'_>, data: &Bound<'_, PyBytes>) -> PyResult<Self> {
        let data = data.as_bytes();
        py.detach(|| bpe::Encoding::from_tokenizer("anthropic", data))
            .map(Self)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// The name tiktoken knows the encoding by, or ``anthropic``.
    #[getter]
    fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The number of tokens of the text: ``len(tiktoken.get_encoding(name).encode_ordinary(text))``, or of Anthropic's tokenizer
    /// as far as Unicode 11.0 goes.
    fn count(&self, text: &Bound<'_, PyString>) -> PyResult<usize> {
        with_text(text, |text| self.0.count(&text.repaired()))
    }

    /// The number of tokens LiteLLM finds in the text.
    ///
    /// Args:
    ///     text: Any text.
    ///     chunk_chars: The text is counted in slices of this many code points, at least 1.
    ///     max_exact_chars: A text of more code points is estimated from 16 samples, at least 1.
    ///
    /// Raises:
    ///     ValueError: One of the lengths is 0.
    fn count_chunked(
        &self,
        text: &Bound<'_, PyString>,
        chunk_chars: NonZeroUsize,
        max_exact_chars: NonZeroUsize,
    ) -> PyResult<u64> {
        let rule = ChunkRule { chunk_chars, max_exact_chars };
        with_text(text, |text| bpe::count_text(&self.0, rule, text))
    }

    fn __repr__(&self) -> String {
        format!("<Encoding {:?}>", self.name())
    }
}

/// Hands a Python string to `read`, lone surrogates included. Long texts are read without the GIL, so other Python code may
/// run in the meantime: the caller must not rely on anything but its own references.
pub(crate) fn with_text<R: Send>(text: &Bound<'_, PyString>, read: impl FnOnce(Text<'_>) -> R + Send) -> PyResult<R> {
    let py = text.py();
    match text.to_str() {
        Ok(valid) if valid.len() <= DETACH_BYTES => Ok(read(Text::Valid(valid))),
        Ok(valid) => Ok(py.detach(|| read(Text::Valid(valid)))),
        Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(py) => {
            let code_points = code_points(text)?;
            Ok(py.detach(|| read(Text::CodePoints(&code_points))))
        }
        Err(error) => Err(error),
    }
}

/// The code points of a string that has no UTF-8 form. `str.encode` is called on `str` itself: a subclass may override it.
pub(crate) fn code_points(text: &Bound<'_, PyString>) -> PyResult<Vec<u32>> {
    let encoded = text.py().get_type::<PyString>().call_method1("encode", (text, "utf-32-le", "surrogatepass"))?;
    let (units, _) = encoded.cast::<PyBytes>()?.as_bytes().as_chunks::<4>();
    Ok(units.iter().map(|unit| u32::from_le_bytes(*unit)).collect())
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Encoding>()
}
