"""Comparing before timing."""

from __future__ import annotations

from fast_litellm.cli.bench.command import measure
from fast_litellm.cli.bench.race import Course
from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement


def test_a_row_whose_sides_disagree_is_never_timed() -> None:
    """Its statements do not run, and the line carries the difference."""
    ran: list[str] = []
    side = Statement("ran.append('timed')", {"ran": ran})
    row = Row("liar", side, side, Goal(Measure.SPEEDUP, 10), difference=lambda: "13 became 6")

    lines = list(measure([row], Course()))

    assert [(None, "13 became 6")] == [(line.result, line.difference) for line in lines]
    assert [] == ran


def test_rows_without_gain_are_lines_like_any_other() -> None:
    """A row that is slower than the other side is measured and kept."""
    now = [0]

    def clock() -> int:
        return now[0]

    def work(nanoseconds: int) -> None:
        now[0] += nanoseconds

    names = {"work": work}
    row = Row("slower", Statement("work(10)", names), Statement("work(90)", names), Goal(Measure.SPEEDUP, 10))

    lines = list(measure([row], Course(clock=clock, rounds=3, slower_ns=100, faster_ns=10)))

    assert [1 / 9] == [line.result.value.median for line in lines if line.result]
