"""
Arithmetic on tally readings. Flat, `{"offered": 2, "shed.budget": 1}`, they are added and subtracted key by key.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

SCALARS = ("offered", "sampled_out", "compared", "matched", "waived", "diverged", "in_flight")
MAPS = ("served", "declined", "failed", "shed")

Counts = Dict[str, int]


def flatten(reading: Mapping[str, Any]) -> Counts:
    """
    Args:
        reading: What `Tally.reading()` returns, or one of a shape, which does not say who has answered.

    Returns:
        The same counts under flat keys.
    """
    flat = {name: int(reading[name]) for name in SCALARS}
    for name in MAPS:
        flat.update({f"{name}.{word}": int(count) for word, count in reading.get(name, {}).items()})
    return flat


def unflatten(counts: Mapping[str, int]) -> Dict[str, Any]:
    """
    Returns:
        A reading with every part that a tally's has.
    """
    reading: Dict[str, Any] = {"served": {"python": 0, "rust": 0}, "declined": {}, "failed": {}, "shed": {}}
    reading.update(dict.fromkeys(SCALARS, 0))
    for key, count in counts.items():
        name, dot, word = key.partition(".")
        if dot:
            reading[name][word] = count
        else:
            reading[name] = count
    return reading


def add(one: Mapping[str, int], other: Mapping[str, int], factor: int = 1) -> Counts:
    """
    Returns:
        The sum of one and `factor` times the other, without the words nobody counted.
    """
    keys = [*one, *(key for key in other if key not in one)]
    total = {key: one.get(key, 0) + factor * other.get(key, 0) for key in keys}
    return {key: count for key, count in total.items() if count or "." not in key}
