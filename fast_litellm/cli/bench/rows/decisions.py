"""What a decision costs, in empty Python calls: the floor below which no library for Python can go."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement
from fast_litellm.flags import FlagManager

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNIT = "user-1"
_ATTRIBUTES = {"plan": "pro", "country": "fi", "age": 41}
_UNITS = 20_000

# Beyond four standard deviations lies 1 of 16,000 honest measurements.
_STANDARD_DEVIATIONS = 4

_RULES: dict[str, Any] = {
    "version": 1,
    "flags": {
        "canary": {"otherwise": {"split": {"rust": 10, "python": 90}}},
        "killed": {"enabled": False, "otherwise": "rust"},
        "on": {"otherwise": "rust"},
        "needy": {"requires": ["on"], "otherwise": {"split": {"rust": 10, "python": 90}}},
        "target": {
            "rules": [
                {
                    "name": "grown-up-customers",
                    "when": {
                        "all": [
                            {"attr": "plan", "in": ["pro", "enterprise"]},
                            {"attr": "country", "equals": "fi"},
                            {"attr": "age", "gte": 18},
                        ]
                    },
                    "split": {"rust": 50, "python": 50},
                }
            ]
        },
    },
}


def _empty(_unit: object) -> None:
    """The floor: a Python function that does nothing."""


def rows() -> Iterator[Row]:
    """
    Yields:
        The decision by a bound handle, by name, by name with constraints, and with its reasons.
    """
    manager = FlagManager.from_dict(_RULES)
    canary, floor = manager.bind("canary"), Statement("empty(unit)", {"empty": _empty, "unit": _UNIT})
    names = {"unit": _UNIT, "attributes": _ATTRIBUTES, "serve": manager.serve, "decide": manager.decide}
    ways = (
        ("decision, bound, 10%", Statement("canary(unit)", {"canary": canary, "unit": _UNIT}), 1.5),
        ("decision by name, 10%", Statement("serve('canary', unit)", names), 3),
        ("decision, bound, killed", Statement("killed(unit)", {"killed": manager.bind("killed"), "unit": _UNIT}), 1.2),
        ("decision, bound, requirement", Statement("needy(unit)", {"needy": manager.bind("needy"), "unit": _UNIT}), 3),
        ("decision, 3 constraints, 50%", Statement("serve('target', unit, attributes)", names), 7),
        ("decision with full details", Statement("decide('canary', unit=unit)", names), 12),
    )
    for name, statement, goal in ways:
        yield Row(name, floor, statement, Goal(Measure.COST, goal), difference=lambda: _difference(manager))


def _difference(manager: FlagManager) -> str:
    """Every way must give the same answer, and both splits their share."""
    canary = manager.bind("canary")
    for flag, attributes, share in (("canary", {}, 0.1), ("target", _ATTRIBUTES, 0.5)):
        units = [f"user-{number}" for number in range(_UNITS)]
        decided = [manager.decide(flag, unit=unit, attributes=attributes).serve for unit in units]
        if decided != [manager.serve(flag, unit, attributes) for unit in units]:
            return f"{flag}: decide and serve disagree"
        if flag == "canary" and decided != [canary(unit) for unit in units]:
            return "canary: decide and the bound handle disagree"
        measured = decided.count("rust") / _UNITS
        if abs(measured - share) > _STANDARD_DEVIATIONS * math.sqrt(share * (1 - share) / _UNITS):
            return f"{flag}: {measured:.2%} of the units on rust, the rules say {share:.0%}"
    return ""
