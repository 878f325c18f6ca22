"""`fast-litellm diff OLD NEW`: who changes side, in which flag, because of which line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fast_litellm.cli import console, values
from fast_litellm.flags import FlagManager
from fast_litellm.flags.diff import FlagDifference, Side, compare

_BAR = 20


@click.command(name="diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--sample", type=click.IntRange(1, 10_000_000), default=20_000, help="How many units are made up (20000)."
)
@click.option("--units", type=click.Path(path_type=Path, exists=True), help="A file of units, one a line, instead.")
@click.option(
    "--attr", "attributes", multiple=True, metavar="NAME=VALUE", help="A fact of every call; may be repeated."
)
@click.option("--exit-code", "tell", is_flag=True, help="End with 1 when something changes.")
@console.json_option
@click.pass_context
def command(context: click.Context, /, old: Path, new: Path, *, as_json: bool, **options: Any) -> None:
    """
    Compare two rule files on the same units.

    Which share of the units changes side, in which flag, because of which line. Rules with conditions only matter to
    calls with such attributes: name them with --attr. Ramps are compared as of now; the environment is left out.
    """
    units = _units(options["units"], options["sample"])
    before, after = (FlagManager.from_file(path, scope="process") for path in (old, new))
    found = compare(before, after, units, values.attributes(options["attributes"]))
    if as_json:
        console.print_json({"units": len(units), "flags": [_document(flag, len(units)) for flag in found]})
    elif found:
        _show(found, len(units))
    else:
        console.write(f"nothing changes for {len(units):,} units; conditions have only seen the attributes of --attr")
    if found and options["tell"]:
        context.exit(1)


def _units(path: Path | None, count: int) -> list[str]:
    if path is None:
        return [f"unit-{number}" for number in range(count)]
    units = [line for line in path.read_text(encoding="utf-8").splitlines() if line]
    if not units:
        console.fail(f"expected units in {path}, one a line, got none", "write one unit to a line", exit_code=2)
    return units


def _document(found: FlagDifference, total: int) -> dict[str, Any]:
    changes = [
        {
            "units": change.units,
            "percent": round(100 * change.units / total, 4),
            "before": change.before._asdict(),
            "after": change.after._asdict(),
        }
        for change in found.changes
    ]
    return {"flag": found.flag, "stage": {"before": found.stages[0], "after": found.stages[1]}, "changes": changes}


def _show(found: list[FlagDifference], total: int) -> None:
    for flag in found:
        console.write(f"{flag.flag} ({' -> '.join(dict.fromkeys(flag.stages))})")
        for change in flag.changes:
            share = change.units / total
            bar = "#" * max(1, round(share * _BAR))
            sides = f"{change.before.serve} -> {change.after.serve}"
            console.write(f"  {share:>7.2%} {bar:<{_BAR}} {sides}: {_place(change.before)} -> {_place(change.after)}")
        if not flag.changes:
            console.write("       0% nobody changes side")
    console.write(f"of {total:,} units; conditions have only seen the attributes of --attr")


def _place(side: Side) -> str:
    if not side.line:
        return side.reason
    return f"line {side.line} {side.rule or 'otherwise'} ({side.reason})"
