"""
What the gate asks for, per feature.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Mapping, Optional, Tuple

from fast_litellm.shadow import engine

# Counts beyond it are not exact as floats, and nobody has counted so far.
_GREATEST_COUNT = 2**53
_DAY_SECONDS = 86_400.0


def _check_between(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{name} must be between 0 and 1, not {value}")


@dataclass(frozen=True)
class Bound:
    """
    A rate that must be excluded, and how surely.

    Args:
        rate: The rate, in (0, 1).
        alpha: How often a candidate at that rate or above may pass, in (0, 1), however often somebody looks.

    Raises:
        ValueError: One of them is out of range.
    """

    rate: float
    alpha: float

    def __post_init__(self) -> None:
        _check_between("rate", self.rate)
        _check_between("alpha", self.alpha)

    def further(self, bad: int, total: int) -> int:
        """
        Args:
            bad: How many were bad.
            total: Of how many.

        Returns:
            How many more, none of them bad, exclude the rate; 0 when it is excluded.
        """
        return engine.current().RateLimit(self.rate).further(self.alpha, _count(bad), _count(total))

    def is_exceeded(self, bad: int, total: int, tests: int = 1) -> bool:
        """
        Args:
            bad: How many were bad.
            total: Of how many.
            tests: How many such questions share `alpha`.

        Returns:
            Whether the rate is proven to lie above: false at the rate or below it, but for a share `alpha / tests`.
        """
        evidence = engine.current().RateLimit(self.rate).above(_count(bad), _count(total))
        return evidence >= math.log(tests / self.alpha)

    def upper(self, bad: int, total: int) -> float:
        """
        Returns:
            The rate that the counts do not exclude; 1 when they say nothing.
        """
        return engine.current().rate_upper_bound(self.alpha, _count(bad), _count(total))


@dataclass(frozen=True)
class Latency:
    """
    How fast the candidate must be, on pairs of runs with the same input.

    Args:
        median_ratio: What the median of candidate time over control time must not exceed, in (0, 1]. Above that the
            candidate is proven to be the faster one on most calls; below, its measured median decides as well.
        tail: The share of pairs in which it is much slower that must be excluded, in (0, 1).
        alpha: The level of both, in (0, 1).

    Raises:
        ValueError: One of them is out of range.
    """

    median_ratio: float = 1.0
    tail: float = 0.01
    alpha: float = 0.01

    def __post_init__(self) -> None:
        if not 0 < self.median_ratio <= 1:
            raise ValueError(f"median_ratio must be above 0 and at most 1, not {self.median_ratio}")
        _check_between("tail", self.tail)
        _check_between("alpha", self.alpha)

    @property
    def tail_bound(self) -> Bound:
        """The share of much slower pairs, as a bound."""
        return Bound(self.tail, self.alpha)

    def interval(self, faster: int, pairs: int) -> Tuple[float, float]:
        """
        Returns:
            The probability that the candidate is the faster one, whenever it is asked for.
        """
        pairs = _count(pairs)
        faster = min(_count(faster), pairs)
        return engine.current().sign_interval(self.alpha, faster, pairs - faster)


@dataclass(frozen=True)
class Policy:
    """
    What a promotion takes. The fields are the keys under `gate:` in a rule file, and so are their defaults.

    Args:
        divergence: Of the whole feature.
        cells: Of each value of a dimension.
        pairs: Of each pair of values.
        timeouts: Of calls that time out, that panic, and that crash, each.
        not_compared: The share of calls that may be lost, in [0, 1].
        latency: None when speed is not asked for.
        bake: Seconds that a step lasts at least.
        hosts: Hosts that must have compared.

    Raises:
        ValueError: A field is out of range.
    """

    divergence: Bound = Bound(1e-5, 0.01)
    cells: Bound = Bound(1e-3, 0.05)
    pairs: Bound = Bound(1e-2, 0.05)
    timeouts: Bound = Bound(1e-4, 0.05)
    not_compared: float = 0.01
    latency: Optional[Latency] = Latency()
    bake: float = _DAY_SECONDS
    hosts: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.not_compared <= 1:
            raise ValueError(f"not_compared must be between 0 and 1, not {self.not_compared}")
        if not 0 <= self.bake < math.inf:
            raise ValueError(f"bake must be seconds, not {self.bake}")
        if self.hosts < 1:
            raise ValueError(f"hosts must be at least 1, not {self.hosts}")

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> Policy:
        """
        Args:
            mapping: Some of the fields; rates and shares are fractions, `bake` is in seconds, each bound is a mapping
                of its own, and `latency` may be "none".

        Returns:
            The policy; what is left out has its default, inside a bound too.

        Raises:
            ValueError: A field is unknown or out of range.
        """
        _check_known("gate", mapping, cls)
        return cls(**{name: _field(name, value) for name, value in mapping.items()})


_PARTS = {"divergence": Policy.divergence, "cells": Policy.cells, "pairs": Policy.pairs, "timeouts": Policy.timeouts}


def _field(name: str, value: Any) -> Any:
    if name == "latency" and (value is None or value == "none"):
        return None
    default = Latency() if name == "latency" else _PARTS.get(name)
    if default is None:
        return value
    _check_known(name, value, type(default))
    return type(default)(**{**vars(default), **value})


def _check_known(name: str, mapping: Mapping[str, Any], kind: type) -> None:
    known = [field.name for field in fields(kind)]
    unknown = sorted(set(mapping) - set(known))
    if unknown:
        raise ValueError(f"{name} has {', '.join(known)}, not {', '.join(map(str, unknown))}")


def _count(number: int) -> int:
    return min(max(number, 0), _GREATEST_COUNT)
