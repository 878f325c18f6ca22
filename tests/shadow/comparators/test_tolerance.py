"""Numbers that may differ a little."""

from __future__ import annotations

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.shadow.comparators import Item, tolerance
from fast_litellm.shadow.comparators.tolerance import ulps

LARGEST = sys.float_info.max
finite = st.floats(-1e300, 1e300)


def kind(comparator, control, candidate):
    """How the two differ."""
    difference = comparator(control, candidate)
    return difference and difference.kind


@pytest.mark.parametrize(
    ("limits", "control", "candidate", "expected"),
    [
        ({"absolute": 1}, 1, 2, None),
        ({"absolute": 1}, 1, 3, "tolerance"),
        ({"absolute": 1}, 10**400, 10**400 + 1, None),
        ({"absolute": 1}, 10**400, 10**400 + 2, "tolerance"),
        ({"relative": 1e-3}, 10**400, 10**400 + 10**396, None),
        ({"relative": 1e-3}, 1000.0, 1001.0, None),
        ({"relative": 1e-3}, 1000.0, 1002.0, "tolerance"),
        ({"relative": 1e-9}, 0.0, 5e-324, "tolerance"),
        ({"ulp": 1}, 1.0, math.nextafter(1.0, 2), None),
        ({"ulp": 1}, 1.0, 1.0000000000000004, "tolerance"),
        ({"ulp": 1}, 5e-324, -0.0, None),
        ({"ulp": 1}, 5e-324, -5e-324, "tolerance"),
        ({"ulp": 1}, LARGEST, math.inf, "tolerance"),
        ({"ulp": 5}, 1, 2, "tolerance"),
        ({"absolute": 1}, LARGEST, -LARGEST, "tolerance"),
        ({"relative": 3}, LARGEST, -LARGEST, None),
        ({"relative": 1}, math.inf, LARGEST, "tolerance"),
        ({"relative": 1}, math.inf, math.inf, None),
        ({"relative": 1}, math.inf, -math.inf, "tolerance"),
        ({"absolute": 1}, math.nan, math.nan, None),
        ({"absolute": 1}, math.nan, 0.0, "tolerance"),
        ({}, 0.0, -0.0, None),
        ({"absolute": 1}, 1, 1.0, "type"),
        ({"absolute": 1}, True, 1, "type"),
        ({"absolute": 1}, True, False, "value"),
        ({"absolute": 1}, "1", "2", "value"),
    ],
)
def test_one_limit_that_holds_suffices(limits, control, candidate, expected):
    """Types stay strict, bools are no numbers, infinity is near to itself only, and no size overflows."""
    assert (expected, expected) == (
        kind(tolerance(**limits), control, candidate),
        kind(tolerance(**limits), candidate, control),
    )


@given(finite, st.integers(0, 50))
def test_ulps_count_the_floats_between(number, steps):
    """So many steps to the next float are so many ulps."""
    other = number
    for _ in range(steps):
        other = math.nextafter(other, -math.inf)
    assert steps == ulps(number, other)


@pytest.mark.parametrize("limit", [-1, math.inf, math.nan])
def test_a_limit_that_bounds_nothing_is_refused(limit):
    """An infinite or missing number would find everything equal, or nothing."""
    with pytest.raises(ValueError, match="absolute must be finite"):
        tolerance(absolute=limit)


def test_the_name_holds_the_limits():
    """Another limit is another body of evidence."""
    assert ("tolerance(relative=1e-09)/1", "tolerance(absolute=1,ulp=4)/1") == (
        tolerance(relative=1e-9).name,
        tolerance(absolute=1, ulp=4).name,
    )


def test_another_order_is_told_from_numbers_too_far_apart():
    """Items that find partners within the tolerance, in another order, are in another order."""
    near = tolerance(absolute=0.1)
    assert ("order", ()) == ((found := near([1.0, 2.0], [2.05, 1.05])).kind, found.path)
    assert ("tolerance", (Item(0),)) == ((found := near([1.0, 2.0], [2.05, 1.5])).kind, found.path)


def test_nearness_is_not_passed_on():
    """Each item needs a partner of its own, even if the first that is near is taken already."""
    near = tolerance(absolute=0.1)
    assert "order" == kind(near, [1.0, 1.1, 1.2], [1.25, 1.05, 1.1])
    assert near({1.0, 1.1}, {1.05, 1.15}) is None
    assert "value" == kind(near, {1.0, 1.1}, {1.2, 1.3})
