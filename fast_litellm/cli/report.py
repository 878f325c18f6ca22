"""`fast-litellm report`: where every feature stands, as a table, a page or a document."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fast_litellm.cli import console, evidence, pictures
from fast_litellm.shadow.dashboard import words

if TYPE_CHECKING:
    from rich.table import Table

    from fast_litellm.shadow.dashboard.model import FeaturePicture, Picture


@click.command(name="report")
@click.argument("feature", required=False)
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write one self-contained page to this file."
)
@console.json_option
@click.pass_context
def command(context: click.Context, feature: str | None, html: Path | None, as_json: bool) -> None:
    """
    Say where every feature stands, and what the next step still needs.

    With --html the same is one page that needs nothing else: no network, no JavaScript. Exit status 3 when a feature is
    blocked, 1 when the ledger cannot be read.
    """
    picture = pictures.current(feature)
    if html is not None:
        _write(picture, html)
    if as_json:
        console.print_json(asdict(picture))
    elif html is None and picture.features:
        _print(picture)
    if picture.problem:
        console.fail(evidence.absence() or picture.problem)
    if not picture.features:
        evidence.say_empty("nothing has been recorded", evidence.HOW_TO_BEGIN)
    if picture.count("blocked"):
        context.exit(evidence.EXIT_BLOCKED)


def _write(picture: Picture, path: Path) -> None:
    from fast_litellm.shadow.dashboard import page

    console.save(path, page.render(picture))
    console.say(f"wrote {path}: {len(picture.features)} feature(s)")


def _print(picture: Picture) -> None:
    console.output().print(table(picture))
    for feature in picture.features:
        for check in feature.unmet:
            wait = f" ({words.duration(check.seconds_left)})" if check.seconds_left is not None else ""
            line = f"{feature.name} needs {check.name}: {check.missing or check.needs}{wait}"
            console.output().print(line, markup=False, highlight=False)


def table(picture: Picture) -> Table:
    """
    Args:
        picture: What the ledger holds.

    Returns:
        A table of 80 columns with one row for each feature.
    """
    made = console.table(("feature", "stage", "by rust", "diverge <", "cells", "open", "speed", "next step"))
    for feature in picture.features:
        made.add_row(*(text.replace(words.NONE, "-").replace("\N{MULTIPLICATION SIGN}", "x") for text in _row(feature)))
    return made


def _row(feature: FeaturePicture) -> tuple[str, ...]:
    cells = f"{feature.cells.certified}/{feature.cells.total}" if feature.cells.total else words.NONE
    return (
        feature.name,
        " ".join(
            (
                feature.stage,
                *(step.label for step in feature.rail if feature.stage == "canary" and step.state == "present"),
            )
        ),
        words.share(feature.share),
        words.rate(feature.bound),
        cells,
        str(feature.open_classes),
        words.factor(feature.speed.factor if feature.speed else None),
        _next(feature),
    )


def _next(feature: FeaturePicture) -> str:
    if feature.decision == "promote":
        return "ready"
    if feature.stage == "blocked" or feature.decision == "roll_back":
        return "another build"
    if feature.seconds_left is not None:
        return words.duration(feature.seconds_left)
    return f"{len(feature.unmet)} checks" if feature.unmet else words.NONE
