"""The native copy of arguments."""

from __future__ import annotations

import collections
import copy
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.accel.native import freeze, share_instances
from fast_litellm.errors import Unsnapshotable

scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary())
keys = st.one_of(scalars, st.tuples(scalars), st.frozensets(st.integers(), max_size=3))
plain = st.recursive(
    st.one_of(scalars, st.sets(scalars, max_size=3), st.binary().map(bytearray)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
    ),
    max_leaves=20,
)


class Point(NamedTuple):
    """A tuple of a kind of its own."""

    x: int


class Hostile:
    """A value whose every special method raises once it is armed; its hash is that of 1."""

    armed = False

    def _fail(self, *_):
        assert not Hostile.armed, "code of the value was run"
        return NotImplemented

    __eq__ = __iter__ = __len__ = __reduce_ex__ = __deepcopy__ = __copy__ = __repr__ = _fail

    def __hash__(self):
        return 1


def containers(value):
    """Every mutable container in a value."""
    if isinstance(value, (list, tuple, set, frozenset)):
        inner = list(value)
    else:
        inner = list(value.values()) if isinstance(value, dict) else []
    own = [value] if isinstance(value, (list, dict, set, bytearray)) else []
    return own + [found for item in inner for found in containers(item)]


@given(plain)
def test_a_copy_is_equal_and_shares_nothing_that_can_change(value):
    """The copy equals the value, with the same types, and has none of its mutable containers."""
    frozen, size = freeze(value)
    assert repr(value) == repr(frozen)
    assert set() == {id(it) for it in containers(value)} & {id(it) for it in containers(frozen)}
    assert size > 0


@given(plain)
def test_changing_the_value_does_not_change_the_copy(value):
    """Emptying every container of the original leaves the copy as it was."""
    expected = copy.deepcopy(value)
    frozen, _ = freeze(value)
    for container in containers(value):
        container.clear()
    assert expected == frozen


def test_immutable_values_are_shared():
    """Text, bytes and tuples of such are the same objects: a copy of them would prove nothing."""
    for value in ("text" * 100, b"bytes" * 100, ("a", (1, b"b")), frozenset({"a"}), 10**30, 1.5, None, True):
        assert value is freeze(value)[0]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (object(), "object"),
        (collections.OrderedDict(), "OrderedDict"),
        (Point(1), "Point"),
        (type("Text", (str,), {})("x"), "Text"),
        (1j, "complex"),
        ([{"a": ({"b": range(3)},)}], "range"),
    ],
)
def test_what_is_not_plain_is_refused_by_its_type(value, name):
    """Subclasses and other types are refused with their name alone."""
    with pytest.raises(Unsnapshotable) as refusal:
        freeze(value)
    assert (name,) == refusal.value.args
    assert name == refusal.value.type_name


@pytest.mark.parametrize(
    "hold",
    [
        lambda it: it,
        lambda it: [it],
        lambda it: (1, it),
        lambda it: {1, it},
        lambda it: {it: 1},
        lambda it: {1: [], it: 1},
        lambda it: {1: [1, {"a": it}]},
    ],
)
def test_no_code_of_the_value_is_run(monkeypatch, hold):
    """Wherever an object is met, none of its methods is called, not even to look up a key that hashes like it."""
    value = hold(Hostile())
    monkeypatch.setattr(Hostile, "armed", True)
    with pytest.raises(Unsnapshotable, match="Hostile"):
        freeze(value)


class Sentinel:
    """One object that stands for something, and that nobody changes."""


class Further(Sentinel):
    """A subclass, of which that was not said."""


def test_classes_and_sentinels_are_shared():
    """A call may name the type it expects, and leave parameters out by a sentinel; neither has anything to copy."""
    share_instances([Sentinel])
    share_instances([Sentinel])
    sentinel = Sentinel()
    frozen, _ = freeze([{"a": sentinel}, (dict, Point)])

    assert [{"a": sentinel}, (dict, Point)] == frozen
    assert sentinel is frozen[0]["a"]


@pytest.mark.parametrize(
    "hold", [lambda it: {it}, lambda it: {it: 1}, lambda it: {(1, it): 1}, lambda it: frozenset([it])]
)
@pytest.mark.parametrize("value", [Sentinel(), Point], ids=["sentinel", "class"])
def test_what_is_hashed_is_plain(hold, value):
    """A class's metaclass may compare in a way of its own, so neither is shared as a key or a member."""
    share_instances([Sentinel])
    with pytest.raises(Unsnapshotable):
        freeze(hold(value))


def test_the_instances_of_a_subclass_are_not_shared():
    """Only what was named."""
    share_instances([Sentinel])
    with pytest.raises(Unsnapshotable, match="Further"):
        freeze([Further()])


def test_depth_is_limited():
    """A value of 200 levels is copied, one of 201 is refused instead of overflowing the stack."""
    value = []
    for _ in range(199):
        value = [value]
    assert value == freeze(value)[0]
    with pytest.raises(Unsnapshotable, match="depth"):
        freeze([value])


def test_cycles_are_refused():
    """A value that contains itself has no copy."""
    value = {"inner": []}
    value["inner"].append(value)
    with pytest.raises(Unsnapshotable, match="depth"):
        freeze(value)


def test_size_is_limited_before_it_is_reached():
    """A value that doubles with every level is refused by its size long before it fills the memory."""
    value = ["x"]
    for _ in range(60):
        value = [value, value]
    with pytest.raises(Unsnapshotable, match="size"):
        freeze(value)
    with pytest.raises(Unsnapshotable, match="size"):
        freeze("x" * 1000, 1000)


def test_the_size_grows_with_the_text():
    """The estimate counts a byte a code point."""
    assert 1000 == freeze("x" * 1000)[1] - freeze("")[1]
