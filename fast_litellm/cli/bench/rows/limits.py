"""What the limiter's windows cost, how many of 100,000 are lost, and what pricing could gain a request at the most."""

from __future__ import annotations

import asyncio
import functools
import importlib
import sys
import time
from collections.abc import Coroutine
from datetime import datetime
from types import MethodType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Callable

import fast_litellm
from fast_litellm.accel.candidates.rate_limiting import LIMITER, NAME, store_of
from fast_litellm.cli.bench import stages
from fast_litellm.cli.bench.row import Figure, Goal, Measure, Row, Statement
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Iterator

_WINDOWS = 100_000
_STEP = 100
_WINDOW_SECONDS = 3_600
_NO_LOSS = Goal(Measure.SPEEDUP, 1)
_LIMIT = {"requests_per_unit": 1 << 40, "window_size": _WINDOW_SECONDS}


def rows() -> Iterator[Row | Figure]:
    """
    Yields:
        The sliding window alone and in a whole check, if the proxy's packages are there; then pricing.
    """
    import_litellm()
    try:
        limiter = importlib.import_module(LIMITER)
        importlib.import_module("litellm.proxy.utils")
    except ImportError:  # LiteLLM's proxy asks for packages of its own
        limiter = None
    if limiter is not None:
        with stages.installed({"rate_limiting": {"stage": "on"}}):
            yield from _limits(limiter)
    yield _pricing()


def _limits(module: Any) -> Iterator[Row | Figure]:
    owner, name = NAME.split(".")
    dispatcher = vars(getattr(module, owner))[name]
    for title, windows in (("sliding window, 1", 1), ("sliding window, 4", 4)):
        yield Row(
            title,
            theirs=Statement("call()", {"call": _call(dispatcher.__wrapped__, windows)}),
            ours=Statement("call()", {"call": _call(dispatcher, windows)}),
            goal=_NO_LOSS,
            difference=functools.partial(_difference, dispatcher, windows),
        )
    yield Row(
        "limiter check, 100k windows",
        theirs=Statement("call()", {"call": _check(module, dispatcher.__wrapped__)}),
        ours=Statement("call()", {"call": _check(module, dispatcher)}),
        goal=_NO_LOSS,
    )
    yield Figure("lost of 100k windows", "windows", 0, lambda _rounds: [_lost(dispatcher)])


def _usage() -> Any:
    cache = importlib.import_module("litellm.caching.dual_cache").DualCache
    return importlib.import_module("litellm.proxy.utils").InternalUsageCache(cache(default_in_memory_ttl=1))


def _finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine comes to that waits for nothing; an event loop would cost more than what is measured."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("the limiter waits")


def _keys(windows: range) -> list[str]:
    return [key for number in windows for key in (f"{{api_key:{number}}}:window", f"{{api_key:{number}}}:requests")]


def _call(function: Callable[..., Any], windows: int) -> Callable[[], Any]:
    limiter, keys = SimpleNamespace(internal_usage_cache=_usage()), _keys(range(windows))
    return lambda: _finished(
        function(limiter, keys=keys, now_int=int(time.time()) >> 12 << 12, window_size=_WINDOW_SECONDS)
    )


def _difference(dispatcher: Any, windows: int) -> str:
    theirs, ours = _call(dispatcher.__wrapped__, windows), _call(dispatcher, windows)
    if [theirs(), theirs()] != [ours(), ours()]:
        return "the answers differ"
    served: dict[str, int] = fast_litellm.status()["features"]["rate_limiting"]["served"]
    return "" if served.get("rust", 0) else "Python answered, so there is nothing to time"


def _check(module: Any, function: Callable[..., Any]) -> Callable[[], Any]:
    """A whole check of a limit, with another key each time."""
    owner, name = NAME.split(".")
    limiter = getattr(module, owner)(_usage(), time_provider=datetime.now)
    setattr(limiter, name, MethodType(function, limiter))
    numbers = iter(range(sys.maxsize))

    def call() -> Any:
        value = str(next(numbers) % _WINDOWS)
        return _finished(limiter.should_rate_limit([{"key": "api_key", "value": value, "rate_limit": _LIMIT}]))

    return call


def _lost(dispatcher: Any) -> int:
    """Counts in every window once, and in every hundredth once more: whatever is not told 2 then has been lost."""
    limiter, second = SimpleNamespace(internal_usage_cache=_usage()), int(time.time())

    def count(number: int) -> Any:
        keys = _keys(range(number, number + 1))
        return _finished(dispatcher(limiter, keys=keys, now_int=second, window_size=_WINDOW_SECONDS))[1]

    for number in range(_WINDOWS):
        count(number)
    again = [count(number) for number in range(0, _WINDOWS, _STEP)]
    kept = len(store_of(limiter.internal_usage_cache.dual_cache.in_memory_cache))
    return again.count(1) + _WINDOWS - kept


_STABLE = (
    "_cache_token_counts",
    "_parse_above_token_threshold",
    "_parse_off_peak_rate",
    "_reasoning_token_count",
    "_resolve_billed_reasoning_rate",
    "_select_priced_tier",
    "_uses_inclusive_token_thresholds",
    "apply_provider_cache_read_default",
    "get_cost_per_unit",
    "get_provider_specific_geo_multiplier",
    "get_regional_uplift_multiplier",
    "get_service_tier_cost_key",
    "get_vertex_regional_endpoint_uplift",
    "get_web_search_requests",
)
"""What a request calls of LiteLLM's pricing, as far as 1.106.2, 1.108.1 and 1.109.1 have its text in common."""


def _pricing() -> Row:
    """Their calls alone, beside the whole request that makes them: what is left when all of it costs nothing."""
    litellm = import_litellm()
    loop = asyncio.new_event_loop()
    messages = [{"role": "user", "content": "Hello"}]

    def request() -> Any:
        return loop.run_until_complete(litellm.acompletion(model="gpt-4o", messages=messages, mock_response="Hi"))

    calls = _calls_of(request)

    def priced() -> None:
        for function, args, kwargs in calls:
            function(*args, **kwargs)

    return Row(
        "stable pricing of a request",
        theirs=Statement("call()", {"call": request}),
        ours=Statement("call()", {"call": priced}),
        goal=Goal(Measure.COST, 1),
        difference=lambda: "" if calls else "the request is not priced",
        most_calls=64,
    )


def _calls_of(request: Callable[[], Any]) -> list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]]:
    """The outermost calls of those functions in one request."""
    module = importlib.import_module("litellm.litellm_core_utils.llm_cost_calc.utils")
    originals = {name: getattr(module, name) for name in _STABLE if hasattr(module, name)}
    calls: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
    inside: list[None] = []

    def noted(function: Callable[..., Any]) -> Callable[..., Any]:
        def note(*args: Any, **kwargs: Any) -> Any:
            if not inside:
                calls.append((function, args, kwargs))
            inside.append(None)
            try:
                return function(*args, **kwargs)
            finally:
                inside.pop()

        return note

    request()
    vars(module).update({name: noted(function) for name, function in originals.items()})
    try:
        request()
    finally:
        vars(module).update(originals)
    return calls
