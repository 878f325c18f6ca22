"""
A candidate that serves by being awaited: what it does comes out only then, when the dispatcher is done. So this does
for coroutine functions what the dispatcher does for plain ones: it falls back, tells the guard, and hands a share of
the served calls over to be compared.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Dict, Optional, Tuple

from fast_litellm.accel.twins import TwinnedRunner
from fast_litellm.errors import Declined
from fast_litellm.interruptions import is_from_elsewhere
from fast_litellm.shadow.comparators import is_panic

if TYPE_CHECKING:
    from fast_litellm.accel.feature import Feature
    from fast_litellm.shadow import ShadowRunner
    from fast_litellm.shadow.candidate import Call
    from fast_litellm.shadow.job import Job

Judge = Callable[[int, bool], object]

_UNHEARD = "listener_failed"
_CALLERS_OWN = (asyncio.CancelledError, GeneratorExit)
"""What ends a call that nobody waits for any more."""


class _Raised:
    """What a candidate raised, and after how long."""

    def __init__(self, error: BaseException, duration_ns: int) -> None:
        self.error, self.duration_ns = error, duration_ns

    def forget(self) -> None:
        """Lets go of what was raised, which holds the frames that hold this."""
        del self.error


class AwaitedCandidate:
    """
    Serves a pair of coroutine functions.

    Args:
        feature: The pair, its counters, and who is told of failures.
        name: What the rules call the candidate.
        runner: Compares what was served.
        judge: Told how many nanoseconds each call of the candidate took, and whether it failed.
    """

    def __init__(self, feature: Feature, name: str, runner: ShadowRunner, judge: Judge) -> None:
        self.name = name
        self.reverse_share = 0.0
        """How many of the served calls are compared."""
        self._feature = feature
        self._pair = feature.pair
        self._is_comparable = feature.pair.is_comparable
        candidate = feature.named(name)
        self.prepare: Callable[[Tuple[Any, ...], Dict[str, Any]], Any] = candidate.prepare
        """The candidate's own."""
        self._run: Callable[..., Awaitable[Any]] = candidate.run
        twins = feature.pair.twins
        self._runner: Any = runner if twins is None else TwinnedRunner(runner, twins, follows=False)
        self._judge = judge
        self._draw = random.Random().random  # noqa: S311 - the program may count on its own generator's numbers

    async def run(self, plan: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """
        Answer a call. Python answers when the candidate declines, and, where running both changes nothing, when it
        fails.

        Returns:
            What the candidate returns, or the control in its place.

        Raises:
            BaseException: What the one that answers raises; a cancellation is never taken for a failure.
        """
        job = self._begin(args, kwargs) if self.reverse_share else None
        started = time.perf_counter_ns()
        try:
            value = await self._run(plan, args, kwargs)
        except BaseException as error:
            it = _Raised(error, time.perf_counter_ns() - started)
        else:
            duration_ns = time.perf_counter_ns() - started
            if job is not None:
                self._runner.submit_served(job, value, duration_ns)
            self._tell_guard(duration_ns, is_error=False)
            self._feature.tally.serve(self.name)
            return value
        if job is not None:
            self._runner.abandon(job, "not_served")
        try:
            return await self._answer_without(it, (args, kwargs))
        finally:
            it.forget()

    def _begin(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Optional[Job]:
        """Copies a call if it belongs to those that are compared afterwards."""
        if not self._is_comparable:
            return None
        if self._draw() >= self.reverse_share:
            self._feature.tally.sample_out()
            return None
        job: Optional[Job] = self._runner.try_to_prepare(args, kwargs)
        return job

    async def _answer_without(self, it: _Raised, call: Call) -> Any:
        """The candidate has declined, failed, or been interrupted."""
        if isinstance(it.error, Declined):
            self._feature.tally.decline(it.error.reason)
            return await self._fall_back(call)
        if not _is_failure(it.error) or is_from_elsewhere(it.error):
            if not isinstance(it.error, _CALLERS_OWN):
                self._feature.tally.fail(type(it.error).__name__)
            raise it.error
        if self._pair.effect_free:
            return await self._answer_for_failed(it, call)
        self._tell_guard(it.duration_ns, is_error=True)
        self._feature.tally.serve(self.name)  # an exception is an answer where the control is not asked after it
        raise it.error

    async def _answer_for_failed(self, it: _Raised, call: Call) -> Any:
        """A candidate that failed as the control fails has not failed."""
        kind, control_kind = type(it.error), None
        self._feature.candidate_failed(kind.__name__)
        try:
            return await self._fall_back(call)
        except BaseException as error:
            control_kind = type(error)
            raise
        finally:
            self._tell_guard(it.duration_ns, is_error=control_kind is not kind)

    async def _fall_back(self, call: Call) -> Any:
        self._feature.tally.serve("python")
        return await self._pair.control(*call[0], **call[1])

    def _tell_guard(self, duration_ns: int, *, is_error: bool) -> None:
        try:
            self._judge(duration_ns, is_error)
        except Exception as error:  # as in the dispatcher: counted, and not the caller's to know
            if is_from_elsewhere(error):
                raise
            self._feature.tally.fail(_UNHEARD)


def _is_failure(error: BaseException) -> bool:
    """Signals such as a cancellation belong to the program; a panic is the candidate's own failure."""
    return isinstance(error, Exception) or is_panic(type(error))
