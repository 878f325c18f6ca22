//! The end of the caller's path: a call whose answer is known is counted and queued, or given up.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use fast_litellm_core::shadow::Refusal;
use pyo3::prelude::*;

use super::admission::Unfit;
use super::{Observer, panicked};
use crate::job::{Held, Job};

impl Observer {
    /// Accepts a call whose answer is known, and queues it.
    pub(super) fn hand_over(
        &self,
        job: &Bound<'_, Job>,
        now: i64,
        take: impl FnOnce(&mut Job) -> Result<(), Unfit>,
    ) -> PyResult<()> {
        let is_accepted = self.accept(job.py(), &mut job.borrow_mut(), now, take)?;
        if is_accepted { self.queue(job) } else { Ok(()) }
    }

    /// Takes what a side did and gives the job its ticket. Returns whether it is to be queued.
    fn accept(
        &self,
        py: Python<'_>,
        job: &mut Job,
        now: i64,
        take: impl FnOnce(&mut Job) -> Result<(), Unfit>,
    ) -> PyResult<bool> {
        if !self.is_own(job) {
            return Ok(false); // begun before a fork: the parent accounts for it
        }
        let failure = match catch_unwind(AssertUnwindSafe(|| take(job))) {
            Ok(Ok(())) => {
                job.queued_at = now;
                job.ticket = Held::Core(self.tally.get().core().accept(job.shape));
                return Ok(true);
            }
            Ok(Err(Unfit::Failed(failure))) => failure,
            Ok(Err(unfit)) => {
                self.give_up(job, if let Unfit::Shed(reason) = unfit { reason } else { "machinery_failed" });
                return Ok(false);
            }
            Err(_) => panicked(),
        };
        self.give_up(job, "machinery_failed");
        self.tell_failed(py, "submit", failure)?;
        Ok(false)
    }

    fn queue(&self, job: &Bound<'_, Job>) -> PyResult<()> {
        let queued = match self.room.get().put(job) {
            Ok(false) => self.worker.bind(job.py()).call_method1("put", (job,)).and_then(|taken| taken.is_truthy()),
            other => other,
        };
        match queued {
            Ok(true) => Ok(()),
            Ok(false) => {
                let ending = self.room.get().core().ending();
                self.give_up(&mut job.borrow_mut(), ending.map_or("shutdown", Refusal::word));
                Ok(())
            }
            Err(failure) => {
                self.give_up(&mut job.borrow_mut(), "machinery_failed");
                self.tell_failed(job.py(), "submit", failure)
            }
        }
    }

    pub(super) fn give_up(&self, job: &mut Job, reason: &str) {
        if !self.is_own(job) {
            return;
        }
        self.give_back(job.size, job.reserved);
        job.ticket.shed_or(reason, || self.tally.get().core().shed(reason, job.shape));
    }

    pub(super) fn give_back(&self, size: usize, reserved: f64) {
        self.room.get().core().release(size);
        self.bucket.get().settle(reserved, 0.0);
    }

    fn is_own(&self, job: &Job) -> bool {
        job.generation == self.generation.load(Ordering::Acquire)
    }
}
