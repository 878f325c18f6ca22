"""Percentages that follow the clock."""

from __future__ import annotations

import pytest

TIME = "a time such as 2027-01-05T09:00:00Z"


@pytest.mark.parametrize(
    ("ramp", "problem"),
    [
        ("{}", ': expected the key "steps", got none'),
        ("{steps: []}", ".steps: expected at least one item, got an empty list"),
        ("{steps: [{at: 2027-01-05}]}", '.steps[0]: expected the key "percent", got none'),
        ("{steps: [{percent: 5}]}", '.steps[0]: expected the key "at", got none'),
        ("{steps: [{at: tomorrow, percent: 5}]}", f'.steps[0].at: expected {TIME}, got the text "tomorrow"'),
        ("{steps: [{at: 5, percent: 5}]}", f".steps[0].at: expected {TIME}, got 5"),
        (
            "{steps: [{at: 2027-01-05T09:00:00, percent: 5}]}",
            f'.steps[0].at: expected {TIME}, got the text "2027-01-05T09:00:00"',
        ),
        (
            "{steps: [{at: 2027-01-06, percent: 5}, {at: 2027-01-05, percent: 6}]}",
            ".steps[1]: expected a step later than the one before it, got an earlier or the same time",
        ),
        ("{steps: [{at: 2027-01-06, percent: 0.00001}]}", ".steps[0].percent: expected a percentage from 0 to 100"),
        (
            "{steps: [{at: 2027-01-06, percent: 1}], sarve: x}",
            ": expected one of serve, unit, salt, steps, got",
        ),
    ],
)
def test_each_mistake_is_told(flag_problems, ramp, problem):
    """Steps have a time with a zone and an exact percentage, in the order of time."""
    wanted = f"flags.a.otherwise.ramp{problem}"

    assert [wanted] == [told[: len(wanted)] for told in flag_problems(f"{{otherwise: {{ramp: {ramp}}}}}")]


def test_a_missing_zone_comes_with_a_hint(problem_texts):
    """Local time is never guessed."""
    ramp = "{steps: [{at: 2027-01-05T09:00:00, percent: 5}]}"
    (problem,) = problem_texts(f"version: 1\nflags: {{a: {{otherwise: {{ramp: {ramp}}}}}}}")

    assert "hint: say the zone: a Z at the end means UTC" in problem
