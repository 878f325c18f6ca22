"""`fast-litellm lint FILE...`: what is allowed in a rule file and still deserves a second look."""

from __future__ import annotations

from datetime import date, datetime, timezone
from pathlib import Path

import click

from fast_litellm.accel import names
from fast_litellm.cli import console
from fast_litellm.flags import lint


@click.command(name="lint")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--at", metavar="DATE", help="The day on which flags expire or not, such as 2027-03-31; else today.")
@click.option("--strict", is_flag=True, help="End with 1 for what is only worth knowing, too.")
@console.json_option
@click.pass_context
def command(context: click.Context, files: tuple[Path, ...], *, at: str | None, strict: bool, as_json: bool) -> None:
    """
    Look through rule files for expired and unowned flags, misspelt features, rules that never match, and what nobody
    uses.

    Exit status 1 when there is an error or a warning. Whether a file can be used at all is for `validate`.
    """
    today = _day(at)
    found = [finding for file in files for finding in lint.check(file, today, names.doubts)]
    if as_json:
        console.print_json({"findings": [finding._asdict() for finding in found]})
    else:
        console.write("\n".join(map(str, found)) if found else f"nothing to say about {', '.join(map(str, files))}")
    if any(strict or finding.level != lint.INFO for finding in found):
        context.exit(1)


def _day(text: str | None) -> date:
    if text is None:
        return datetime.now(timezone.utc).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"expected a date such as 2027-03-31, got {text!r}", param_hint="--at") from None
