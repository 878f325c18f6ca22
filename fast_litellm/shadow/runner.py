"""
The runner of one experiment: what happens on the caller's path, and what happens afterwards on the worker thread.

On the caller's path a call is copied before the control runs and queued after it has answered. Nothing that fails
there or later reaches the caller, whatever its class; the caller gets the control's value or exception, the same
object. An interrupt from the keyboard that arrives during those microseconds is lost with the comparison it
interrupted.

A call is offered once its control has ended, because what the control did belongs to the call's shape.
"""

from __future__ import annotations

import atexit
import weakref
from dataclasses import replace
from typing import Any, Callable, ContextManager, Optional

from fast_litellm.errors import Declined, Unsnapshotable
from fast_litellm.shadow import engine, forking, machinery, modes
from fast_litellm.shadow.budget import Budget
from fast_litellm.shadow.candidate import Arguments, Call, Keywords
from fast_litellm.shadow.deadline import Patience
from fast_litellm.shadow.experiment import Experiment, Limits, Sink
from fast_litellm.shadow.job import Job
from fast_litellm.shadow.judge import Judge
from fast_litellm.shadow.observation import Observation, Outcome
from fast_litellm.shadow.reporter import Reporter
from fast_litellm.shadow.trial import Trial, of_error
from fast_litellm.shadow.worker import Worker

_CLOSE_SECONDS = 1.0


class _Shed(Exception):  # noqa: N818 - a signal, not an error: the call is not compared
    """A call cannot be compared, for a reason that is counted."""


class ShadowRunner:
    """
    Compares a candidate with its control, off the caller's path, within a budget.

    Args:
        experiment: The two sides.
        tally: The feature's counters.
        sink: Told of every comparison that did not match; None keeps nothing but counters and log events.
        budget: How much processor time comparisons may use; 5 % of one core by default.
        limits: How much may wait.
        on_block: Called with (feature, fingerprint) on the worker thread at the first divergence that nobody has
            accepted.
    """

    def __init__(
        self,
        experiment: Experiment,
        *,
        tally: engine.Tally,
        sink: Optional[Sink] = None,
        budget: Optional[Budget] = None,
        limits: Optional[Limits] = None,
        on_block: Optional[Callable[[str, str], None]] = None,
    ) -> None:
        self.experiment = experiment
        self._limits = limits or Limits()
        self._tally = tally
        self._budget = budget or Budget()
        self.clock = self._limits.clock
        self.mode = self._limits.mode
        self._generation = 0
        self.shaper = experiment.shaper()
        self._reporter = Reporter(experiment, sink, on_block)
        self._arranged = modes.arrange(experiment, self._limits)
        self._twin: Callable[[Arguments, Keywords], Call] = getattr(experiment.candidate, "twin", _as_it_is)
        self.trial = Trial(self._arranged, self._limits)
        self.judge = Judge(self.trial, self._reporter, tally, self._budget, self._limits)
        self._worker = self._make_worker()
        forking.restart_in_children(self)
        atexit.register(_close_at_exit, weakref.ref(self))

    def observe(self, args: Arguments, kwargs: Keywords, control: Optional[Callable[..., Any]] = None) -> Any:
        """
        Answer a call with the control, and compare it later.

        Args:
            args: The caller's positional arguments.
            kwargs: The caller's keyword arguments.
            control: The control inside something that measures it; the experiment's own by default.

        Returns:
            What the control returns.

        Raises:
            BaseException: What the control raises, the same object.
        """
        control = control or self.experiment.control
        job = self.try_to_prepare(args, kwargs)
        if job is None:
            return control(*args, **kwargs)
        clock = self._limits.clock
        started = clock()
        try:
            value = control(*args, **kwargs)
        except Exception as error:
            self.submit(job, Outcome(error=error, duration_ns=clock() - started))
            raise
        except BaseException:
            self.abandon(job, "control_interrupted")
            raise
        self.submit(job, Outcome(value=value, duration_ns=clock() - started))
        return value

    def try_to_prepare(self, args: Arguments, kwargs: Keywords) -> Optional[Job]:
        """
        Returns:
            What `prepare` returns; None also where the stack is too deep even for that. Such a call is not offered.
        """
        try:
            return self.prepare(args, kwargs)
        except BaseException:
            return None

    def prepare(self, args: Arguments, kwargs: Keywords) -> Optional[Job]:
        """
        Copy a call for comparison, before the control runs.

        Args:
            args: The caller's positional arguments; they are not changed.
            kwargs: The caller's keyword arguments; they are not changed.

        Returns:
            A job, which must be given to `submit` or `abandon`; or None when the call is shed. Either way it is
            counted.
        """
        try:
            shape = self.shaper.shape(args, kwargs)
            try:
                return self._accept(args, kwargs, shape)
            except _Shed as shed:
                self._tally.shed(str(shed), shape)
        except BaseException as error:
            self._tally.shed("machinery_failed")
            machinery.failed("prepare", error)
        return None

    def submit(self, job: Job, outcome: Outcome) -> None:
        """
        Queue an accepted call for comparison, after the control has answered.

        Args:
            job: What `prepare` returned.
            outcome: What the control did.
        """
        self._submit(job, outcome, self._set_control)

    def submit_served(self, job: Job, value: Any, duration_ns: int) -> None:
        """
        Queue a call that the candidate has answered: the control is run later, and compared with that answer.

        Args:
            job: What `prepare` returned.
            value: What the candidate returned to the caller.
            duration_ns: How long it took.
        """
        self._submit(job, Outcome(value=value, duration_ns=duration_ns), self._set_served)

    def _submit(self, job: Job, outcome: Outcome, take: Callable[[Job, Outcome], None]) -> None:
        try:
            if job.generation != self._generation:
                return  # begun before a fork: the parent accounts for it
            take(job, outcome)
            job.queued_at = self._limits.clock()
            job.ticket = self._tally.accept(job.shape)
            if not self._worker.put(job):
                self._give_up(job, self._worker.refusal() or "shutdown")
        except Unsnapshotable:
            self._give_up(job, "unsnapshotable")
        except BaseException as error:
            self._give_up(job, "machinery_failed")
            machinery.failed("submit", error)

    def _set_control(self, job: Job, outcome: Outcome) -> None:
        job.shape = self._with_outcome(job.shape, outcome)
        job.control = self._snapshot(outcome)

    def _set_served(self, job: Job, outcome: Outcome) -> None:
        job.served = self._snapshot(outcome)

    def abandon(self, job: Job, reason: str) -> None:
        """
        Give up an accepted call.

        Args:
            job: What `prepare` returned.
            reason: A short word, such as "control_interrupted".
        """
        try:
            self._give_up(job, reason)
        except BaseException as error:
            machinery.failed("abandon", error)

    def inside(self) -> ContextManager[None]:
        """
        Returns:
            While it is entered, the calling thread is inside a comparison: calls made there are not compared.
        """
        return self._worker.inside()

    def rearm(self) -> None:
        """Calls `on_block` once more at the next divergence that nobody has accepted: a block was lifted."""
        self._reporter.rearm()

    def drain(self, timeout: float) -> bool:
        """
        Wait for every submitted call to be compared.

        Args:
            timeout: At most so many seconds.

        Returns:
            Whether all were.
        """
        return self._worker.drain(timeout)

    def close(self, timeout: float = _CLOSE_SECONDS) -> None:
        """
        Stop comparing. What is queued and not compared in time is shed as "shutdown".

        Args:
            timeout: How long to wait for queued calls, in seconds.
        """
        for job in self._worker.close(timeout):
            self.judge.give_up(job, "shutdown")
        self.trial.close()

    def after_fork(self) -> None:
        """Starts an account of its own in a forked child: what was in flight is the parent's."""
        self._generation += 1
        self._reporter.after_fork()
        self._worker.after_fork()
        self._budget.after_fork()
        self._tally.reset()

    def _accept(self, args: Arguments, kwargs: Keywords, shape: int) -> Job:
        self._check_room()
        plan = self._plan(args, kwargs)
        try:
            call, size = engine.current().freeze(self._twin(args, kwargs), self._limits.max_bytes)
        except Unsnapshotable as refusal:
            raise _Shed("memory" if refusal.args == ("size",) else "unsnapshotable") from None
        refusal_reason = self._worker.reserve(size)
        if refusal_reason is not None:
            raise _Shed(refusal_reason)
        reserved = self._budget.reserve()
        return Job(shape, plan, call, size=size, reserved=reserved, generation=self._generation)

    def _check_room(self) -> None:
        refusal = "nested" if self._worker.is_current_thread() else self._worker.refusal()
        if refusal is None and not self._budget.allows():
            refusal = "budget"
        if refusal is not None:
            raise _Shed(refusal)

    def _plan(self, args: Arguments, kwargs: Keywords) -> Any:
        try:
            return self._arranged.candidate.prepare(args, kwargs)
        except Declined as declined:
            self.judge.count_declined(declined)
            raise _Shed("declined") from None

    def _snapshot(self, outcome: Outcome) -> Observation:
        if outcome.error is not None:
            return replace(of_error(outcome.error), duration_ns=outcome.duration_ns)
        value = outcome.value
        if self.experiment.comparator.takes_snapshots:
            value, _ = engine.current().freeze(value, self._limits.max_bytes)
        return Observation(value, duration_ns=outcome.duration_ns)

    def _give_up(self, job: Job, reason: str) -> None:
        if job.generation != self._generation:
            return  # begun before a fork: the parent accounts for it
        self._worker.release(job.size)
        self.judge.give_up(job, reason)

    def _with_outcome(self, shape: int, outcome: Outcome) -> int:
        return engine.current().shape_with_outcome(self.experiment.profile, shape, raised=outcome.error is not None)

    def _make_worker(self) -> Worker[Job]:
        limits, judge = self._limits, self.judge
        patience = Patience(limits.hang_ns, limits.clock, judge.hung, lambda job: judge.give_up(job, "hung"))
        name = f"fast-litellm-shadow-{self.experiment.feature}"
        return Worker(name, self._work, limits.max_jobs, limits.max_bytes, patience)

    def _work(self, job: Job) -> None:
        self.judge.judge(job, self._worker.claim)


def _as_it_is(args: Arguments, kwargs: Keywords) -> Call:
    return args, kwargs


def _close_at_exit(reference: weakref.ref[ShadowRunner]) -> None:
    runner = reference()
    if runner is not None:
        runner.close()
