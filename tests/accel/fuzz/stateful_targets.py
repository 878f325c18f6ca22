"""
The targets for candidates that work on a state: a router's deployments, a limiter's windows, a stream.

Where the installed LiteLLM leaves a feature to Python, its target is None.
"""

from __future__ import annotations

import functools
import random
from types import ModuleType, SimpleNamespace
from typing import Any, Callable, Dict, List, Optional

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fast_litellm.errors import Declined

Target = Callable[[bytes], Optional[bool]]

PASSED = [0, 0, 0, 0.25, 0.5, 1, 7.25, 30, 59.75, 60, 61.5]
WINDOWS = [60, 60, 1, 7]
MOST_CALLS = 25


def made(tests_of: Callable[[str], Any], dice_of: Callable[[bytes], random.Random]) -> Dict[str, Optional[Target]]:
    """The targets by name. The tests of each candidate are asked for what they generate and compare by."""
    makers = {
        "selects_deployments": lambda: selecting(tests_of("routing"), dice_of),
        "counts_windows": lambda: counting_windows(tests_of("rate_limiting"), dice_of),
        "wraps_chunks": lambda: wrapping(tests_of("stream_wrapping")),
    }
    return {name: _if_known(maker) for name, maker in makers.items()}


def _if_known(maker: Callable[[], Target]) -> Optional[Target]:
    try:
        return maker()
    except pytest.skip.Exception:  # as the tests would be
        return None


def selecting(routing: ModuleType, dice_of: Callable[[bytes], random.Random]) -> Target:
    """A deployment is selected alike from any state, with the same numbers drawn and the same left; or declined."""
    candidate, states = functools.cache(routing.candidate), routing.states

    def selects_deployments(data: bytes) -> bool:
        dice = dice_of(data)
        name = dice.choice([*routing.CALLS])
        with pytest.MonkeyPatch.context() as patch:
            for timed in (routing.LATENCY, routing.COST):
                patch.setattr(routing.reference(timed), "datetime", states.Clock)
            args = routing.CALLS[name](dice)
            found = states.answered(candidate(name), args)
            assert found is None or states.asked(routing.control(name), args) == found, (name, args)
        return found is not None

    return selects_deployments


def counting_windows(limits: ModuleType, dice_of: Callable[[bytes], random.Random]) -> Target:
    """Any calls in turn are answered alike and leave the same cache, which loses nothing; or one is declined."""

    def counts_windows(data: bytes) -> bool:
        dice, clock, ours = dice_of(data), limits.Clock(), limits.RateLimitingCandidate(limits.reference, "3")
        sides = [limits.limiter(clock, limits.MORE_THAN_ENOUGH) for _ in range(2)]
        calls = dice.randrange(MOST_CALLS)
        for _ in range(calls):
            clock.now += dice.choice(PASSED)
            keys = limits.keys_of(*(dice.choice(limits.COUNTERS) for _ in range(dice.randrange(5))))
            window = dice.choice(WINDOWS)
            try:
                answer = limits.by_candidate(ours, sides[1], keys, int(clock.now), window)
            except Declined:
                return False
            assert limits.by_control(sides[0], keys, int(clock.now), window) == answer, keys
            left = [(limits.cache_of(it).cache_dict, limits.cache_of(it).ttl_dict) for it in sides]
            assert left[0] == left[1], keys
        return calls > 0

    return counts_windows


def wrapping(streams: ModuleType) -> Target:
    """Chunks of all kinds, in any order, are made alike and leave the wrapper alike, whoever of the two makes them."""
    answered: List[int] = []
    clocked = (streams.handler, streams.importlib.import_module("litellm.types.utils"))

    @settings(database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(st.tuples(streams.REQUESTS, st.integers(1, 4), streams.RULES), max_size=6),
        st.sampled_from(["openai", "azure", "groq"]),
    )
    def read(requests: Any, provider: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for module in clocked:
                patch.setattr(module, "time", SimpleNamespace(time=lambda: 1.5))
            twice = streams.Twice(streams.StreamWrappingCandidate(streams.handler, "1"), provider=provider)
            for request, times, rules in requests:
                patch.setattr(streams.litellm, "post_call_rules", rules)
                streams.read_all(twice, *[request] * times)
        answered.append(twice.answered)

    def wraps_chunks(data: bytes) -> Optional[bool]:
        answered.clear()
        read.hypothesis.fuzz_one_input(data)
        return answered[-1] > 0 if answered else None

    return wraps_chunks
