"""What is kept of a difference."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.shadow.comparators import NOTHING, Exact, Item, Key, Step, exact
from fast_litellm.shadow.observation import Observation, Summary
from fast_litellm.shadow.redaction import Redactor

redactor = Redactor(bytes(32))


def test_a_value_is_kept_as_type_length_and_digest():
    """Nothing of a text but its type, its length and its digest is kept."""
    summary = redactor.summary("four", exact)
    assert ("value", "str", 4, None) == (summary.outcome, summary.type, summary.length, summary.safe_value)
    assert 32 == len(summary.digest)


def test_equal_values_have_equal_digests_under_one_key_only():
    """Digests tell whether content is equal, and say nothing without the key."""
    other = Redactor(b"k" * 32)
    assert redactor.summary("a", exact).digest == redactor.summary("a", exact).digest
    assert redactor.summary("a", exact).digest != redactor.summary("b", exact).digest
    assert redactor.summary("a", exact).digest != other.summary("a", exact).digest
    assert redactor.summary("1", exact).digest != redactor.summary(1, exact).digest


def test_values_of_safe_types_are_shown():
    """A comparator can say that its integers are token counts; booleans are still not integers to it."""
    counts = Exact(safe_types=(int,))
    assert 93 == redactor.summary(93, counts).safe_value
    assert redactor.summary(93, exact).safe_value is None
    assert redactor.summary(True, counts).safe_value is None


def test_an_exception_is_kept_as_its_class_and_a_digest_of_its_text():
    """Messages quote prompts, so only their length and digest are kept."""
    summary = redactor.summary(Observation(error_type=json.JSONDecodeError, error_text="secret"), exact)
    assert ("exception", "json.decoder.JSONDecodeError", 6) == (summary.outcome, summary.type, summary.length)
    assert "secret" not in repr(summary)


def test_a_side_without_a_value_is_kept_as_nothing():
    """The side on which a path does not exist has no type."""
    assert Summary("nothing") == redactor.summary(NOTHING, exact)


@pytest.mark.parametrize("value", [[1], {"a": 1}, {1}, (1,)])
def test_containers_have_a_length_and_no_digest(value):
    """What differs inside a container is found and named item by item."""
    assert (1, "") == (redactor.summary(value, exact).length, redactor.summary(value, exact).digest)


def test_paths_show_known_keys_only():
    """A dict's keys are content unless the comparator knows them."""
    path = (Item(3), Key("name"), Key("secret"), Key(7), Item(None), Step("members"))
    shown = redactor.path(path, frozenset({"name"}))
    assert shown.startswith("$[3].name[key:")
    assert shown.endswith("][*]<members>")
    assert "secret" not in shown


@given(st.one_of(st.text(), st.binary(), st.integers(), st.floats(), st.text().map(lambda text: text + "\ud800")))
def test_every_scalar_has_a_summary(value):
    """Lone surrogates, infinities and the empty text are summarised like everything else."""
    assert 32 == len(redactor.summary(value, exact).digest)


def test_integers_of_any_size_have_a_summary():
    """An integer with more digits than Python prints has a digest."""
    assert 32 == len(redactor.summary(10**10_000, exact).digest)
