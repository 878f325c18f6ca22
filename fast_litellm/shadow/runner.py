"""
The runner of one experiment: what happens on the caller's path, and what happens afterwards on the worker thread.

On the caller's path, which is native, a call is copied before the control runs and queued after it has answered.
Nothing that fails there or later reaches the caller, whatever its class; the caller gets the control's value or
exception, the same object. An interrupt from the keyboard that arrives while the candidate prepares, or while the
worker's thread is started, is lost with the comparison it interrupted.

A call is offered once its control has ended, because what the control did belongs to the call's shape.
"""

from __future__ import annotations

import atexit
import time
import weakref
from dataclasses import replace
from typing import Any, Callable, ContextManager, Optional

from fast_litellm.interruptions import is_from_elsewhere
from fast_litellm.shadow import engine, forking, machinery, modes
from fast_litellm.shadow.budget import Budget
from fast_litellm.shadow.candidate import Arguments, FunctionCandidate, Keywords
from fast_litellm.shadow.deadline import Patience
from fast_litellm.shadow.experiment import Experiment, Limits, Sink
from fast_litellm.shadow.job import Job
from fast_litellm.shadow.judge import Judge
from fast_litellm.shadow.observation import Observation, Outcome
from fast_litellm.shadow.reporter import Reporter
from fast_litellm.shadow.strata import COMFORT, Strata
from fast_litellm.shadow.trial import Trial, of_error
from fast_litellm.shadow.worker import Worker

_CLOSE_SECONDS = 1.0


class _Listener:
    """What the native observer tells, and asks, of what is no value, and when the budget is short."""

    def __init__(self, judge: Judge) -> None:
        self.takes = Strata().takes
        self.declined = judge.count_declined
        self.failed = machinery.failed

    def raised(self, error: BaseException, duration_ns: int) -> Observation:
        return replace(of_error(error, is_caught_natively=True), duration_ns=duration_ns)


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
        self.max_bytes = self._limits.max_bytes
        self.shaper = experiment.shaper()
        self._reporter = Reporter(experiment, sink, on_block)
        self._arranged = modes.arrange(experiment, self._limits)
        self.trial = Trial(self._arranged, self._limits)
        self.judge = Judge(self.trial, self._reporter, tally, self._budget, self._limits)
        self._worker = self._make_worker()
        self.observer = self._make_observer()
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
        return self.observer(args, kwargs, control)

    def try_to_prepare(self, args: Arguments, kwargs: Keywords) -> Optional[Job]:
        """
        Returns:
            What `prepare` returns; None also where the stack is too deep even for that. Such a call is not offered.
        """
        try:
            return self.prepare(args, kwargs)
        except BaseException as error:
            if is_from_elsewhere(error):
                raise
            return None

    def prepare(self, args: Arguments, kwargs: Keywords) -> Optional[Job]:
        """
        Copy a call for comparison, before the control runs.

        Args:
            args: The caller's positional arguments; they are not changed.
            kwargs: The caller's keyword arguments; they are not changed.

        Returns:
            A job, which must be given to `submit` or `abandon`; or None when the call is shed or left out of the
            sample. Either way it is counted.
        """
        return self.observer.prepare(args, kwargs)

    def submit(self, job: Job, outcome: Outcome) -> None:
        """
        Queue an accepted call for comparison, after the control has answered.

        Args:
            job: What `prepare` returned.
            outcome: What the control did.
        """
        try:
            if outcome.error is None:
                self.observer.submit(job, outcome.value, outcome.duration_ns)
            else:
                observation = replace(of_error(outcome.error), duration_ns=outcome.duration_ns)
                self.observer.submit_raised(job, observation)
        except BaseException as error:
            self.observer.abandon(job, "machinery_failed")
            if is_from_elsewhere(error):
                raise
            machinery.failed("submit", error)

    def submit_served(self, job: Job, value: Any, duration_ns: int) -> None:
        """
        Queue a call that the candidate has answered: the control is run later, and compared with that answer.

        Args:
            job: What `prepare` returned.
            value: What the candidate returned to the caller.
            duration_ns: How long it took.
        """
        self.observer.submit_served(job, value, duration_ns)

    def abandon(self, job: Job, reason: str) -> None:
        """
        Give up an accepted call.

        Args:
            job: What `prepare` returned.
            reason: A short word, such as "control_interrupted".
        """
        self.observer.abandon(job, reason)

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
        self.observer.after_fork()
        self._reporter.after_fork()
        self._worker.after_fork()
        self._budget.after_fork()
        self._tally.reset()

    def _make_worker(self) -> Worker[Job]:
        limits, judge = self._limits, self.judge
        patience = Patience(limits.hang_ns, limits.clock, judge.hung, lambda job: judge.give_up(job, "hung"))
        name = f"fast-litellm-shadow-{self.experiment.feature}"
        memory = limits.memory or engine.current().Memory(limits.max_bytes)
        return Worker(name, self._work, limits.max_jobs, memory, patience)

    def _make_observer(self) -> engine.Observer:
        limits, candidate, comparator = self._limits, self._arranged.candidate, self.experiment.comparator
        return engine.current().Observer(
            self.experiment.control,
            (
                None if type(candidate) is FunctionCandidate else candidate.prepare,
                getattr(self.experiment.candidate, "twin", None),
            ),
            (self.shaper, self._tally, self._worker.room, self._budget.bucket),
            self._worker,
            _Listener(self.judge),
            (comparator.takes_snapshots, getattr(comparator, "freeze", None)),
            (
                COMFORT,
                limits.max_bytes,
                None if limits.clock is time.perf_counter_ns else limits.clock,
                time.perf_counter_ns(),
            ),
        )

    def _work(self, job: Job) -> None:
        self.judge.judge(job, self._worker.claim)


def _close_at_exit(reference: weakref.ref[ShadowRunner]) -> None:
    runner = reference()
    if runner is not None:
        runner.close()
