"""Generated states of a router, and one selection by each side from the same state."""

from __future__ import annotations

import asyncio
import copy
import random
from datetime import datetime
from importlib import import_module
from typing import Any, Callable, NamedTuple

import pytest

from fast_litellm.errors import Declined

strategy = pytest.importorskip("litellm.router_strategy.lowest_latency")
DualCache = import_module("litellm.caching.caching").DualCache

MINUTE = "2026-11-29-20-15"
NUMBERS = [None, 0, 1, 3, 100, 2.5, 1e6]
IDS = [f"d{number}" for number in range(6)]
MODELS = ["openai/gpt-4o-mini", "gpt-4o", "claude-sonnet-4-5", "nobody/knows", ""]
LATENCY = "latency_normalized" if hasattr(strategy, "_usable_latency_samples") else "latency"
MESSAGES = [{"role": "user", "content": "Hello, how are you?"}]


class Clock:
    """Stands in for `datetime` in a strategy's module."""

    moment = datetime(2026, 11, 29, 20, 15, 30)  # noqa: DTZ001 - as the strategies read it

    @classmethod
    def now(cls) -> datetime:
        return cls.moment


class Side(NamedTuple):
    """What one side did: its answer, what it left of its arguments, and where it left the generator."""

    value: Any
    left: Any
    entropy: Any


def maybe(dice: random.Random, **choices: list[Any]) -> dict[str, Any]:
    """Some of the names, each with one of its values."""
    return {name: dice.choice(values) for name, values in choices.items() if dice.random() < 0.4}


def deployments(dice: random.Random, most: int = 8) -> list[dict[str, Any]]:
    """A list with ids that may come twice, and limits in three places."""
    return [
        {
            "model_name": "group",
            **maybe(dice, tpm=NUMBERS, rpm=NUMBERS),
            "litellm_params": {
                "model": dice.choice(MODELS),
                **maybe(dice, tpm=NUMBERS, rpm=NUMBERS, weight=NUMBERS, api_base=[None, "a", "b"]),
                **maybe(dice, input_cost_per_token=[0, 1e-6, 3], output_cost_per_token=[None, 2e-6], base_model=MODELS),
            },
            "model_info": {"id": dice.choice(IDS), **maybe(dice, tpm=NUMBERS, rpm=NUMBERS, base_model=[None, *MODELS])},
        }
        for _ in range(dice.randrange(most + 1))
    ]


def usage(dice: random.Random) -> dict[str, Any]:
    """What is kept of some deployments, of which some are not in the list."""
    latencies = [0, 1, 0.25, 0.1, 0.2, 0.30000000000000004, 1000.0]

    def samples() -> list[Any]:
        return [dice.choice(latencies) for _ in range(dice.randrange(5))]

    def item() -> dict[str, Any]:
        now = maybe(dice, tpm=[0, 1, 50], rpm=[0, 1, 2])
        kept = {LATENCY: samples(), "time_to_first_token_seconds": [float(it) for it in samples()], MINUTE: now}
        return {name: value for name, value in kept.items() if dice.random() < 0.8}

    ids = dice.sample([*IDS, "ghost"], dice.randrange(len(IDS)))
    return {name: item() for name in ids}


def request(dice: random.Random) -> dict[str, Any] | None:
    """A request's keyword arguments."""
    return dice.choice([None, maybe(dice, stream=[True, False, None], metadata=[{}, {"a": 1}], litellm_metadata=[{}])])


def asked(function: Callable[..., Any], args: tuple[Any, ...]) -> Side:
    """Calls a control, from the beginning of one sequence of numbers."""
    args = copied(args)
    random.seed(7)
    try:
        value = function(*args)
        value = asyncio.run(value) if asyncio.iscoroutine(value) else value
    except Exception as error:
        value = type(error)
    return Side(value, left(args), random.getstate())


def answered(candidate: Any, args: tuple[Any, ...]) -> Side | None:
    """The same of a candidate; None when it declines, and then it has changed nothing."""
    own = copied(args)
    random.seed(7)
    try:
        value = candidate.run(candidate.prepare(own, {}), own, {})
        value = asyncio.run(value) if asyncio.iscoroutine(value) else value
    except Declined:
        assert left(args) == left(own)
        return None
    return Side(value, left(own), random.getstate())


def copied(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """A copy of the arguments; a handler is made anew around a copy of its cache."""
    return tuple(_handler(it) if hasattr(it, "router_cache") else copy.deepcopy(it) for it in args)


def left(args: tuple[Any, ...]) -> list[Any]:
    """The arguments as plain values, with the order of their keys."""
    return [repr(it.router_cache.in_memory_cache.cache_dict if hasattr(it, "router_cache") else it) for it in args]


def _handler(original: Any) -> Any:
    handler = copy.copy(original)
    handler.router_cache = DualCache()
    for key, value in original.router_cache.in_memory_cache.cache_dict.items():
        handler.router_cache.set_cache(key, copy.deepcopy(value))
    return handler
