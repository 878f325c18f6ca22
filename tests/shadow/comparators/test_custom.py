"""A program's own function as a comparator."""

from __future__ import annotations

import re

import pytest

from fast_litellm.shadow.comparators import Difference, Item, by_field, compare, custom
from fast_litellm.shadow.observation import Observation


def same_length(control, candidate):
    """Texts of one length are equal."""
    return len(control) == len(candidate)


def test_a_function_says_whether_two_values_are_equal():
    """True is equal, False is a difference of the whole values."""
    assert custom(same_length)("ab", "cd") is None
    assert ("value", ()) == ((found := custom(same_length)("ab", "c")).kind, found.path)


def test_a_function_may_say_where_the_difference_is():
    """Its path is seen from the place the comparator stands at."""
    found = by_field({"$[*]": custom(lambda one, other: Difference("order", (Item(5),), one, other))})([1], [2])
    assert ("order", (Item(0), Item(5))) == (found.kind, found.path)


@pytest.mark.parametrize("answer", [None, 1, "no", Difference("unheard of")])
def test_any_other_answer_is_a_comparator_error(answer):
    """A function that forgets to return anything finds nothing equal."""
    found = compare(custom(lambda one, other: answer), Observation(1), Observation(1))
    assert ("comparator_error", TypeError) == (found.kind, found.candidate.error_type)


@pytest.mark.parametrize("error", [KeyError("secret"), SystemExit(), RecursionError()])
def test_what_a_function_raises_is_contained(error):
    """Its class is kept, and nothing it says."""

    def broken(control, candidate):
        raise error

    found = compare(custom(broken), Observation(1), Observation(1))
    assert ("comparator_error", type(error), "") == (
        found.kind,
        found.candidate.error_type,
        found.candidate.error_text,
    )


def test_the_name_changes_with_the_code():
    """Evidence that was gathered by another function does not count."""

    def make(limit):
        return eval(f"lambda one, other: one - other < {limit}")

    names = {custom(make(1)).name, custom(make(1)).name, custom(make(2)).name, custom(make(1), version="2").name}
    assert 3 == len(names)
    assert re.fullmatch(r"custom\(same_length@[0-9a-f]{8}\)/1", custom(same_length).name)
