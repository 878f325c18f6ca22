//! The windows of rate limits, beside the cache that LiteLLM keeps them in.

use fast_litellm_core::windows::{self, Digest, ENTRIES, Entry, Moment, REQUESTS, START, Store, TOKENS, Window};
use pyo3::import_exception;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyList, PyString};

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
    /// The names of the call's windows, without what tells their entries apart.
    names: Vec<String>,
}

/// The two dicts of LiteLLM's cache: values and moments, by key.
type Cache<'a, 'py> = (&'a Bound<'py, PyDict>, &'a Bound<'py, PyDict>);

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
        let (mut names, mut held, mut counters) = (Vec::new(), Vec::new(), Vec::new());
        for at in (0..keys.len()).step_by(2) {
            let (name, counter) = pair(keys, at)?;
            let known = names.iter().position(|known| *known == name);
            let index =
                if let Some(index) = known { index } else { self.begin(&name, (entries, expiries), &mut held)? };
            if known.is_none() {
                names.push(name);
            }
            counters.push((index, counter));
        }
        let plan = self.0.plan(&held, &counters, Moment { second, window_size, now });
        Ok(WindowPlan { plan, names })
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

impl WindowStore {
    /// Reads a window that a call has not named before.
    fn begin(&self, name: &str, cache: Cache<'_, '_>, held: &mut Vec<(Digest, Window)>) -> PyResult<usize> {
        if held.len() >= MOST_WINDOWS {
            return Err(Declined::new_err("many_windows"));
        }
        let mut window = [Entry::NONE; ENTRIES];
        for (place, entry) in window.iter_mut().enumerate() {
            *entry = read(cache, &format!("{name}{}", SUFFIXES[place]), place)?;
        }
        held.push((self.0.digest(name), window));
        Ok(held.len() - 1)
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

    /// What the cache is to hold, in order: key, value, and for how many seconds if not for a whole window.
    #[getter]
    fn writes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let writes = PyList::empty(py);
        for (index, write) in &self.plan.writes {
            let key = format!("{}{}", self.names[*index], SUFFIXES[write.place]);
            if write.place == START {
                writes.append((key, write.value.to_string(), write.ttl))?;
            } else {
                writes.append((key, write.value, write.ttl))?;
            }
        }
        Ok(writes)
    }

    /// Whether the cache had lost anything of what is remembered.
    #[getter]
    fn has_lost(&self) -> bool {
        self.plan.has_lost
    }
}

/// The window's name and which counter is meant.
fn pair(keys: &Bound<'_, PyList>, at: usize) -> PyResult<(String, usize)> {
    let (window, counter) = (keys.get_item(at)?, keys.get_item(at + 1)?);
    let (Ok(window), Ok(counter)) = (window.cast_exact::<PyString>(), counter.cast_exact::<PyString>()) else {
        return Err(Declined::new_err("opaque_value"));
    };
    let (Ok(window), Ok(counter)) = (window.to_str(), counter.to_str()) else {
        return Err(Declined::new_err("surrogates"));
    };
    let name = name_of(window, START)?;
    let is_counter = |place: &usize| counter.strip_prefix(name) == Some(SUFFIXES[*place]);
    let counter = [REQUESTS, TOKENS].into_iter().find(is_counter);
    counter.map(|place| (name.to_owned(), place)).ok_or_else(|| Declined::new_err("unusual_key"))
}

fn name_of(key: &str, place: usize) -> PyResult<&str> {
    key.strip_suffix(SUFFIXES[place]).ok_or_else(|| Declined::new_err("unusual_key"))
}

fn read((entries, moments): Cache<'_, '_>, key: &str, place: usize) -> PyResult<Entry> {
    let key = PyString::new(entries.py(), key);
    let Some(value) = entries.get_item(&key)? else {
        return Ok(Entry::NONE);
    };
    let moment = moments.get_item(&key)?;
    let expires = moment.as_ref().and_then(|found| found.cast_exact::<PyFloat>().ok());
    match (number(&value, place), expires) {
        (Some(value), Some(expires)) => Ok(Entry { value, expires: expires.value() }),
        _ => Err(Declined::new_err("unusual_value")),
    }
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
