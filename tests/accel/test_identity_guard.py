"""Noticing that somebody has replaced what a candidate relies on."""

from __future__ import annotations

import itertools
import types
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.accel.native import IdentityGuard
from fast_litellm.errors import Declined


class Owner:
    """A class with a method."""

    def method(self):
        """Does nothing."""

    @classmethod
    def of_the_class(cls):
        """Does nothing either."""

    @staticmethod
    def of_neither():
        """Nor does this."""


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


@pytest.mark.parametrize("name", ["method", "of_the_class", "of_neither"])
@pytest.mark.parametrize("other", [lambda *_: None, classmethod(lambda _cls: None), staticmethod(lambda: None)])
def test_a_method_that_is_replaced_is_noticed(monkeypatch, name, other):
    """Whatever kind it is and becomes; and when it is put back the guard holds again."""
    guard = IdentityGuard([(Owner, name)])
    before = guard.holds()
    monkeypatch.setattr(Owner, name, other)
    during = guard.holds()
    monkeypatch.undo()

    assert (True, False, True) == (before, during, guard.holds())


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


class Base:
    """A class whose method others inherit."""

    def inherited(self):
        """Does nothing."""


class Heir(Base):
    """Has nothing of its own."""


@pytest.mark.parametrize("owner", [Base, Heir])
def test_a_base_that_changes_is_noticed_as_often_as_it_does(monkeypatch, owner):
    """Whether a class was asked before, and however often it was changed and put back."""
    guard, original = IdentityGuard([(Heir, "inherited")]), Base.inherited
    answers = []
    for _ in range(3):
        answers += [guard.holds(), guard.holds()]
        monkeypatch.setattr(owner, "inherited", lambda _self: None, raising=False)
        answers.append(guard.holds())
        monkeypatch.undo()

    assert [True, True, False] * 3 == answers
    assert Base.inherited is original


def test_a_module_that_is_written_to_in_every_way_is_noticed():
    """By its own functions, from outside, by name, for a while, and also when it has been read in between."""
    module = types.ModuleType("module")
    namespace = vars(module)
    exec("value = 0\ndef put(new):\n    global value\n    value = new", namespace)
    original = module.value
    guard = IdentityGuard([(namespace, "value")])

    def noticed(change):
        """Many times over, because CPython makes a way that is often gone shorter."""
        found = []
        for _ in range(100):
            with change():
                found.append(guard.holds())
            module.put(original)
            found.append(not guard.holds())
        return not any(found)

    def by(put):
        return lambda: mock.MagicMock(__enter__=lambda _self: put(object()))

    ways = {
        "its own function": by(module.put),
        "an attribute": by(lambda new: setattr(module, "value", new)),
        "an item": by(lambda new: namespace.__setitem__("value", new)),
        "an update": by(lambda new: namespace.update(value=new)),
        "a patch": lambda: mock.patch.object(module, "value", object()),
        "a removal": by(lambda _new: namespace.pop("value")),
    }

    assert dict.fromkeys(ways, True) == {name: noticed(way) for name, way in ways.items()}


NAMES, VALUES = ("first", "second", "third"), ("one", "two")


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from((None, *VALUES)), st.booleans()), max_size=20))
def test_whatever_happens_to_a_namespace_the_guard_knows_it(changes):
    """It says what a look at every name says, after any changes, asked in between or not."""
    first = dict(zip(NAMES, VALUES))
    namespace = dict(first)
    guard = IdentityGuard([(namespace, name) for name in first], [namespace])
    for name, value, is_asked in itertools.chain(changes, [("third", None, True)]):
        namespace.pop(name, None) if value is None else namespace.__setitem__(name, value)
        if is_asked:
            assert (list(first.items()) == list(namespace.items())) is guard.holds()


def test_a_replacement_that_was_put_back_leaves_another_state():
    """Whoever compares two states learns of it, though the guard holds before and after."""
    namespace, table = {"name": [1]}, {1: 2}
    guard = IdentityGuard([(namespace, "name"), (Owner, "method")], [table])
    states = [guard.state(), guard.state()]
    with mock.patch.dict(namespace, {"name": [2]}), pytest.raises(Declined, match="reference_patched"):
        guard.state()
    states.append(guard.state())
    with mock.patch.object(Owner, "method"):
        pass
    states.append(guard.state())
    with mock.patch.dict(table, {1: 3}):
        pass
    states.append(guard.state())

    assert [0, 1, 1, 1] == [int(before != after) for before, after in zip(states, states[1:])]


@pytest.mark.parametrize("owner", ["heir", "base"])
def test_a_name_that_a_class_lacked_is_noticed(owner):
    """Wherever its instances would find it; what the class's own class has is not theirs."""
    meta = type("Meta", (type,), {"name": 1})
    base = meta("Base", (), {})
    heir = meta("Heir", (base,), {"other": 1})
    guard = IdentityGuard([], lacking=[(heir, "name")])
    answers = [guard.holds()]
    locals()[owner].name = None
    answers.append(guard.holds())
    delattr(locals()[owner], "name")

    assert [True, False, True] == [*answers, guard.holds()]
