"""Percentages are exact or an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.flags import percent


@pytest.mark.parametrize(
    ("written", "millionths"),
    [
        ("0", 0),
        ("100", 1_000_000),
        ("10%", 100_000),
        ("0.0001", 1),
        ("99.9999%", 999_999),
        ("33.3000000", 333_000),
        ("007", 70_000),
    ],
)
def test_percentages_are_exact(written, millionths):
    """What is written becomes that many millionths."""
    assert (millionths, "") == percent.parsed(written)


@pytest.mark.parametrize(
    "written",
    [
        "-1",
        "100.0001",
        "0.00001",
        ".5",
        ".5%",
        "5.",
        "1e1",
        "ten",
        "",
        "%",
        "10 %",
        "10%%",
        "nan",
        "inf",
        "1_0",
        "٣",
        "1\n",
    ],
)
def test_everything_else_is_refused(written):
    """Nothing is rounded, clamped or guessed."""
    assert None is percent.parsed(written)[0]


@given(st.integers(0, percent.WHOLE))
def test_what_is_shown_can_be_read_back(millionths):
    """Every percentage survives being written and read."""
    assert (millionths, "") == percent.parsed(percent.shown(millionths))


@pytest.mark.parametrize(
    "value", ["-5", "101", "0.00001", ".nan", ".inf", "true", "ten", '"10"', ".5%", "[10]", "{}", "", "1e1"]
)
def test_a_wrong_percentage_has_a_place(flag_problems, value):
    """In a file each is one problem that says what a percentage looks like."""
    (problem,) = flag_problems(f"{{shadow: {{percent: {value}}}}}")

    assert problem.startswith(
        "flags.a.shadow.percent: expected a percentage from 0 to 100, such as 10, 0.5 or 10%, got "
    )


@pytest.mark.parametrize(("value", "hint"), [(0.00001, "finest step"), (".5%", "write 0.5%")])
def test_a_wrong_percentage_may_come_with_a_hint(value, hint):
    """The two usual slips are explained."""
    assert hint in percent.parsed(f"{value:.5f}" if isinstance(value, float) else value)[1]
