"""
What LiteLLM's strategies take for the choice itself, without the router's own passes over its deployments.
"""

from __future__ import annotations

import functools
import importlib
from random import Random
from typing import TYPE_CHECKING, Any, Callable

import fast_litellm
from fast_litellm.cli.bench import stages
from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement
from fast_litellm.cli.bench.rows.requests import event_loop
from fast_litellm.cli.bench.rows.routers import GROUP, deployment
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Iterator

_LATENCY = ("litellm.router_strategy.lowest_latency", "LowestLatencyLoggingHandler", "_get_available_deployments")
_COST = ("litellm.router_strategy.lowest_cost", "LowestCostLoggingHandler", "async_get_available_deployments")
_FEATURES = ("routing", "async_routing")
_GOALS = {2: 1.0, 2_000: 100.0}
_CALLS = {2: 1_000, 2_000: 1}


def rows() -> Iterator[Row]:
    """
    Yields:
        A choice between 2 deployments by latency and by cost.
    """
    yield from _choices(2)


def long_rows() -> Iterator[Row]:
    """
    Yields:
        A choice among 2,000, for which LiteLLM takes a third of a second.
    """
    yield from _choices(2_000)


def _choices(size: int) -> Iterator[Row]:
    import_litellm()
    with event_loop() as run, stages.installed({name: {"stage": "on"} for name in _FEATURES}):
        yield _row(f"choice of {size:,}, latency", size, _latency)
        yield _row(f"choice of {size:,}, cost", size, functools.partial(_cost, run))


def _row(name: str, size: int, maker: Callable[..., Callable[[], Any]]) -> Row:
    theirs, ours = maker(size, is_ours=False), maker(size, is_ours=True)
    return Row(
        name,
        theirs=Statement("call()", {"call": theirs}),
        ours=Statement("call()", {"call": ours}),
        goal=Goal(Measure.SPEEDUP, _GOALS[size]),
        difference=functools.partial(_difference, theirs, ours),
        most_calls=_CALLS[size],
    )


def _difference(theirs: Callable[[], Any], ours: Callable[[], Any]) -> str:
    before = _served_by_rust()
    if theirs() != ours():
        return "the choices differ"
    return "" if _served_by_rust() > before else "Python answered, so there is nothing to time"


def _served_by_rust() -> int:
    features = fast_litellm.status()["features"]
    return sum(features[name]["served"].get("rust", 0) for name in _FEATURES)


def _handler(place: tuple[str, str, str], *, is_ours: bool) -> tuple[Any, Callable[..., Any]]:
    module, owner, name = place
    kind = getattr(importlib.import_module(module), owner)
    cache = importlib.import_module("litellm.caching.caching").DualCache
    dispatcher = vars(kind)[name]
    return kind(router_cache=cache()), dispatcher if is_ours else dispatcher.__wrapped__


def _latency(size: int, *, is_ours: bool) -> Callable[[], Any]:
    """One deployment is quicker than the others, so that no draw matters."""
    handler, function = _handler(_LATENCY, is_ours=is_ours)
    deployments, random = _deployments(size), Random(1)  # noqa: S311 - both sides see the same latencies
    usage = {it["model_info"]["id"]: _used(random.uniform(1, 2)) for it in deployments}
    usage[deployments[-1]["model_info"]["id"]] = _used(0.125)
    return lambda: function(handler, GROUP, deployments, None, None, None, usage)["model_info"]["id"]


def _used(seconds: float) -> dict[str, Any]:
    return {"latency": [seconds] * 10, "latency_normalized": [seconds] * 10}


def _cost(run: Callable[..., Any], size: int, *, is_ours: bool) -> Callable[[], Any]:
    handler, function = _handler(_COST, is_ours=is_ours)
    deployments = _deployments(size)
    deployments[-1]["litellm_params"].update(input_cost_per_token=1e-9, output_cost_per_token=1e-9)
    return lambda: run(function(handler, GROUP, deployments))["model_info"]["id"]


def _deployments(size: int) -> list[Any]:
    found = [deployment(number) for number in range(size)]
    return [{**it, "model_info": {"id": f"{number:064x}"}} for number, it in enumerate(found)]
