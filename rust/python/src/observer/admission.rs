//! Which calls are compared, and the copy of one that is, before the control runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use fast_litellm_core::account::UNKNOWN;
use fast_litellm_core::shadow::Refusal;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::{Observer, panicked};
use crate::dispatch::{Arguments, is_declined};
use crate::freeze::{Frozen, Unfreezable, Unsnapshotable};
use crate::job::Job;

/// Why a call is not compared.
pub(super) enum Unfit {
    /// For a reason that is counted.
    Shed(&'static str),
    /// It is left out of the sample, for rarer ones.
    LeftOut,
    /// Something has failed that is not the candidate's.
    Failed(PyErr),
}

impl From<PyErr> for Unfit {
    fn from(error: PyErr) -> Self {
        Self::Failed(error)
    }
}

impl From<Refusal> for Unfit {
    fn from(refusal: Refusal) -> Self {
        Self::Shed(refusal.word())
    }
}

impl From<Unfreezable> for Unfit {
    fn from(reason: Unfreezable) -> Self {
        match reason {
            Unfreezable::Size => Self::Shed("memory"),
            Unfreezable::Value(_) => Self::Shed("unsnapshotable"),
            Unfreezable::Failed(error) => Self::Failed(error),
        }
    }
}

impl Observer {
    /// Admits, plans and copies a call. Whatever comes of it is counted.
    pub(super) fn begin<'py>(&self, py: Python<'py>, call: Arguments<'_, 'py>) -> PyResult<Option<Bound<'py, Job>>> {
        let begun = catch_unwind(AssertUnwindSafe(|| {
            let shape = self.shaper.get().of(call.0, call.1);
            (shape, self.admit(py, call, shape))
        }));
        let failure = match begun {
            Ok((_, Ok(job))) => return Ok(Some(job)),
            Ok((shape, Err(Unfit::Shed(reason)))) => {
                self.tally.get().core().shed(reason, shape);
                return Ok(None);
            }
            Ok((shape, Err(Unfit::LeftOut))) => {
                self.tally.get().core().sample_out(shape);
                return Ok(None);
            }
            Ok((_, Err(Unfit::Failed(failure)))) => failure,
            Err(_) => panicked(),
        };
        self.tally.get().core().shed("machinery_failed", UNKNOWN);
        self.tell_failed(py, "prepare", failure)?;
        Ok(None)
    }

    /// What is reserved here is given back by whoever ends the job.
    fn admit<'py>(&self, py: Python<'py>, call: Arguments<'_, 'py>, shape: u64) -> Result<Bound<'py, Job>, Unfit> {
        let (room, bucket) = (self.room.get(), self.bucket.get());
        if room.may_be_inside() && self.worker.bind(py).call_method0("is_current_thread")?.is_truthy()? {
            return Err(Unfit::Shed("nested"));
        }
        if let Some(refusal) = room.core().refusal() {
            return Err(refusal.into());
        }
        let ease = bucket.ease(py)?;
        if ease <= 0.0 {
            return Err(Unfit::Shed("budget"));
        }
        if ease < self.comfort && !self.listener.bind(py).call_method1("takes", (shape, ease))?.is_truthy()? {
            return Err(Unfit::LeftOut);
        }
        let plan = self.plan(py, call)?;
        let frozen = self.copy(py, call)?;
        let size = frozen.bytes;
        room.core().reserve(size)?;
        let reserved = bucket.reserve();
        let job = Job::new(shape, plan, frozen, (size, reserved, self.generation.load(Ordering::Acquire)));
        Ok(Bound::new(py, job).inspect_err(|_| self.give_back(size, reserved))?)
    }

    fn plan(&self, py: Python<'_>, (args, kwargs): Arguments<'_, '_>) -> Result<Py<PyAny>, Unfit> {
        let Some(prepare) = &self.prepare else {
            return Ok(py.None());
        };
        let prepare = prepare.bind(py);
        let plan = match kwargs {
            Some(kwargs) => prepare.call1((args, kwargs)),
            None => prepare.call1((args, PyDict::new(py))),
        };
        match plan {
            Ok(plan) => Ok(plan.unbind()),
            Err(error) if is_declined(py, &error) => {
                self.listener.bind(py).call_method1("declined", (error.into_value(py),))?;
                Err(Unfit::Shed("declined"))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A copy of the call, or of its twin where the candidate makes one.
    fn copy(&self, py: Python<'_>, (args, kwargs): Arguments<'_, '_>) -> Result<Frozen, Unfit> {
        let Some(twin) = &self.twin else {
            return Ok(Frozen::call((args, kwargs), self.max_bytes)?);
        };
        let kwargs = kwargs.cloned().unwrap_or_else(|| PyDict::new(py));
        let twin = twin.bind(py).call1((args, kwargs)).map_err(|error| {
            let is_refusal = error.is_instance_of::<Unsnapshotable>(py);
            if is_refusal { Unfreezable::Value(error) } else { Unfreezable::Failed(error) }
        })?;
        let (args, kwargs): (Bound<'_, PyTuple>, Bound<'_, PyDict>) = twin.extract()?;
        Ok(Frozen::call((&args, Some(&kwargs)), self.max_bytes)?)
    }
}
