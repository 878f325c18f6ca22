"""Values that are equal once what means nothing is masked."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.shadow.comparators import Item, Key, canonical, times, unordered, uuids

ONE, OTHER = str(uuid.UUID(int=1)), str(uuid.UUID(int=2**128 - 1)).upper()


@given(st.uuids(), st.uuids())
def test_two_uuids_are_one(one, other):
    """Wherever in a text they stand, in either case."""
    assert canonical(uuids)({"id": f"call {one}!"}, {"id": f"call {str(other).upper()}!"}) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-01-31T23:59:59Z", "2027-02-01t00:00:00.123456+02:00"),
        ("at 2026-01-31 23:59", "at 2026-12-31 00:00:00,5"),
    ],
)
def test_two_times_are_one(one, other):
    """With or without seconds, fractions and offset."""
    assert canonical(times)([one], [other]) is None


@pytest.mark.parametrize("text", ["2026-01-31", "12:30", "1234", ONE[:-1], "x" + ONE])
def test_what_only_looks_alike_is_compared(text):
    """A date, a part of an identifier and other digits are content."""
    assert canonical(uuids, times)(text, "") is not None


def test_everything_else_is_still_compared():
    """What is around the masked words differs where it differs."""
    found = canonical(uuids)({"id": [ONE, "a"]}, {"id": [OTHER, "b"]})
    assert ("value", (Key("id"), Item(1))) == (found.kind, found.path)


def test_keys_that_become_one_hide_no_value():
    """Two identifiers as keys of one dict keep both their values."""
    masked = canonical(uuids)
    assert masked({ONE: 1, OTHER: 2}, {ONE: 1, OTHER: 2}) is None
    assert masked({ONE: 1, OTHER: 2}, {ONE: 3, OTHER: 2}) is not None


def test_masking_leaves_the_value_alone():
    """The difference of the two sides is found in copies."""
    value = {"id": [ONE]}
    canonical(uuids)(value, value)
    assert {"id": [ONE]} == value


def test_forms_compose():
    """Lists of masked items in any order."""
    assert unordered(canonical(uuids))([ONE, "a"], ["a", OTHER]) is None
    assert canonical(uuids, then=unordered())([ONE, "a"], ["a", OTHER]) is None


def test_a_form_may_be_any_function():
    """What it makes of both values is compared, and its code is part of the name."""
    lowered = canonical(str.lower)
    assert lowered("A", "a") is None
    assert "canonical(str.lower@native,then=exact/1)/1" == canonical(str.lower).name
    assert "canonical(uuids@1,times@1,then=exact/1)/1" == canonical(uuids, times).name


def test_without_a_form_it_is_refused():
    """It would be the comparator behind it under another name."""
    with pytest.raises(ValueError, match="at least one function"):
        canonical()
