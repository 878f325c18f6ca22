"""
Coroutine functions as both sides of an experiment.

The control is awaited in the caller's task. Its comparison is awaited later, on an event loop that belongs to the
worker thread, in a copy of the caller's context.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import weakref
from contextvars import Context, copy_context
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Awaitable, Callable, NamedTuple, Optional

from fast_litellm.shadow.candidate import Arguments, Candidate, Keywords, TimedOut
from fast_litellm.shadow.experiment import Experiment, Limits
from fast_litellm.shadow.observation import Outcome

if TYPE_CHECKING:
    from fast_litellm.shadow.runner import ShadowRunner

_MS_PER_S = 1_000


class InContext(NamedTuple):
    """
    A plan, and the context of the call that it was made for.

    Args:
        context: A copy of the caller's.
        plan: The candidate's own.
    """

    context: Context
    plan: Any


async def observe(
    runner: ShadowRunner, args: Arguments, kwargs: Keywords, control: Optional[Callable[..., Awaitable[Any]]] = None
) -> Any:
    """
    Answer a call with the control, awaited by the caller, and compare it later. A caller that is cancelled is
    cancelled; the comparison then is given up.

    Args:
        runner: Of an experiment with coroutine functions.
        args: The caller's positional arguments.
        kwargs: The caller's keyword arguments.
        control: The control inside something that measures it; the experiment's own by default.

    Returns:
        What the control returns.

    Raises:
        BaseException: What the control raises, the same object.
    """
    control = control or runner.experiment.control
    job = runner.try_to_prepare(args, kwargs)
    if job is None:
        return await control(*args, **kwargs)
    started = runner.clock()
    try:
        value = await control(*args, **kwargs)
    except Exception as error:
        runner.submit(job, Outcome(error=error, duration_ns=runner.clock() - started))
        raise
    except BaseException:
        runner.abandon(job, "control_interrupted")
        raise
    runner.submit(job, Outcome(value=value, duration_ns=runner.clock() - started))
    return value


def blocking(experiment: Experiment, limits: Limits) -> Experiment:
    """
    Args:
        experiment: Of coroutine functions.
        limits: The candidate's deadline; it is cancelled there.

    Returns:
        The same sides as plain functions that wait.
    """
    loops = _Loops()
    candidate = _Blocking(experiment.candidate, loops, limits.deadline_ms / _MS_PER_S)
    return replace(
        experiment, control=lambda *args, **kwargs: loops.wait(experiment.control(*args, **kwargs)), candidate=candidate
    )


class _Blocking:
    """A candidate whose run waits for what it started."""

    def __init__(self, candidate: Candidate, loops: _Loops, seconds: float) -> None:
        self.build = candidate.build
        self._candidate = candidate
        self._loops = loops
        self._seconds = seconds

    def prepare(self, args: Arguments, kwargs: Keywords) -> InContext:
        return InContext(copy_context(), self._candidate.prepare(args, kwargs))

    def run(self, plan: Any, args: Arguments, kwargs: Keywords) -> Any:
        return self._loops.wait(self._candidate.run(plan, args, kwargs), self._seconds)


class _Loops(threading.local):
    """An event loop for each thread that waits; it ends with its thread."""

    _own: Optional[_Own] = None

    def wait(self, found: Any, seconds: Optional[float] = None) -> Any:
        """
        Args:
            found: An awaitable, or the value itself.
            seconds: Where it is cancelled; None waits for ever.

        Returns:
            What it comes to.

        Raises:
            TimedOut: It was cancelled.
            BaseException: What it raised.
        """
        if not inspect.isawaitable(found):
            return found
        if self._own is None:
            self._own = _Own()
        outcome = self._own.loop.run_until_complete(_bounded(found, seconds))
        if outcome.error is not None:
            raise outcome.error
        return outcome.value


class _Own:
    """Closes a thread's loop when the thread lets go of it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        # Not `__del__`: the collector of cycles may have ended the loop's sockets by then. This keeps the loop whole.
        weakref.finalize(self, self.loop.close).atexit = False


async def _bounded(awaitable: Awaitable[Any], seconds: Optional[float]) -> Outcome:
    task = asyncio.ensure_future(_contained(awaitable))
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done:
        return task.result()
    task.cancel()
    await asyncio.wait({task})
    return Outcome(error=TimedOut())


async def _contained(awaitable: Awaitable[Any]) -> Outcome:
    """SystemExit and KeyboardInterrupt would leave a task and stop its loop."""
    try:
        return Outcome(value=await awaitable)
    except BaseException as error:
        return Outcome(error=error)
