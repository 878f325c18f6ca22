"""Figures as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fast_litellm.shadow.dashboard import words


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0%"), (1.0, "100%"), (0.0004, "<0.1%"), (0.05, "5.0%"), (0.99996, "99.9%")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(value, text):
    """A single call served by Rust is not 0%, and a single one served by Python leaves no 100%."""
    assert text == words.share(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0%"), (8.1e-6, "0.00081%"), (1e-5, "0.001%"), (0.092, "9.2%"), (0.5, "50%"), (1.0, "100%")],
)
def test_a_rate_is_written_as_rule_files_write_it(value, text):
    """Two digits that count, in percent."""
    assert text == words.rate(value)


@given(some.floats(1e-9, 1, exclude_max=True))
def test_a_rate_never_looks_better_than_it_is(value):
    """It is rounded up, by less than a tenth."""
    shown = float(words.rate(value).rstrip("%")) / 100

    assert value * (1 - 1e-9) <= shown <= value * 1.1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (math.inf, "–"),
        (0, "0 s"),
        (59.2, "1 min"),
        (11_400, "3 h 10 min"),
        (86_400, "1 d"),
        (86_460, "1 d"),
    ],
)
def test_a_duration_has_two_units(seconds, text):
    """What is too small to matter is left out."""
    assert text == words.duration(seconds)


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (6.24, "6.2×"), (0.871, "0.87×"), (144.4, "144×")])
def test_a_factor_has_few_digits(value, text):
    """Two digits count, three from a hundred on."""
    assert text == words.factor(value)


@given(some.text(), some.text())
def test_every_name_has_an_anchor_of_its_own(one, other):
    """No two names share an identifier, and none needs an escape."""
    assert (one == other) == (words.anchor(one) == words.anchor(other))
    assert words.anchor(one).isascii()
    assert not set(words.anchor(one)) & set(" \"'<>&#%/?")
