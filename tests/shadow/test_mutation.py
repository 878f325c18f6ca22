"""What both sides leave of their arguments."""

from __future__ import annotations

import pytest

from fast_litellm.shadow.comparators import Item, Key, Step
from fast_litellm.shadow.mutation import Mutations


class Control:
    """A control that changes its argument when told to, and counts its runs."""

    def __init__(self, change=lambda items: None):
        self.change = change
        self.runs = 0

    def __call__(self, call):
        self.runs += 1
        self.change(*call[0], **call[1])


def add(items):
    """Adds an item."""
    items.append("added")


def nothing(items):
    """Leaves the argument as it is."""


def find(mutations, candidate):
    """Kind and path of the difference after a run of the candidate."""
    left = ["a"]
    candidate(left)
    found = mutations.difference(((["a"],), {}), ((left,), {}))
    return found and (found.kind, found.path)


LENGTH = ("mutation", (Step("arguments"), Item(0), Item(0)))


@pytest.mark.parametrize(
    ("control", "candidate", "expected"),
    [(nothing, nothing, None), (add, add, None), (nothing, add, LENGTH), (add, nothing, LENGTH)],
)
def test_both_sides_must_leave_the_same(control, candidate, expected):
    """It is a difference whichever of the two changes its arguments."""
    assert expected == find(Mutations(Control(control)), candidate)


def test_keyword_arguments_are_arguments():
    """A change inside a keyword's value is found at its place."""
    mutations = Mutations(Control())
    found = mutations.difference(((), {"items": [1]}), ((), {"items": [2]}))
    assert ("mutation", (Step("arguments"), Item(1), Key("items"), Item(0))) == (found.kind, found.path)


def test_a_control_that_changes_nothing_is_run_again_for_a_sample_only():
    """The first 32 calls, and from then on one in 32."""
    control = Control()
    mutations = Mutations(control)
    for _ in range(320):
        find(mutations, nothing)
    assert 32 + 9 == control.runs


def test_a_control_that_was_seen_to_change_its_arguments_is_always_run_again():
    """From then on every call is looked at."""
    control = Control(add)
    mutations = Mutations(control)
    assert {None} == {find(mutations, add) for _ in range(100)}
    assert {LENGTH} == {find(mutations, nothing) for _ in range(100)}


@pytest.mark.parametrize("value", ["text", 1, ("a", (1, None)), frozenset({1})])
def test_what_nobody_can_change_needs_no_second_look(value):
    """Arguments without a list, dict or set cannot be changed by either side."""
    control = Control()
    assert Mutations(control).difference(((value,), {"key": value}), ((value,), {"key": value})) is None
    assert 0 == control.runs
