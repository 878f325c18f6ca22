"""`fast-litellm validate FILE`: is this rule file usable, and if not, everything that is wrong with it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fast_litellm.cli import console
from fast_litellm.errors import RuleError
from fast_litellm.flags import FlagManager

if TYPE_CHECKING:
    from fast_litellm.errors import Problem


@click.command(name="validate")
@click.argument("file", metavar="FILE")
@console.json_option
@click.pass_context
def command(context: click.Context, file: str, as_json: bool) -> None:
    """
    Check a rule file.

    Every problem is listed at once, as FILE:LINE:COLUMN with what to do about it. Exit status 1 when there is one.
    """
    if not file:
        raise click.BadParameter("expected a path, got nothing", param_hint="FILE")
    problems, stages = _read(file)
    if as_json:
        listed = [asdict(problem) for problem in problems]
        console.print_json({"ok": not problems, "file": file, "flags": stages, "problems": listed})
    elif problems:
        console.write("\n".join(map(str, problems)))
    else:
        console.write(f"{file}: ok, " + (", ".join(f"{name} {stage}" for name, stage in stages.items()) or "no flags"))
    if problems:
        console.error(f"{len(problems)} problem{'s' * (len(problems) > 1)} in {file}")
        context.exit(1)


def _read(file: str) -> tuple[tuple[Problem, ...], dict[str, str]]:
    """The problems of a file, and the stage of each flag when there are none."""
    try:
        manager = FlagManager.from_file(file, scope="process")
    except RuleError as error:
        return error.problems, {}
    return (), {name: manager.stage(name) for name in manager.status()["flags"]}
