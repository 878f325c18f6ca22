"""`fast-litellm bench`: what every accelerated function gains, measured here."""

from __future__ import annotations

import json
import os
import traceback
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fast_litellm.accel import native
from fast_litellm.cli import console, scratch
from fast_litellm.cli.bench import machine, report, rows
from fast_litellm.cli.bench.race import Course
from fast_litellm.cli.bench.report import Line, Reading
from fast_litellm.cli.bench.row import Figure, Row
from fast_litellm.cli.bench.spread import Spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fast_litellm.cli.bench.row import Series


@click.command(name="bench")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    metavar="FILE",
    help="Also write everything measured to FILE.",
)
@click.option(
    "--rounds", type=click.IntRange(min=3), default=Course.rounds, show_default=True, help="Batches of each side."
)
@click.option("--only", metavar="TEXT", default="", help="Only the rows whose name contains TEXT, long ones as well.")
@click.option(
    "--former",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="PYTHON",
    help="Race fast-litellm 0.1.10, too: the Python of an environment with it and with this LiteLLM.",
)
@click.option("--all", "with_long", is_flag=True, help="Also what takes minutes: the proxy, memory, 2,000 deployments.")
def command(json_file: Path | None, rounds: int, only: str, former: Path | None, *, with_long: bool) -> None:
    """
    Measure what every accelerated function gains.

    Both sides run in this process, in alternating batches, measured in CPU time; the answers of a row are compared
    before it is timed. The ratio is the figure to trust, nanoseconds belong to this machine. A row without gain is
    printed too. Nothing of it is written to your ledger.
    """
    _refuse_debug_build()
    where = machine.describe()
    found = chain(rows.every(), rows.long(former)) if with_long or only else rows.every()
    with _own_ledger():
        asked = (row for row in found if only in row.name or row.name == rows.SETTING_UP)
        measured = list(measure(asked, Course(rounds=rounds)))
    if not measured:
        console.fail(f"no row contains {only!r}", "run `fast-litellm bench` without --only to see all of them", 2)
    lines = [it for it in measured if isinstance(it, Line)]
    readings = [it for it in measured if isinstance(it, Reading)]
    document = report.document(where, lines, readings)
    if json_file:
        json_file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    _print(where, lines, readings)
    if not document["ok"]:
        console.fail("a row was not measured; what happened is said above")


def measure(rows: Iterable[Row | Series | Figure], course: Course) -> Iterator[Line | Reading]:
    """
    Compare, then time, row by row.

    Args:
        rows: What to measure.
        course: How.

    Yields:
        One line for each row and one reading for each figure; rows whose sides disagree are not timed, and one that
        fails does not keep the others from being measured.
    """
    for row in rows:
        console.say(f"measuring {row.name}")
        found = _measured(row, course)
        if found.problem:
            console.error(f"{row.name}: {found.problem}")
        yield found


def _measured(row: Row | Series | Figure, course: Course) -> Line | Reading:
    try:
        return _reading(row, course) if isinstance(row, Figure) else _line(row, course)
    except Exception as error:
        console.say(traceback.format_exc().rstrip())
        problem = f"{type(error).__name__}: {error}"
        return Reading(row, None, problem) if isinstance(row, Figure) else Line(row, None, problem)


def _reading(figure: Figure, course: Course) -> Reading:
    return Reading(figure, Spread.of(figure.values(course.rounds)))


def _line(row: Row | Series, course: Course) -> Line:
    difference = row.difference()
    if difference:
        return Line(row, None, difference)
    return Line(row, course.run(row) if isinstance(row, Row) else course.follow(row))


@contextmanager
def _own_ledger() -> Iterator[None]:
    """What is measured is no evidence of anybody's traffic: it goes to a ledger that is thrown away."""
    name = "FAST_LITELLM_LEDGER"
    before = os.environ.get(name)
    with scratch.directory("bench") as directory:
        os.environ[name] = f"sqlite:///{directory / 'ledger.db'}"
        try:
            yield
        finally:
            os.environ.pop(name)
            os.environ.update({} if before is None else {name: before})


def _refuse_debug_build() -> None:
    if native.DEBUG_BUILD:
        console.fail("this is a debug build; its figures would mean nothing", "`make demo` installs a release build")


def _print(where: dict[str, str], lines: list[Line], readings: list[Reading]) -> None:
    console.print_fields(where)
    for found, made in ((lines, report.table(lines)), (readings, report.figures(readings))):
        if found:
            console.output().print()
            console.output().print(made)
