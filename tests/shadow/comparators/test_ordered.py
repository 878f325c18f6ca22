"""The comparator for what is sent as it stands."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.shadow import comparators

documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=2), inner, max_size=3)),
    max_leaves=8,
)


@pytest.mark.parametrize("hold", [lambda it: it, lambda it: [it], lambda it: {"x": [1, it]}])
def test_another_order_of_keys_is_a_difference(hold):
    """At any depth, where `exact` sees none; the difference is one of order and names the dict's place."""
    control, candidate = hold({"a": 1, "b": 2}), hold({"b": 2, "a": 1})
    found = comparators.ordered(control, candidate)

    assert comparators.exact(control, candidate) is None
    assert found is not None
    assert ("order", comparators.ordered(hold(1), hold(2)).path) == (found.kind, found.path)


@given(documents, documents)
def test_equal_documents_have_one_text(control, candidate):
    """It finds no difference exactly where types, values and the JSON text agree."""
    same_text = json.dumps(control) == json.dumps(candidate)

    assert same_text == (comparators.ordered(control, candidate) is None)
    assert comparators.ordered(control, json.loads(json.dumps(control))) is None


def test_what_a_copy_shares_is_equal_to_itself():
    """A class or a sentinel is not looked into, and two of them are not compared."""
    sentinel = object()

    assert comparators.ordered([sentinel, dict], [sentinel, dict]) is None
    with pytest.raises(TypeError, match="plain"):
        comparators.ordered(sentinel, object())


def test_its_evidence_is_its_own():
    """What was gathered with a laxer comparator says nothing of this one."""
    assert comparators.ordered.name != comparators.exact.name
