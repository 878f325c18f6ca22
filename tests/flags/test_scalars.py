"""The meaning of unquoted words."""

from __future__ import annotations

import math

import pytest

from fast_litellm.flags.scalars import resolve


@pytest.mark.parametrize(
    "word", ["on", "off", "yes", "no", "On", "y", "2027-01-02", "1_000", "12:30", "0b1", "<<", "=", "+", "."]
)
def test_words_that_yaml_1_1_would_change_stay_text(word):
    """Nothing but the core schema of YAML 1.2 applies."""
    assert word == resolve(word)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True),
        ("FALSE", False),
        ("", None),
        ("~", None),
        ("null", None),
        ("-5", -5),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-.inf", -math.inf),
    ],
)
def test_the_core_schema_is_followed(word, value):
    """Truth values, nothing, whole numbers and fractions, with their kinds."""
    assert (value, type(value)) == (resolve(word), type(resolve(word)))


def test_not_a_number_is_a_number():
    """.nan is a float, to be refused by whoever wants a number."""
    assert math.isnan(resolve(".nan"))


def test_endless_digits_are_text():
    """Python limits how many digits it converts; such a word is no number to begin with."""
    assert "9" * 5000 == resolve("9" * 5000)
