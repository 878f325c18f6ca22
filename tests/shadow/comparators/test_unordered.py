"""Lists whose order does not matter."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.shadow.comparators import Step, custom, exact, ignoring, tolerance, unordered
from fast_litellm.shadow.comparators.matching import MAX_WITHOUT_KEY, HasNoKey
from fast_litellm.shadow.comparators.structure import Structure

near = unordered(tolerance(absolute=0.1))


def outcome(comparator, control, candidate):
    """Kind and path of the difference."""
    difference = comparator(control, candidate)
    return difference and (difference.kind, difference.path)


@given(st.lists(st.sampled_from([0, 0.0, -0.0, False, math.nan, "a", (1,)])), st.randoms(use_true_random=False))
def test_any_order_is_equal_and_any_other_item_is_not(items, draw):
    """A shuffled list matches; with one item more, or another one, it does not."""
    shuffled = draw.sample(items, len(items))
    assert unordered()(items, shuffled) is None
    assert ("length", (Step("members"),)) == outcome(unordered(), items, [*shuffled, "more"])
    assert ("value", (Step("members"),)) == outcome(unordered(), ["other", *items], [*shuffled, "more"])


@pytest.mark.parametrize(
    ("control", "candidate", "expected"),
    [
        ([1.0, 1.1], [1.2, 1.05], None),
        ([1.0, 1.1], [1.2, 1.25], ("value", (Step("members"),))),
        ((1.0,), [1.0], ("type", ())),
        (1.0, 1.05, None),
        (None, None, None),
    ],
)
def test_items_are_paired_by_their_own_comparator(control, candidate, expected):
    """Each needs a partner that is equal to it; what is no list is compared as an item."""
    assert expected == outcome(near, control, candidate)


def test_only_the_outermost_order_is_left_out():
    """Lists inside are in order, unless their own comparator says otherwise."""
    assert ("value", (Step("members"),)) == outcome(unordered(), [[1, 2]], [[2, 1]])
    assert unordered(unordered())([[1, 2], [3]], [[3], [2, 1]]) is None
    assert unordered(ignoring(["$.id"]))([{"id": 1, "n": 2}, {"n": 3}], [{"n": 3}, {"id": 7, "n": 2}]) is None


def test_too_many_items_without_a_key_are_not_compared():
    """Pairing takes quadratic time, so it is bounded; items with a key are not."""
    many = [float(number) for number in range(MAX_WITHOUT_KEY + 1)]
    assert unordered()(many, many[::-1]) is None
    with pytest.raises(ValueError, match="200 items"):
        near(many, many)


def test_a_custom_function_pairs_items():
    """A function without keys is asked about pairs."""

    def same_parity(one, other):
        return one % 2 == other % 2

    assert unordered(custom(same_parity))([1, 2, 3], [4, 5, 7]) is None


def test_the_name_holds_the_items_comparator():
    """Another comparator of the items is another body of evidence."""
    assert ("unordered(exact/1)/1", "unordered(tolerance(absolute=0.1)/1)/1") == (unordered().name, near.name)
    assert exact.safe_types == unordered().safe_types


class Opaque:
    """What a frozen copy shares without looking into it: it has no stand-in, and equals itself alone."""


class ByIdentity(Structure):
    """Takes opaque objects for equal when they are the same."""

    def scalars(self, control, candidate):
        return None if control is candidate or control == candidate else "value"


def test_items_without_a_stand_in_are_paired():
    """An opaque object in a list does not end the comparison of what may be in any order."""
    one, other = Opaque(), Opaque()
    comparator = unordered(ByIdentity())
    answers = [comparator([one, 1, other], [other, one, 1]), outcome(comparator, [one, 1], [other, 1])]

    assert [None, ("value", (Step("members"),))] == answers


@pytest.mark.parametrize("value", [Opaque(), [Opaque()], {"a": (1, Opaque())}])
def test_a_value_with_something_opaque_inside_has_no_stand_in(value):
    """However deep it is."""
    with pytest.raises(HasNoKey):
        ByIdentity().key(value)
