//! The border of batch counting: many texts and message lists, with one look at the Python objects before the counting
//! and one after it, and none in between.
#![expect(clippy::doc_markdown, reason = "these are Python docstrings")]

use std::cell::{Cell, RefCell};
use std::num::NonZeroUsize;
use std::thread;

use fast_litellm_core::bpe::{Text, count_texts};
use fast_litellm_core::messages::Decline;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use crate::encoding::{DETACH_BYTES, code_points};
use crate::messages::{Declined, TokenCounter, signed};

type Count<'a, 'py> = &'a dyn Fn(&Bound<'py, PyString>) -> Result<i64, Decline>;

/// The tokens of many texts and message lists, without tools; the texts are counted on several threads, without the GIL.
///
/// Args:
///     counter: Counts for the model.
///     items: Texts and lists of dictionaries.
///     fixed_image_tokens: What every image counts, or None to look at each.
///     threads: At most so many; None for one on each processor that this process may use.
///
/// Raises:
///     Declined: Something is not reproduced, or the control would raise.
#[pyfunction]
#[pyo3(signature = (counter, items, *, fixed_image_tokens, threads=None))]
fn count_batch(
    counter: &TokenCounter,
    items: &Bound<'_, PyList>,
    fixed_image_tokens: Option<i64>,
    threads: Option<NonZeroUsize>,
) -> PyResult<Vec<i64>> {
    let texts = RefCell::new(Vec::new());
    counter.walk_all(items, fixed_image_tokens, &|text| {
        texts.borrow_mut().push(text.clone());
        Ok(0)
    })?;
    let texts = texts.into_inner();
    let counts = counter.count_apart(&texts, threads)?;
    let next = Cell::new(0);
    // The same walk comes by the same texts. Where another thread has meanwhile changed a list, its text is counted anew.
    counter.walk_all(items, fixed_image_tokens, &|text| {
        let index = next.replace(next.get() + 1);
        match texts.get(index) {
            Some(known) if known.is(text) => Ok(signed(counts[index])),
            _ => counter.count_string(text),
        }
    })
}

impl TokenCounter {
    fn walk_all<'py>(
        &self,
        items: &Bound<'py, PyList>,
        fixed_image_tokens: Option<i64>,
        count: Count<'_, 'py>,
    ) -> PyResult<Vec<i64>> {
        let one = |item: Bound<'py, PyAny>| match item.cast_exact::<PyString>() {
            Ok(text) => count(text),
            Err(_) => self.walk_messages(item, fixed_image_tokens, count),
        };
        items.iter().map(|item| one(item).map_err(|decline| Declined::new_err(decline.word()))).collect()
    }

    fn count_apart(&self, texts: &[Bound<'_, PyString>], threads: Option<NonZeroUsize>) -> PyResult<Vec<u64>> {
        let Some(first) = texts.first() else {
            return Ok(Vec::new());
        };
        let valid: Vec<Option<&str>> = texts.iter().map(|text| text.to_str().ok()).collect();
        let odd = texts.iter().zip(&valid).filter(|(_, valid)| valid.is_none()).map(|(text, _)| code_points(text));
        let odd = odd.collect::<PyResult<Vec<_>>>()?;
        let texts = in_order(&valid, &odd);
        if !texts.iter().all(|text| self.core().is_certain(*text)) {
            return Err(Declined::new_err(Decline::Unicode.word()));
        }
        let threads = threads.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
        let count = || count_texts(self.core(), self.rule(), &texts, threads);
        let bytes: usize = texts.iter().map(|text| text.bytes()).sum();
        Ok(if bytes <= DETACH_BYTES { count() } else { first.py().detach(count) })
    }
}

/// Texts in UTF-8 where they have it, else the next of those that do not.
fn in_order<'a>(valid: &[Option<&'a str>], odd: &'a [Vec<u32>]) -> Vec<Text<'a>> {
    let mut odd = odd.iter();
    valid
        .iter()
        .map(|text| match text {
            Some(text) => Text::Valid(text),
            None => Text::CodePoints(odd.next().map_or(&[], Vec::as_slice)),
        })
        .collect()
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(count_batch, module)?)
}
