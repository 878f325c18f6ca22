//! The windows of rate limits, beside the cache that LiteLLM keeps them in.

use fast_litellm_core::windows::{self, ENTRIES, Entry, Moment, REQUESTS, START, Store, TOKENS, Window, Write};
use pyo3::import_exception;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyList, PyString};

use crate::window_cache::Cache;

import_exception!(fast_litellm.errors, Declined);

const SUFFIXES: [&str; ENTRIES] = [":window", ":requests", ":tokens"];
/// Counters beyond this are declined: adding to them could overflow.
const LARGEST: i64 = 1 << 62;
/// Windows of one call beyond this are declined: they are searched one by one.
const MOST_WINDOWS: usize = 64;

/// Remembers windows that LiteLLM's cache has no room for.
#[pyclass(frozen, module = "fast_litellm._native")]
#[derive(Default)]
pub(crate) struct WindowStore(Store);

/// What follows from one call, before anything is changed by it.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct WindowPlan {
    plan: windows::Plan,
    /// The keys of the entries of each of the call's windows.
    keys: Vec<Keys>,
}

type Keys = [Py<PyString>; ENTRIES];
/// The two dicts of LiteLLM's cache: values and moments, by key.
type Dicts<'a, 'py> = (&'a Bound<'py, PyDict>, &'a Bound<'py, PyDict>);
type Left<'py> = (Bound<'py, PyString>, Bound<'py, PyAny>, f64);
type CacheParts<'py> = (Bound<'py, PyDict>, Bound<'py, PyDict>, Bound<'py, PyList>, usize, Bound<'py, PyAny>);

#[pymethods]
impl WindowStore {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Finds what follows from one call of the sliding window.
    ///
    /// Args:
    ///     keys: A window's key, a counter's key, and so on.
    ///     entries: The values that LiteLLM's cache holds.
    ///     expiries: The moments at which they expire.
    ///     moment: The second, how many seconds a window lasts, and the same moment by the cache's clock.
    ///
    /// Raises:
    ///     Declined: "`opaque_value`", "`unusual_key`" or "`unusual_value`": something is not as the limiter writes it.
    #[pyo3(signature = (keys, entries, expiries, moment, /))]
    fn plan(
        &self,
        keys: &Bound<'_, PyList>,
        entries: &Bound<'_, PyDict>,
        expiries: &Bound<'_, PyDict>,
        moment: (i64, i64, f64),
    ) -> PyResult<WindowPlan> {
        let (second, window_size, now) = moment;
        let keys = texts(keys)?;
        let (mut names, mut windows, mut held, mut counters) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for pair in keys.chunks_exact(2) {
            let (name, counter) = told(pair)?;
            let index = names.iter().position(|known| *known == name).unwrap_or(names.len());
            if index == names.len() {
                let window = named(name, counter, pair);
                held.push((self.0.digest(name), read((entries, expiries), &window)?));
                windows.push(window.map(Bound::unbind));
                names.push(name);
            }
            if names.len() > MOST_WINDOWS {
                return Err(Declined::new_err("many_windows"));
            }
            counters.push((index, counter));
        }
        let plan = self.0.plan(&held, &counters, Moment { second, window_size, now });
        Ok(WindowPlan { plan, keys: windows })
    }

    /// Remembers the windows of a plan as it leaves them.
    #[pyo3(signature = (plan, /))]
    fn keep(&self, plan: &WindowPlan) {
        self.0.keep(&plan.plan);
    }

    /// What is remembered of some windows, as a plain value: value and expiry of each entry, by the window's key.
    #[pyo3(signature = (keys, /))]
    fn remembered<'py>(&self, keys: &Bound<'py, PyList>) -> PyResult<Bound<'py, PyDict>> {
        let found = PyDict::new(keys.py());
        for key in keys.iter().step_by(2) {
            let name = name_of(key.cast::<PyString>()?.to_str()?, START)?.to_owned();
            let window = self.0.window(&self.0.digest(&name));
            found.set_item(key, window.map(|entry| (entry.value, entry.expires)))?;
        }
        Ok(found)
    }

    /// Remembers what `remembered` has told.
    #[pyo3(signature = (windows, /))]
    fn remember(&self, windows: Vec<(String, [(i64, f64); ENTRIES])>) -> PyResult<()> {
        for (key, entries) in windows {
            let window = entries.map(|(value, expires)| Entry { value, expires });
            self.0.put(self.0.digest(name_of(&key, START)?), window, f64::NEG_INFINITY);
        }
        Ok(())
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}

#[pymethods]
impl WindowPlan {
    /// What the limiter is told: the second in which a window began, as text when that is new, and the count.
    #[getter]
    fn answers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let answers = PyList::empty(py);
        for answer in &self.plan.answers {
            if answer.is_new {
                answers.append(answer.start.to_string())?;
            } else {
                answers.append(answer.start)?;
            }
            answers.append(answer.count)?;
        }
        Ok(answers)
    }

    /// Writes what LiteLLM's cache is to hold, as its `set_cache` would.
    ///
    /// Args:
    ///     cache: The dicts and the heap that it is made of, for how many entries it has room, and its clock.
    ///     window_size: How many seconds an entry lasts that says nothing else.
    ///
    /// Returns:
    ///     What is left for that method, mostly nothing: key, value, and for how many seconds.
    #[pyo3(signature = (cache, window_size, /))]
    fn apply<'py>(&self, py: Python<'py>, cache: CacheParts<'py>, window_size: f64) -> PyResult<Vec<Left<'py>>> {
        let (entries, expiries, heap, most, clock) = &cache;
        let cache = Cache { entries, expiries, heap, most: *most, clock };
        let mut left = Vec::new();
        for (index, write) in &self.plan.writes {
            let key = self.keys[*index][write.place].bind(py);
            let (value, ttl) = (value(py, write)?, write.ttl.unwrap_or(window_size));
            if !left.is_empty() || !cache.write(key, &value, ttl)? {
                left.push((key.clone(), value, ttl));
            }
        }
        Ok(left)
    }

    /// Whether the cache had lost anything of what is remembered.
    #[getter]
    fn has_lost(&self) -> bool {
        self.plan.has_lost
    }
}

/// A window's beginning is written out.
fn value<'py>(py: Python<'py>, write: &Write) -> PyResult<Bound<'py, PyAny>> {
    Ok(match write.place {
        START => write.value.to_string().into_pyobject(py)?.into_any(),
        _ => write.value.into_pyobject(py)?.into_any(),
    })
}

fn texts<'py>(keys: &Bound<'py, PyList>) -> PyResult<Vec<Bound<'py, PyString>>> {
    let text = |key: Bound<'py, PyAny>| key.cast_into_exact().map_err(|_| Declined::new_err("opaque_value"));
    keys.iter().map(text).collect()
}

/// The window's name and which counter is meant.
fn told<'a>(pair: &'a [Bound<'_, PyString>]) -> PyResult<(&'a str, usize)> {
    let text = |at: usize| pair[at].to_str().map_err(|_| Declined::new_err("surrogates"));
    let name = name_of(text(0)?, START)?;
    let counter = text(1)?.strip_prefix(name);
    let place = [REQUESTS, TOKENS].into_iter().find(|place| counter == Some(SUFFIXES[*place]));
    place.map(|place| (name, place)).ok_or_else(|| Declined::new_err("unusual_key"))
}

fn name_of(key: &str, place: usize) -> PyResult<&str> {
    key.strip_suffix(SUFFIXES[place]).ok_or_else(|| Declined::new_err("unusual_key"))
}

/// The keys of a window's entries, two of which a call names itself.
fn named<'py>(name: &str, counter: usize, pair: &[Bound<'py, PyString>]) -> [Bound<'py, PyString>; ENTRIES] {
    let other = REQUESTS + TOKENS - counter;
    let other = PyString::new(pair[0].py(), &format!("{name}{}", SUFFIXES[other]));
    let (window, counted) = (pair[0].clone(), pair[1].clone());
    if counter == REQUESTS { [window, counted, other] } else { [window, other, counted] }
}

fn read((entries, moments): Dicts<'_, '_>, keys: &[Bound<'_, PyString>; ENTRIES]) -> PyResult<Window> {
    let mut window = [Entry::NONE; ENTRIES];
    for (place, key) in keys.iter().enumerate() {
        let Some(value) = entries.get_item(key)? else { continue };
        let moment = moments.get_item(key)?;
        let expires = moment.as_ref().and_then(|found| found.cast_exact::<PyFloat>().ok());
        window[place] = match (number(&value, place), expires) {
            (Some(value), Some(expires)) => Entry { value, expires: expires.value() },
            _ => return Err(Declined::new_err("unusual_value")),
        };
    }
    Ok(window)
}

/// A window's beginning is a number written out, a count is a number.
fn number(value: &Bound<'_, PyAny>, place: usize) -> Option<i64> {
    let number = if place == START {
        let text = value.cast_exact::<PyString>().ok()?.to_str().ok()?;
        text.parse().ok().filter(|number: &i64| number.to_string() == text)?
    } else {
        value.cast_exact::<PyInt>().ok()?.extract().ok()?
    };
    (-LARGEST..=LARGEST).contains(&number).then_some(number)
}

/// Adds this file's classes and functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<WindowStore>()?;
    module.add_class::<WindowPlan>()
}
