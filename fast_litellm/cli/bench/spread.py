"""Median and spread of what the rounds of a row measured."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Spread:
    """
    A distribution in three numbers.

    Args:
        median: The middle value.
        p5: 5 percent of the values are below it.
        p95: 5 percent of the values are above it.
    """

    median: float
    p5: float
    p95: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """
        Args:
            values: At least one; percentiles between two of them are interpolated.

        Returns:
            Their median, 5th and 95th percentile.
        """
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        twentieths = statistics.quantiles(values, n=20, method="inclusive")
        return cls(statistics.median(values), twentieths[0], twentieths[-1])
