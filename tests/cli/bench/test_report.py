"""The bench's table and JSON document."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from fast_litellm.cli.bench import report
from fast_litellm.cli.bench.race import Result
from fast_litellm.cli.bench.row import Figure, Goal, Measure, Row, Statement
from fast_litellm.cli.bench.spread import Spread


def line(goal: Goal, value: float, name: str = "sample") -> report.Line:
    row = Row(name, Statement("pass"), Statement("pass"), goal)
    return report.Line(row, Result(Spread(value, value, value), Spread.of([50.0]), Spread.of([57_123.0]), 8))


def refused(name: str = "liar") -> report.Line:
    return report.Line(Row(name, Statement("pass"), Statement("pass"), Goal(Measure.SPEEDUP, 10)), None, "13 became 6")


def rendered(lines: list[report.Line], width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(report.table(lines))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("goal", "value", "words"),
    [
        (Goal(Measure.SPEEDUP, 10), 12.34, ["12.3x", ">=10x", "ok"]),
        (Goal(Measure.SPEEDUP, 10), 0.87, ["0.870x", ">=10x", "no"]),
        (Goal(Measure.COST, 1.5), 1.5, ["1.50x", "<=1.5x", "ok"]),
        (Goal(Measure.ADDED_NS, 60), 110.2, ["110ns", "<=0.06us", "no"]),
        (Goal(Measure.ADDED_NS, 1000), 5920.0, ["5.92us", "5.92 - 5.92", "<=1us", "no"]),
    ],
)
def test_a_line_has_its_ratio_its_goal_and_a_word(goal: Goal, value: float, words: list[str]) -> None:
    """Gain or no gain, a row says its ratio, its goal and whether it is met, in words and not in colour."""
    text = rendered([line(goal, value)])

    assert all(word in text for word in words)


def test_a_row_whose_sides_disagree_has_no_figures() -> None:
    """It says that it failed instead."""
    text = rendered([refused()])

    assert "failed" in text
    assert "us" not in text.replace("liar", "")


def test_the_table_fits_eighty_columns() -> None:
    """The longest names and figures the bench prints need no more."""
    wide = report.Line(
        Row("n" * 30, Statement("pass"), Statement("pass"), Goal(Measure.SPEEDUP, 1000)),
        Result(Spread(12.3, 11.1, 12.9), Spread.of([123_456.0]), Spread.of([8_385_000.0]), 8),
    )
    lines = rendered([wide]).splitlines()

    assert any("n" * 30 in text for text in lines)
    assert all(len(text) <= 80 for text in lines)


@pytest.mark.parametrize(
    ("nanoseconds", "expected"),
    [
        (0.5, "0.500ns"),
        (45.6, "45.6ns"),
        (999, "999ns"),
        (57_123, "57.1us"),
        (8.385e6, "8.38ms"),
        (99_970, "100us"),
        (3e9, "3.00s"),
    ],
)
def test_durations_have_three_digits_and_a_unit(nanoseconds: float, expected: str) -> None:
    """From nanoseconds to seconds, the unit follows the size."""
    assert expected == report.duration(nanoseconds)


def test_the_document_holds_every_row() -> None:
    """Rows that were refused are in it with their problem, and make it not ok."""
    document = report.document({"cores": "2"}, [line(Goal(Measure.SPEEDUP, 10), 12.0), refused()])

    assert not document["ok"]
    assert [{"median": 12.0, "p5": 12.0, "p95": 12.0}, "13 became 6"] == [
        document["rows"][0]["value"],
        document["rows"][1]["problem"],
    ]


def test_figures_have_a_table_of_their_own() -> None:
    """A value with its unit, its goal as a limit from below or above, and whether it is reached."""
    readings = [
        report.Reading(Figure("rows", "a second", 10_000, lambda _: [], is_least=True), Spread.of([12_345.0])),
        report.Reading(Figure("memory", "MiB", 16, lambda _: []), Spread.of([17.25])),
    ]
    stream = io.StringIO()
    Console(file=stream, width=80).print(report.figures(readings))
    text = stream.getvalue()

    assert all(word in text for word in ("12,345", ">=10,000", "a second", "17.2", "<=16", "MiB", "ok", "no"))
    assert [True, False] == [it["met"] for it in report.document({}, [], readings)["figures"]]
