"""Percentages are exact or an error."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("written", "threshold"),
    [("10", 100_000), ("10%", 100_000), ("0.0001", 1), ("99.9999%", 999_999), ("33.3000000", 333_000), ("007", 70_000)],
)
def test_percentages_are_exact(with_text, written, threshold):
    """What is written becomes that many buckets, never rounded."""
    flag = f"{{otherwise: {{ramp: {{steps: [{{at: 2020-01-01, percent: {written}}}]}}}}}}"

    assert threshold == with_text(flag).decide("a", unit="u").threshold


@pytest.mark.parametrize(
    "value", ["-5", "101", "0.00001", ".nan", ".inf", "true", "ten", '"10"', ".5%", "[10]", "{}", "", "1e1"]
)
def test_a_wrong_percentage_has_a_place(flag_problems, value):
    """In a file each is one problem that says what a percentage looks like."""
    (problem,) = flag_problems(f"{{shadow: {{percent: {value}}}}}")

    assert problem.startswith(
        "flags.a.shadow.percent: expected a percentage from 0 to 100, such as 10, 0.5 or 10%, got "
    )


@pytest.mark.parametrize(("value", "hint"), [("0.00001", "finest step"), (".5%", "write 0.5%")])
def test_a_wrong_percentage_may_come_with_a_hint(problem_texts, value, hint):
    """The two usual slips are explained."""
    (problem,) = problem_texts(f"version: 1\nflags: {{a: {{shadow: {{percent: {value}}}}}}}")

    assert hint in problem
