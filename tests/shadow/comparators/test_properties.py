"""What holds of every structural comparator, whatever it is given."""

from __future__ import annotations

import copy
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.shadow.comparators import (
    KINDS,
    NOTHING,
    Item,
    Key,
    by_field,
    canonical,
    exact,
    ignoring,
    tolerance,
    unordered,
    uuids,
)
from fast_litellm.shadow.comparators.structure import identity

EDGES = [0.0, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1.7e308, 0, 1, True, False, 2**53, 2**53 + 1, 10**400, 1.0]
scalars = st.one_of(
    st.none(),
    st.sampled_from(EDGES),
    st.integers(-2, 2),
    st.floats(),
    st.text(st.characters(), max_size=3),  # lone surrogates too
    st.binary(max_size=3),
    st.binary(max_size=3).map(bytearray),
)
hashable = scalars.filter(lambda value: type(value) is not bytearray)
keys = st.one_of(hashable, st.tuples(hashable))
plain = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
        st.sets(hashable, max_size=3),
        st.frozensets(hashable, max_size=3),
    ),
    max_leaves=15,
)


every_comparator = pytest.mark.parametrize(
    "comparator",
    [
        exact,
        tolerance(absolute=1, ulp=2),
        unordered(),
        unordered(tolerance(relative=0.5)),
        ignoring(["$.a", "$[*].*"]),
        by_field({"$[0]": tolerance(ulp=1), "$[*][*]": unordered()}),
        canonical(uuids),
    ],
    ids=lambda comparator: comparator.name,
)


def lead(value, path):
    """What a path leads to; steps that are no items and no keys stay where they are."""
    for step in path:
        if isinstance(step, Item):
            value = value[step.index]
        elif isinstance(step, Key):
            names = {identity(key): key for key in value}
            value = value[names[identity(step.key)]] if identity(step.key) in names else NOTHING
    return value


def same(one, other):
    """Equal values, or nothing on both sides."""
    return one is other or exact(one, other) is None


@every_comparator
@given(value=plain)
def test_every_value_matches_its_copy(comparator, value):
    """A deep copy is no difference, NaN and lone surrogates included."""
    assert comparator(value, copy.deepcopy(value)) is None


@every_comparator
@given(one=plain, other=plain)
def test_comparing_is_symmetric_and_names_a_known_kind(comparator, one, other):
    """Whether there is a difference does not depend on the order, and its kind is one of the list."""
    forth, back = comparator(one, other), comparator(other, one)
    assert (forth is None) == (back is None)
    assert forth is None or forth.kind in KINDS


@every_comparator
@given(one=plain, other=plain)
def test_a_difference_is_found_again_at_its_path(comparator, one, other):
    """The path leads to what is shown of both sides, and the rule that is named still finds them different."""
    found = comparator(one, other)
    if found is not None:
        assert same(lead(one, found.path), found.control)
        assert same(lead(other, found.path), found.candidate)
        assert found.control is NOTHING or found.candidate is NOTHING or found.rule(found.control, found.candidate)


@given(items=st.lists(plain, max_size=5), draw=st.randoms(use_true_random=False))
def test_order_is_only_said_of_the_same_items(items, draw):
    """A shuffled list is in another order or equal; with one item replaced it is never merely in another order."""
    shuffled = draw.sample(items, len(items))
    found = exact(items, shuffled)
    assert found is None or "order" == found.kind
    replaced = [*shuffled[:-1], ["replaced by none of them", *items]]
    assert not items or exact(items, replaced).kind != "order"


@given(one=plain, other=plain)
def test_equal_values_and_only_they_have_equal_keys(one, other):
    """Counting by key is the same as comparing one by one."""
    assert (exact(one, other) is None) == (exact.key(one) == exact.key(other))
