"""The bench's tables and JSON document: the ratio first, then what it is made of, with or without gain."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from fast_litellm.cli import console
from fast_litellm.cli.bench.row import Measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from fast_litellm.cli.bench.race import Result
    from fast_litellm.cli.bench.row import Figure, Goal, Row, Series
    from fast_litellm.cli.bench.spread import Spread


_UNITS = (("ms", 1_000_000), ("us", 1_000), ("ns", 1))

# From here on three digits would need an exponent.
_ALL_DIGITS = 999.5

_NOT_MEASURED = "failed"
"""The sides of the row disagree, or one of them raised: standard error and the document say which."""


@dataclass(frozen=True)
class Line:
    """
    One measured row, or one that was not.

    Args:
        row: What was to be measured.
        result: What was measured; None when the two sides disagree, or one fails.
        problem: Where they disagree, or how it failed; "" when neither.
    """

    row: Row | Series
    result: Result | None
    problem: str = ""


@dataclass(frozen=True)
class Reading:
    """
    One figure that was measured, or that was not.

    Args:
        figure: What was to be measured.
        value: What was measured, one value per round; None when that failed.
        problem: How it failed, "" when it did not.
    """

    figure: Figure
    value: Spread | None
    problem: str = ""


def figures(readings: Sequence[Reading]) -> Table:
    """
    Returns:
        The readings as a table of 80 columns.
    """
    numbers = ("value", "p5 - p95", "goal")
    made = console.table(("what", *numbers, "unit", ""), numbers)
    for reading in readings:
        figure, value = reading.figure, reading.value
        aim = f"{'>=' if figure.is_least else '<='}{figure.goal:,g}"
        if value is None:
            made.add_row(figure.name, _NOT_MEASURED, "", aim, figure.unit, "no")
            continue
        spread, met = f"{_large(value.p5)} - {_large(value.p95)}", "ok" if figure.met_by(value.median) else "no"
        made.add_row(figure.name, _large(value.median), spread, aim, figure.unit, met)
    return made


def table(lines: Sequence[Line]) -> Table:
    """
    Returns:
        The lines as a table of 80 columns.
    """
    numbers = ("ratio", "p5 - p95", "ours", "theirs", "goal")
    made = console.table(("what", *numbers, ""), numbers)
    for line in lines:
        if line.result is None:
            made.add_row(line.row.name, _NOT_MEASURED, "", "", "", goal(line.row.goal), "no")
        else:
            made.add_row(line.row.name, *_cells(line.row.goal, line.result))
    return made


def _cells(aim: Goal, result: Result) -> tuple[str, ...]:
    unit, size = "x", 1
    if aim.measure is Measure.ADDED_NS:
        unit, size = _unit(abs(result.value.median), _UNITS)
    value = _number(result.value.median / size) + unit
    spread = f"{_number(result.value.p5 / size)} - {_number(result.value.p95 / size)}"
    met = "ok" if aim.met_by(result.value.median) else "no"
    return value, spread, duration(result.ours_ns.median), duration(result.theirs_ns.median), goal(aim), met


def goal(aim: Goal) -> str:
    """
    Returns:
        The goal as ">=10x", "<=1.5x" or "<=0.06us".
    """
    if aim.measure is Measure.ADDED_NS:
        unit, size = _unit(aim.value, _UNITS[:2])
        return f"<={aim.value / size:g}{unit}"
    return f"{'>=' if aim.measure is Measure.SPEEDUP else '<='}{aim.value:g}x"


def _unit(nanoseconds: float, units: tuple[tuple[str, int], ...]) -> tuple[str, int]:
    """The largest unit that is not larger, or the smallest there is."""
    return next(((unit, size) for unit, size in units if nanoseconds >= size), units[-1])


def _number(value: float) -> str:
    """Three digits, however large."""
    return f"{value:.0f}" if abs(value) >= _ALL_DIGITS else f"{value:#.3g}".rstrip(".")


def _large(value: float) -> str:
    """Three digits, or all before the point, in groups."""
    return f"{value:,.0f}" if abs(value) >= _ALL_DIGITS else _number(value)


def duration(nanoseconds: float) -> str:
    """
    Returns:
        A duration of three digits with its unit: "57.1us".
    """
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return _number(nanoseconds / size) + unit
    return f"{_number(nanoseconds)}ns"


def document(machine: dict[str, str], lines: Sequence[Line], readings: Sequence[Reading] = ()) -> dict[str, Any]:
    """
    Returns:
        Everything measured, for `--json`.
    """
    return {
        "ok": not any(it.problem for it in lines) and not any(it.problem for it in readings),
        "clock": "CPU time",
        "machine": machine,
        "rows": [_row(line) for line in lines],
        "figures": [_figure(reading) for reading in readings],
    }


def _figure(reading: Reading) -> dict[str, Any]:
    figure = reading.figure
    head = {"name": figure.name, "unit": figure.unit, "goal": figure.goal, "is_least": figure.is_least}
    if reading.value is None:
        return {**head, "problem": reading.problem}
    return {**head, "met": figure.met_by(reading.value.median), "value": asdict(reading.value)}


def _row(line: Line) -> dict[str, Any]:
    aim = line.row.goal
    head = {"name": line.row.name, "measure": aim.measure.value, "goal": aim.value}
    if line.result is None:
        return {**head, "problem": line.problem}
    measured: dict[str, Spread] = {
        "value": line.result.value,
        "ours_ns": line.result.ours_ns,
        "theirs_ns": line.result.theirs_ns,
    }
    spreads = {name: asdict(spread) for name, spread in measured.items()}
    return {**head, "met": aim.met_by(line.result.value.median), **spreads, "calls_per_batch": line.result.calls}
