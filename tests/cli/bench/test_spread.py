"""Median and percentiles."""

from __future__ import annotations

from fast_litellm.cli.bench.spread import Spread


def test_percentiles_are_interpolated_between_values() -> None:
    """Of 0..100 the median is 50, and 5 and 95 cut five percent off each end."""
    assert Spread(50, 5, 95) == Spread.of(list(range(101)))


def test_the_order_of_the_values_does_not_matter() -> None:
    """A spread is a property of the values, not of the order the rounds came in."""
    assert Spread.of([1.0, 2.0, 3.0, 4.0]) == Spread.of([3.0, 1.0, 4.0, 2.0])


def test_one_value_is_its_own_spread() -> None:
    """A single round has no spread."""
    assert Spread(7.0, 7.0, 7.0) == Spread.of([7.0])
