"""When a candidate is taken out of service."""

from __future__ import annotations

import pytest

WHOLE = (
    "{guard: {window: 60s, min_calls: 200, error_rate: {max_over_python: 0.5%},"
    " latency_p99: {max_ratio_to_python: 1.10}, on_breach: {serve: python, hold: 5m, retry_percent: 1, scope: host}}}"
)


def test_the_whole_guard_is_accepted(flag_problems):
    """Every key at once."""
    assert [] == flag_problems(WHOLE)


@pytest.mark.parametrize(
    ("guard", "problem"),
    [
        ("{}", ": expected error_rate or latency_p99, got neither"),
        ("{error_rate: {}}", '.error_rate: expected the key "max_over_python", got none'),
        ("{error_rate: {max_over_python: 101}}", ".error_rate.max_over_python: expected a percentage"),
        (
            "{latency_p99: {max_ratio_to_python: 0.9}}",
            ".latency_p99.max_ratio_to_python: expected a ratio",
        ),
        (
            "{latency_p99: {max_ratio_to_python: x}}",
            ".latency_p99.max_ratio_to_python: expected a ratio",
        ),
        (
            "{error_rate: {max_over_python: 1}, window: 60}",
            ".window: expected a duration such as 500ms, 60s",
        ),
        ("{error_rate: {max_over_python: 1}, window: 0s}", ".window: expected a duration"),
        ("{error_rate: {max_over_python: 1}, min_calls: 0}", ".min_calls: expected a whole number from 1"),
        (
            "{error_rate: {max_over_python: 1}, on_breach: {serve: rust}}",
            '.on_breach.serve: expected one of python, got the text "rust"',
        ),
        (
            "{error_rate: {max_over_python: 1}, on_breach: {scope: all}}",
            ".on_breach.scope: expected one of process, host, fleet",
        ),
    ],
)
def test_each_mistake_is_told(flag_problems, guard, problem):
    """What is wrong is one problem that names the key and what it takes."""
    wanted = f"flags.a.guard{problem}"

    assert [wanted] == [told[: len(wanted)] for told in flag_problems(f"{{guard: {guard}}}")]
