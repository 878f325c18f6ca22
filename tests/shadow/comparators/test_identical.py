"""What is told natively, so that nothing walks through values that do not differ."""

from __future__ import annotations

import copy
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.errors import Unsnapshotable
from fast_litellm.shadow import engine
from fast_litellm.shadow.comparators import Exact, Ordered
from fast_litellm.shadow.comparators.structure import Structure

SMALL = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 1),
    st.sampled_from([0.0, -0.0, 1.0, "", "a", "\ud800", b"a", bytearray(b"a")]),
)
OF_JSON = st.recursive(
    SMALL,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
        st.sets(st.sampled_from(["a", "b"])),
    ),
    max_leaves=8,
)
OTHERS = st.recursive(
    st.one_of(SMALL, st.just(math.nan), st.builds(lambda: float("nan"))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from([0, False, 0.0, "a", (1,), (True,)]), inner, max_size=2),
        st.frozensets(st.sampled_from([0, 1, True, "a", (1,)]), max_size=2),
    ),
    max_leaves=6,
)


class WalkedExact(Exact):
    """Asks nobody."""

    __call__ = Structure.__call__


class WalkedOrdered(Ordered):
    """Asks nobody."""

    __call__ = Structure.__call__


def identical(control, candidate):
    return engine.current().identical(control, candidate)


@given(control=OF_JSON, candidate=OF_JSON)
def test_of_values_as_in_json_it_says_what_the_walk_finds(control, candidate):
    """Keys are strings there, and their order counts."""
    assert (WalkedOrdered()(control, candidate) is None) == identical(control, candidate)


@given(value=OF_JSON)
def test_a_copy_is_identical(value):
    """Nothing is walked through then."""
    assert identical(value, copy.deepcopy(value))


@given(control=OTHERS, candidate=OTHERS)
def test_whatever_it_says_is_the_same_is_the_same_to_the_walk(control, candidate):
    """It may leave more to the walk, never less."""
    pairs = [(control, candidate), (control, copy.deepcopy(control))]
    found = [walk(*pair) for pair in pairs if identical(*pair) for walk in (WalkedExact(), WalkedOrdered())]
    assert [None] * len(found) == found


class Sly(str):
    """Equal to all, if asked."""

    def __eq__(self, _other):
        raise AssertionError("nobody asks a value")

    __hash__ = str.__hash__


@pytest.mark.parametrize("value", [Sly("a"), {"k": Sly("a")}, {Sly("a")}, {Sly("a"): 1}, [Sly("a")]])
def test_a_class_of_somebodys_own_is_never_asked(value):
    """Only the very same object is the same, and none is as a key or a member."""
    theirs = ["a", {"k": "a"}, {"a"}, {"a": 1}, ["a"], Sly("a"), {"k": Sly("a")}, [Sly("a")]]
    assert not any(identical(value, other) or identical(other, value) for other in theirs)


def test_what_a_frozen_copy_shares_is_itself():
    """Such as a class; another of its kind is left to the walk, which says what cannot be compared."""
    shared = object()
    assert identical([shared, int], [shared, int])
    assert not identical([object()], [object()])
    with pytest.raises(TypeError, match="only plain values are compared, not object"):
        Exact()([object()], [object()])


def test_no_depth_ends_the_process():
    """Beyond what a frozen copy holds, the walk says what it says."""
    ours, theirs, cycle = [], [], []
    for _ in range(100_000):
        ours, theirs = [ours], [theirs]
    cycle.append(cycle)
    assert (False, False) == (identical(ours, theirs), identical(cycle, [cycle]))
    with pytest.raises(Unsnapshotable, match="depth"):
        engine.current().freeze(ours)
    for _ in range(100_000):  # one after the other, for some interpreters free a nest by recursion
        ours, theirs = ours[0], theirs[0]
