"""Plain values as text, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.shadow import comparators, literal

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.binary(), st.floats(allow_nan=False))
SCALARS = SCALARS.filter(lambda it: it not in (float("inf"), float("-inf")))
VALUES = st.recursive(SCALARS, lambda it: st.lists(it) | st.tuples(it, it) | st.dictionaries(st.text(), it))


@given(VALUES)
def test_what_is_read_is_what_was_written(value):
    """Of the same types, with the same signs of zero."""
    assert comparators.exact(value, literal.read(literal.write(value))) is None


@pytest.mark.parametrize("value", ["\ud800", "\x7f", set(), {1}, 10**30, -0.0], ids=ascii)
def test_odd_values_have_literals(value):
    """Half a character, an empty set, a long number."""
    assert comparators.exact(value, literal.read(literal.write(value))) is None


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), bytearray(b"x"), frozenset(), object(), int, [object()], type("S", (str,), {})()],
)
def test_a_value_without_a_literal_is_refused(value):
    """Nothing is kept of it, and nothing of it is in the message."""
    with pytest.raises(ValueError, match=r"^a value of this type has no literal$"):
        literal.write(value)


@pytest.mark.parametrize("text", ["open('x')", "__import__('os')", "[i for i in ()]", "x"])
def test_reading_runs_nothing(text):
    """What is no literal is an error."""
    with pytest.raises(ValueError, match="malformed"):
        literal.read(text)
