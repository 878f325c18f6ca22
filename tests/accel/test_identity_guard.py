"""Noticing that somebody has replaced what a candidate relies on."""

from __future__ import annotations

import pytest

from fast_litellm.accel.native import IdentityGuard
from fast_litellm.errors import Declined


class Owner:
    """A class with a method."""

    def method(self):
        """Does nothing."""


def test_a_name_that_stands_for_another_object_is_noticed():
    """An equal object is another one, and a name that is gone is noticed too."""
    namespace = {"kept": [1], "name": [1]}
    guard = IdentityGuard([(namespace, "name")])
    answers = [guard.holds()]
    namespace["kept"] = None
    answers.append(guard.holds())
    namespace["name"] = [1]
    answers.append(guard.holds())
    del namespace["name"]

    assert [True, True, False, False] == [*answers, guard.holds()]


def test_a_call_is_declined_once_something_is_replaced():
    """With the word under which it is counted."""
    namespace = {"name": [1]}
    guard = IdentityGuard([(namespace, "name")])
    guard.check()
    namespace["name"] = [1]
    with pytest.raises(Declined, match="reference_patched"):
        guard.check()


def test_a_method_that_is_replaced_is_noticed(monkeypatch):
    """And when it is put back the guard holds again."""
    guard = IdentityGuard([(Owner, "method")])
    monkeypatch.setattr(Owner, "method", lambda _self: None)
    during = guard.holds()
    monkeypatch.undo()

    assert (False, True) == (during, guard.holds())


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.update(a="other"),
        lambda table: table.update(c="3"),
        lambda table: table.pop("b"),
        lambda table: table.update(b=table.pop("b"), a=table.pop("a")),
        lambda table: table.clear(),
    ],
)
def test_a_table_that_changes_in_place_is_noticed(change):
    """In a value, in its length, or in its order."""
    table = {"a": "1", "b": "2"}
    guard = IdentityGuard([], [table])
    before = guard.holds()
    change(table)

    assert (True, False) == (before, guard.holds())


@pytest.mark.parametrize(
    ("place", "error"),
    [(({}, "missing"), KeyError), ((Owner, "missing"), AttributeError), (("text", "name"), TypeError)],
)
def test_a_place_that_does_not_exist_is_an_error(place, error):
    """A guard that watches nothing would be a false comfort."""
    with pytest.raises(error):
        IdentityGuard([place])
