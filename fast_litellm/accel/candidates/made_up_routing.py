"""
Selections of a deployment that are made up: each part of the call is a deployment with its limits, its price, its
weight and its usage so far.
"""

from __future__ import annotations

import importlib
from datetime import datetime
from random import Random
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from fast_litellm.accel.candidates import made_up
from fast_litellm.shadow.candidate import Call

_GROUP = "group"
_MESSAGES = [{"role": "user", "content": "word " * 8}]
_STRATEGIES = "litellm.router_strategy"
_MODELS = ("gpt-4o", "openai/gpt-4o-mini", "claude-sonnet-4-5", "no/such-model")
_NUMBERS = (0, 1, 2, 5, 40, 1_000, 2.5)
_PRICES = (0.0, 1e-6, 2e-6)
_PARAMETERS: Dict[str, Tuple[Any, ...]] = {
    **dict.fromkeys(("tpm", "rpm", "weight"), _NUMBERS),
    **dict.fromkeys(("input_cost_per_token", "output_cost_per_token"), _PRICES),
}
_SHARE = 1 / 4
_SECONDS = (0.0, 0.1, 0.25, 0.5, 1.0, 30.0)
_SAMPLES = 4


class _State(NamedTuple):
    """
    A deployment and what is remembered of it.

    Args:
        deployment: As the router lists it.
        number: Requests that it is busy with, or tokens that it has used.
        usage: What strategies keep of it; None when it has not been asked yet.
    """

    deployment: Dict[str, Any]
    number: Any
    usage: Optional[Dict[str, Any]]

    @property
    def id(self) -> str:
        return str(self.deployment["model_info"]["id"])


def shuffled(call: Call) -> Call:
    """Returns the call of simple-shuffle that a made-up call stands for."""
    return (str, [it.deployment for it in _states(call)], _GROUP, None), {}


def keys(call: Call) -> Call:
    """Returns the call that names least-busy's keys."""
    return (_GROUP, [it.deployment for it in _states(call)]), {}


def least_busy(call: Call) -> Call:
    """Returns the call of least-busy."""
    states = _states(call)
    return ([it.deployment for it in states], tuple(int(it.number) for it in states)), {}


def lowest_latency(call: Call) -> Call:
    """Returns the call of the selection by latency."""
    states = _states(call)
    handler = _handler("lowest_latency", "LowestLatencyLoggingHandler")
    healthy = [it.deployment for it in states]
    return (handler, _GROUP, healthy, _MESSAGES, None, {"stream": len(states) % 2 == 0}, _usage(states)), {}


def lowest_usage(call: Call) -> Call:
    """Returns the call of the selection by usage."""
    states = _states(call)
    kind = importlib.import_module(f"{_STRATEGIES}.lowest_tpm_rpm_v2").LowestTPMLoggingHandler_v2
    handler = kind.__new__(kind)  # its constructor starts a task
    counts = []
    for name in ("tpm", "rpm"):
        counts += [[f"{it.id}:model:{name}:00-00" for it in states], [it.number for it in states]]
    return (handler, _GROUP, [it.deployment for it in states], *counts, _MESSAGES, None), {}


def lowest_cost(call: Call) -> Call:
    """Returns the call of the selection by cost."""
    states = _states(call)
    handler = _handler("lowest_cost", "LowestCostLoggingHandler")
    handler.router_cache.set_cache(f"cost_map:{_GROUP}", _usage(states))
    return (handler, _GROUP, [it.deployment for it in states], _MESSAGES, None, None), {}


def _handler(module: str, name: str) -> Any:
    cache = importlib.import_module("litellm.caching.caching").DualCache
    return getattr(importlib.import_module(f"{_STRATEGIES}.{module}"), name)(cache())


def _usage(states: List[_State]) -> Dict[str, Any]:
    return {it.id: it.usage for it in states if it.usage is not None}


def _states(call: Call) -> List[_State]:
    return [_state(index, dice) for index, dice in enumerate(made_up.dice(call))]


def _state(index: int, dice: Random) -> _State:
    parameters = {name: dice.choice(choices) for name, choices in _PARAMETERS.items() if dice.random() < _SHARE}
    deployment = {
        "model_name": _GROUP,
        "litellm_params": {"model": dice.choice(_MODELS), **parameters},
        "model_info": {"id": f"d{index}"},
    }
    return _State(deployment, dice.choice(_NUMBERS), None if dice.random() < _SHARE else _used(dice))


def _used(dice: Random) -> Dict[str, Any]:
    def samples() -> List[float]:
        return [dice.choice(_SECONDS) for _ in range(dice.randrange(_SAMPLES))]

    now = {"tpm": dice.choice((0, 1, 50)), "rpm": dice.choice((0, 1, 2))}
    names = ("latency", "latency_normalized", "time_to_first_token_seconds")
    return {**{name: samples() for name in names}, _minute(): now}


def _minute() -> str:
    return datetime.now().strftime("%Y-%m-%d-%H-%M")  # noqa: DTZ005 - as the strategies keep it
