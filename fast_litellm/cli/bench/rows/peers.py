"""
The same decision by other engines: 1,000 flags loaded, one of them on for 10 % of the units, asked by its name.

Each engine is raced against ours, and first has to show that it serves about a tenth. Those that are not installed
(extra `[bench]`) have no row, and standard error says so.
"""

from __future__ import annotations

import functools
import importlib
import json
import math
from typing import TYPE_CHECKING, Any, Callable

from fast_litellm.cli import console
from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement
from fast_litellm.flags import FlagManager

if TYPE_CHECKING:
    from collections.abc import Iterator

_FLAGS = 1_000
_UNITS = 20_000
_UNIT = "user-1"
_STANDARD_DEVIATIONS = 4
_SHARE = 0.1

Peer = Callable[[], "tuple[Statement, Callable[[str], bool]]"]


def rows() -> Iterator[Row]:
    """
    Yields:
        One row for each engine that is installed.
    """
    split = {"split": {"rust": 10, "python": 90}}
    manager = FlagManager.from_dict(
        {"version": 1, "flags": {f"flag_{number}": {"otherwise": split} for number in range(_FLAGS)}}
    )
    ours = Statement("serve('flag_1', unit)", {"serve": manager.serve, "unit": _UNIT})
    peers: tuple[tuple[str, str, Peer], ...] = (
        ("Eppo", "eppo_client", _eppo),
        ("GrowthBook", "growthbook", _growthbook),
        ("yggdrasil", "yggdrasil_engine.engine", _yggdrasil),
        ("OpenFeature (ours)", "openfeature.api", lambda: _openfeature(manager)),
    )
    for name, module, peer in peers:
        try:
            importlib.import_module(module)
        except ImportError:
            console.say(f"{name} is not installed: pip install 'fast-litellm[bench]' has it raced, too")
            continue
        theirs, serves = peer()
        goal = Goal(Measure.SPEEDUP, 1)
        yield Row(f"10% by {name}", theirs, ours, goal, difference=functools.partial(_difference, serves))


def _difference(serves: Callable[[str], bool]) -> str:
    """Another hash chooses other units; how many they are must agree."""
    share = sum(serves(f"user-{number}") for number in range(_UNITS)) / _UNITS
    if abs(share - _SHARE) > _STANDARD_DEVIATIONS * math.sqrt(_SHARE * (1 - _SHARE) / _UNITS):
        return f"{share:.2%} of the units are on, 10% were asked for"
    return ""


def _eppo() -> tuple[Statement, Callable[[str], bool]]:
    import eppo_client

    class Silent(eppo_client.AssignmentLogger):  # type: ignore[misc]
        def log_assignment(self, event: object) -> None:
            """Nobody is told."""

    flags = {f"flag_{number}": _eppo_flag(f"flag_{number}") for number in range(_FLAGS)}
    universal = {
        "createdAt": "2026-01-01T00:00:00Z",
        "format": "SERVER",
        "environment": {"name": "bench"},
        "flags": flags,
    }
    configuration = eppo_client.Configuration(flags_configuration=json.dumps(universal).encode())
    client = eppo_client.init(
        eppo_client.ClientConfig(
            api_key="bench",
            assignment_logger=Silent(),
            initial_configuration=configuration,
            poll_interval_seconds=None,
        )
    )
    call = Statement("get('flag_1', unit, {}, False)", {"get": client.get_boolean_assignment, "unit": _UNIT})
    return call, lambda unit: client.get_boolean_assignment("flag_1", unit, {}, default=False)


def _eppo_flag(key: str) -> dict[str, Any]:
    shards = [{"salt": key, "ranges": [{"start": 0, "end": 1_000}]}]
    allocation = {"key": "canary", "rules": [], "splits": [{"variationKey": "on", "shards": shards}], "doLog": False}
    return {
        "key": key,
        "enabled": True,
        "variationType": "BOOLEAN",
        "variations": {"on": {"key": "on", "value": True}},
        "totalShards": 10_000,
        "allocations": [allocation],
    }


def _growthbook() -> tuple[Statement, Callable[[str], bool]]:
    import growthbook

    rule = {"force": True, "coverage": _SHARE, "hashAttribute": "id", "hashVersion": 2}
    features = {f"flag_{number}": {"defaultValue": False, "rules": [rule]} for number in range(_FLAGS)}
    engine = growthbook.GrowthBook(features=features, attributes={"id": _UNIT})

    def serves(unit: str) -> bool:
        engine.set_attributes({"id": unit})
        return bool(engine.is_on("flag_1"))

    return Statement("is_on('flag_1')", {"is_on": engine.is_on}), serves


def _yggdrasil() -> tuple[Statement, Callable[[str], bool]]:
    from yggdrasil_engine.engine import UnleashEngine

    def toggle(name: str) -> dict[str, Any]:
        parameters = {"rollout": "10", "stickiness": "userId", "groupId": name}
        strategy = {"name": "flexibleRollout", "parameters": parameters, "constraints": []}
        return {"name": name, "type": "release", "enabled": True, "strategies": [strategy]}

    engine = UnleashEngine()
    engine.take_state(json.dumps({"version": 1, "features": [toggle(f"flag_{number}") for number in range(_FLAGS)]}))
    call = Statement("is_enabled('flag_1', context)", {"is_enabled": engine.is_enabled, "context": {"userId": _UNIT}})
    return call, lambda unit: bool(engine.is_enabled("flag_1", {"userId": unit}).is_enabled)


def _openfeature(manager: FlagManager) -> tuple[Statement, Callable[[str], bool]]:
    from openfeature import api
    from openfeature.evaluation_context import EvaluationContext

    from fast_litellm.flags.openfeature import FastLitellmProvider

    api.set_provider_and_wait(FastLitellmProvider(manager), "bench")
    client = api.get_client("bench")
    names = {"get": client.get_boolean_value, "context": EvaluationContext(_UNIT)}
    return Statement("get('flag_1', False, context)", names), lambda unit: client.get_boolean_value(
        "flag_1",
        False,
        EvaluationContext(unit),
    )
