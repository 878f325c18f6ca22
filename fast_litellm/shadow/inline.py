"""
Both sides on the caller's own thread, one right after the other in random order: the evidence about speed.

Only a small share of the calls is run so, and only of a candidate that has proved itself off the caller's path: a
thread cannot be protected from a candidate that never ends, so none is run here before it has matched a hundred times,
nor after it was once late, panicked or crashed. What is found is compared off the caller's path, like everything else.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional

from fast_litellm.errors import Declined
from fast_litellm.shadow import comparators, machinery
from fast_litellm.shadow.candidate import Arguments, Call, Keywords, Withheld
from fast_litellm.shadow.job import Job
from fast_litellm.shadow.mutation import fresh
from fast_litellm.shadow.observation import Observation, Outcome
from fast_litellm.shadow.timing import Ran, Times
from fast_litellm.shadow.trial import of_error

if TYPE_CHECKING:
    from fast_litellm.shadow.runner import ShadowRunner

SHARE = 1 / 100
"""Of the shadowed calls."""


class _Run(NamedTuple):
    """What one side did, and what it took in nanoseconds."""

    value: Any
    error: Optional[BaseException]
    wall_ns: int
    cpu_ns: int


class _Tried(NamedTuple):
    """The candidate's run, in a form nobody can change, the arguments as it left them, and whether it ran first."""

    run: _Run
    did: Observation
    call: Call
    is_first: bool


class Inline:
    """
    Answers a runner's calls, a share of them with both sides on the caller's thread.

    Args:
        runner: The runner.
        draw: Returns a random number in [0, 1). By default not from the program's own generator, whose numbers the
            program may count on.
    """

    def __init__(self, runner: ShadowRunner, draw: Optional[Callable[[], float]] = None) -> None:
        self._runner = runner
        self._draw = draw or random.Random().random  # noqa: S311 - which side runs first is no secret

    def observe(self, args: Arguments, kwargs: Keywords, control: Optional[Callable[..., Any]] = None) -> Any:
        """
        Answer a call with the control.

        Args:
            args: The caller's positional arguments.
            kwargs: The caller's keyword arguments.
            control: The control inside something that measures it; the experiment's own by default.

        Returns:
            What the control returns.

        Raises:
            BaseException: What the control raises, the same object.
        """
        runner = self._runner
        if not (runner.judge.is_proven and self._draw() < SHARE):
            return runner.observe(args, kwargs, control)
        answer = control or runner.experiment.control
        job = runner.try_to_prepare(args, kwargs)
        if job is None:
            return answer(*args, **kwargs)
        is_first = self._draw() < 1 / 2
        tried = self._try(job.call, is_first=True) if is_first else None
        ours = _run(lambda: answer(*args, **kwargs))
        if not is_first and ours.error is None:
            tried = self._try(job.call, is_first=False)
        return self._conclude(job, ours, tried)

    def _conclude(self, job: Job, ours: _Run, tried: Optional[_Tried]) -> Any:
        """Hands both over to be compared. When the control raised, the worker tries the candidate as always."""
        value, error, wall_ns, cpu_ns = ours
        if error is None:
            if tried is not None:
                times = Times(wall_ns, tried.run.wall_ns, cpu_ns, tried.run.cpu_ns)
                job.plan = Ran(job.plan, tried.did, tried.call, times, tried.is_first)
            self._runner.submit(job, Outcome(value, duration_ns=wall_ns))
            return value
        if isinstance(error, Exception):
            self._runner.submit(job, Outcome(error=error, duration_ns=wall_ns))
        else:
            self._runner.abandon(job, "control_interrupted")
        try:
            raise error
        finally:
            del ours, error  # each would hold this frame, and this frame it

    def _try(self, call: Call, *, is_first: bool) -> Optional[_Tried]:
        """Prepares and runs the candidate as when it serves. None when the worker is to try it after all."""
        candidate = self._runner.experiment.candidate
        try:
            args, kwargs = copy = fresh(call)
            with self._runner.inside():
                run = _run(lambda: candidate.run(candidate.prepare(args, kwargs), args, kwargs))
            if isinstance(run.error, (Declined, Withheld)):
                return None
            return _Tried(run, self._observation(run), copy, is_first)
        except BaseException as error:
            machinery.failed("inline", error)
            return None

    def _observation(self, run: _Run) -> Observation:
        if run.error is not None:
            return replace(of_error(run.error), duration_ns=run.wall_ns)
        value = comparators.snapshot(self._runner.experiment.comparator, run.value, self._runner.max_bytes)
        return Observation(value, duration_ns=run.wall_ns)


def _run(side: Callable[[], Any]) -> _Run:
    value, error = None, None
    cpu_ns, wall_ns = time.thread_time_ns(), time.perf_counter_ns()
    try:
        value = side()
    except BaseException as raised:
        error = raised
    wall_ns = time.perf_counter_ns() - wall_ns
    return _Run(value, error, wall_ns, time.thread_time_ns() - cpu_ns)
