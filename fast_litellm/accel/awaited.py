"""
A candidate that serves by being awaited: what it does comes out only then, when the dispatcher is done. So this does
for coroutine functions what the dispatcher does for plain ones: it falls back, tells the guard, and hands a share of
the served calls over to be compared.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Tuple

from fast_litellm.accel.twins import TwinnedRunner
from fast_litellm.errors import Declined
from fast_litellm.shadow import Outcome
from fast_litellm.shadow.comparators import is_panic

if TYPE_CHECKING:
    from fast_litellm.accel.feature import Feature
    from fast_litellm.shadow import ShadowRunner
    from fast_litellm.shadow.job import Job

Judge = Callable[[int, bool], object]

_UNHEARD = "listener_failed"


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
        self._candidate = feature.named(name)
        twins = feature.pair.twins
        self._runner: Any = runner if twins is None else TwinnedRunner(runner, twins, follows=False)
        self._judge = judge
        self._draw = random.Random().random  # noqa: S311 - the program may count on its own generator's numbers

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """
        Returns:
            The candidate's plan.
        """
        return self._candidate.prepare(args, kwargs)

    async def run(self, plan: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """
        Answer a call. Python answers when the candidate declines, and, where running both changes nothing, when it
        fails.

        Returns:
            What the candidate returns, or the control in its place.

        Raises:
            BaseException: What the one that answers raises; a cancellation is never taken for a failure.
        """
        job = self._begin(args, kwargs)
        did = await self._attempt(plan, args, kwargs)
        self._end(job, did)
        if isinstance(did.error, Declined):
            self._feature.tally.decline(did.error.reason)
            return await self._fall_back(args, kwargs)
        is_failure = did.error is not None and _is_failure(did.error)
        if is_failure and self._pair.effect_free:
            return await self._answer_for_failed(did, args, kwargs)
        if is_failure or did.error is None:
            self._tell_guard(did, is_error=is_failure)
        if did.error is None:
            self._feature.tally.serve(self.name)
        return _answer(did)

    def _begin(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Optional[Job]:
        """Copies a call if it belongs to those that are compared afterwards."""
        if not (self._pair.is_comparable and self.reverse_share):
            return None
        if self._draw() >= self.reverse_share:
            self._feature.tally.sample_out()
            return None
        job: Optional[Job] = self._runner.try_to_prepare(args, kwargs)
        return job

    async def _attempt(self, plan: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Outcome:
        started = time.perf_counter_ns()
        try:
            value = await self._candidate.run(plan, args, kwargs)
        except BaseException as error:
            return Outcome(error=error, duration_ns=time.perf_counter_ns() - started)
        return Outcome(value, duration_ns=time.perf_counter_ns() - started)

    def _end(self, job: Optional[Job], did: Outcome) -> None:
        if job is not None and did.error is None:
            self._runner.submit_served(job, did.value, did.duration_ns)
        elif job is not None:
            self._runner.abandon(job, "not_served")

    async def _answer_for_failed(self, did: Outcome, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """A candidate that failed as the control fails has not failed."""
        kind, control_kind = type(did.error), None
        self._feature.candidate_failed(kind.__name__)
        try:
            return await self._fall_back(args, kwargs)
        except BaseException as error:
            control_kind = type(error)
            raise
        finally:
            self._tell_guard(did, is_error=control_kind is not kind)

    async def _fall_back(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        self._feature.tally.serve("python")
        return await self._pair.control(*args, **kwargs)

    def _tell_guard(self, did: Outcome, *, is_error: bool) -> None:
        try:
            self._judge(did.duration_ns, is_error)
        except Exception:  # as in the dispatcher: counted, and not the caller's to know
            self._feature.tally.fail(_UNHEARD)


def _answer(did: Outcome) -> Any:
    if did.error is None:
        return did.value
    try:
        raise did.error
    finally:
        del did  # what was raised holds this frame, and this frame it


def _is_failure(error: BaseException) -> bool:
    """Signals such as a cancellation belong to the program; a panic is the candidate's own failure."""
    return isinstance(error, Exception) or is_panic(type(error))
