"""`fast-litellm bench`: what every accelerated function gains, measured here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fast_litellm.accel import native
from fast_litellm.cli import console
from fast_litellm.cli.bench import machine, report, rows
from fast_litellm.cli.bench.race import Course
from fast_litellm.cli.bench.report import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fast_litellm.cli.bench.row import Row


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
@click.option("--only", metavar="TEXT", default="", help="Only the rows whose name contains TEXT.")
def command(json_file: Path | None, rounds: int, only: str) -> None:
    """
    Measure what every accelerated function gains.

    Both sides run in this process, in alternating batches, measured in CPU time; the answers of a row are compared
    before it is timed. The ratio is the figure to trust, nanoseconds belong to this machine. A row without gain is
    printed too.
    """
    _refuse_debug_build()
    where = machine.describe()
    wanted = (row for row in rows.every() if only in row.name)
    lines = list(measure(wanted, Course(rounds=rounds)))
    if not lines:
        console.fail(f"no row contains {only!r}", "run `fast-litellm bench` without --only to see all of them", 2)
    _print(where, lines)
    if json_file:
        json_file.write_text(json.dumps(report.document(where, lines), indent=2) + "\n", encoding="utf-8")
    if any(line.result is None for line in lines):
        console.fail("the two sides of a row disagree; it was not timed")


def measure(rows: Iterable[Row], course: Course) -> Iterator[Line]:
    """
    Compare, then time, row by row.

    Args:
        rows: What to measure.
        course: How.

    Yields:
        One line for each row; rows whose sides disagree are not timed.
    """
    for row in rows:
        console.say(f"measuring {row.name}")
        difference = row.difference()
        if difference:
            console.error(f"{row.name}: {difference}")
        yield Line(row, None if difference else course.run(row), difference)


def _refuse_debug_build() -> None:
    if native.DEBUG_BUILD:
        console.fail("this is a debug build; its figures would mean nothing", "build it with `make build`")


def _print(where: dict[str, str], lines: Sequence[Line]) -> None:
    console.print_fields(where)
    console.output().print()
    console.output().print(report.table(lines))
