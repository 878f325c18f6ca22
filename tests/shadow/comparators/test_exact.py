"""Whether two outcomes are the same, and how they differ."""

from __future__ import annotations

import math

import pytest

from fast_litellm.shadow import comparators
from fast_litellm.shadow.comparators import Item, Key, Step, exact
from fast_litellm.shadow.observation import Observation

Panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})


def found(control, candidate):
    """Kind and path of the first difference."""
    difference = exact(control, candidate)
    return difference and (difference.kind, difference.path)


@pytest.mark.parametrize(
    ("control", "candidate", "kind", "path"),
    [
        (1, True, "type", ()),
        (1, 1.0, "type", ()),
        ((1,), [1], "type", ()),
        (None, 0, "type", ()),
        (0.0, -0.0, "value", ()),
        (1, 2, "value", ()),
        ("é", "e\u0301", "value", ()),
        ([1, 2], [1, 2, 3], "length", ()),
        ([1, 2, 3], [1, 3, 2], "order", ()),
        ([1, 2], [2, 2], "value", (Item(0),)),
        ([1, True], [True, 1], "order", ()),
        ([{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 3}], "value", (Item(1), Key("a"))),
        ({"a": 1, "b": 2}, {"a": 1}, "missing", (Key("b"),)),
        ({"a": 1}, {"a": 1, "b": 2}, "extra", (Key("b"),)),
        ({1: "x"}, {True: "x"}, "missing", (Key(1),)),
        ({1, 2}, {1}, "length", (Step("members"),)),
        ({1}, {2}, "value", (Step("members"),)),
        ({1}, {True}, "value", (Step("members"),)),
        ({math.nan, float("nan")}, {math.nan}, "length", (Step("members"),)),
        ({math.nan: 1, float("nan"): 2}, {math.nan: 3, float("nan"): 2}, "value", (Step("members"),)),
        ({(1,): "x"}, {(True,): "x"}, "missing", (Key((1,)),)),
        ("\ud800", "\udfff", "value", ()),
        (2**53, 2**53 + 1, "value", ()),
        (bytearray(b"a"), b"a", "type", ()),
    ],
)
def test_each_difference_has_one_kind_and_a_path(control, candidate, kind, path):
    """Types are strict, the order of lists counts, and the path leads to the first difference."""
    assert (kind, path) == found(control, candidate)


def test_the_order_of_a_dict_is_no_difference():
    """Two dicts with the same items are equal, whichever item came first."""
    assert exact({"a": 1, "b": [math.nan]}, {"b": [math.nan], "a": 1}) is None


def test_only_plain_values_are_compared():
    """Two objects of a type whose equality is its own affair are not compared."""
    with pytest.raises(TypeError, match="plain values"):
        exact(object(), object())


def test_a_value_that_contains_itself_is_not_compared():
    """A cycle, which a frozen copy could not have, ends in an error and not in an exhausted stack."""
    one, other = [], []
    one.append(one)
    other.append(other)
    with pytest.raises(RecursionError):
        exact(one, other)


@pytest.mark.parametrize(
    ("control", "candidate", "kind"),
    [
        (Observation(1), Observation(1), None),
        (Observation(1), Observation(2), "value"),
        (Observation(error_type=ValueError, error_text="x"), Observation(error_type=ValueError, error_text="x"), None),
        (Observation(error_type=ValueError), Observation(error_type=UnicodeError), "exception_class"),
        (Observation(error_type=ValueError, error_text="x"), Observation(error_type=ValueError), "exception_text"),
        (Observation(error_type=ValueError), Observation(None), "exception_against_value"),
        (Observation(None), Observation(error_type=ValueError), "value_against_exception"),
        (Observation(None), Observation(error_type=Panic), "panic"),
        (Observation(error_type=Panic), Observation(error_type=Panic), "panic"),
    ],
)
def test_exceptions_are_outcomes(control, candidate, kind):
    """The same class with the same text matches; anything else has its own kind, a panic before all others."""
    difference = comparators.compare(exact, control, candidate)
    assert kind == (difference and difference.kind)


def test_a_comparator_that_raises_is_a_difference():
    """A comparator's own error never passes for a match, and names its class only."""

    def broken(_control, _candidate):
        raise SystemExit("secret")

    difference = comparators.compare(broken, Observation(1), Observation(1))
    assert ("comparator_error", SystemExit) == (difference.kind, difference.candidate.error_type)
    assert "" == difference.candidate.error_text


def test_differences_do_not_show_their_content():
    """A difference that ends up in a traceback or a log shows no value and no key."""
    difference = exact({"secret-key": "secret-a"}, {"secret-key": "secret-b"})
    assert "secret" not in repr(difference)
