"""Paths as comparators are told them."""

from __future__ import annotations

import pytest

from fast_litellm.shadow.comparators import Item, Key, Step
from fast_litellm.shadow.comparators.paths import ANY_KEY, covers, parse


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("$", ()),
        ("$.usage.total_tokens", (Key("usage"), Key("total_tokens"))),
        ("$.choices[*].message", (Key("choices"), Item(None), Key("message"))),
        ("$[0][12]", (Item(0), Item(12))),
        ('$["odd key"]["\\u00e9\\""]', (Key("odd key"), Key('é"'))),
        ("$.*.id", (ANY_KEY, Key("id"))),
        ("$.x-request-id", (Key("x-request-id"),)),
    ],
)
def test_a_path_is_read_step_by_step(path, steps):
    """Names, JSON strings, indices, and any of them."""
    assert steps == parse(path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("usage", "begins with"),
        ("", "begins with"),
        ("$usage", "column 2"),
        ("$.usage.", "column 8"),
        ("$[-1]", "column 2"),
        ("$.a[", "column 4"),
        ("$['a']", "column 2"),
    ],
)
def test_what_is_no_path_is_refused_with_its_column(path, message):
    """A path that cannot be read would be one that is never reached."""
    with pytest.raises(ValueError, match=message) as refused:
        parse(path)
    assert "hint: " in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "step", "expected"),
    [
        (Item(None), Item(3), True),
        (Item(3), Item(3), True),
        (Item(3), Item(4), False),
        (Item(None), Key(3), False),
        (ANY_KEY, Key("a"), True),
        (ANY_KEY, Item(1), False),
        (Key("a"), Key("a"), True),
        (Key("a"), Key(b"a"), False),
        (Key("members"), Step("members"), False),
    ],
)
def test_a_pattern_covers_the_steps_it_stands_for(pattern, step, expected):
    """Items and keys are told apart, and keys by their type."""
    assert expected is covers(pattern, step)
