"""What a rule does, in a few words: `rust`, `rust 10%, python 90%`, or the steps of a ramp."""

from __future__ import annotations

from typing import Any

_BUCKETS = 1_000_000


def shown(action: dict[str, Any]) -> str:
    """
    Args:
        action: As `FlagManager.describe` and `explain` return it, among other keys.

    Returns:
        The words; the step of a ramp that is in force stands in brackets.
    """
    if "serve" in action:
        return str(action["serve"])
    return _ramp(action["ramp"]) if "ramp" in action else _split(action["thresholds"])


def _split(thresholds: list[tuple[str, int]]) -> str:
    ends = [0, *(end for _, end in thresholds)]
    shares = [(name, end - start) for (name, end), start in zip(thresholds, ends)]
    if ends[-1] < _BUCKETS:
        shares.append(("python", _BUCKETS - ends[-1]))
    return ", ".join(f"{name} {_percent(share)}" for name, share in shares)


def _ramp(ramp: dict[str, Any]) -> str:
    steps = [f"{_percent(share)} from {at}" for at, share in ramp["steps"]]
    if ramp.get("current") is not None:
        steps[ramp["current"]] = f"[{steps[ramp['current']]}]"
    return f"{ramp['serve']} " + ", ".join(steps)


def _percent(share: int) -> str:
    return f"{share * 100 / _BUCKETS:g}%"
