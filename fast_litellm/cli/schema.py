"""`fast-litellm schema`: the JSON schema of rule files, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from fast_litellm.cli import console
from fast_litellm.flags import engine


@click.command(name="schema")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file instead.")
def command(output: Path | None) -> None:
    """
    Print the JSON schema of rule files.

    An editor that knows YAML schemas completes and checks a rule file whose first line is
    `# yaml-language-server: $schema=./rollout.schema.json`. What hangs together across a file is checked by `validate`.
    """
    text = engine.current().json_schema()
    if output is None:
        console.write(text)
    else:
        console.save(output, text + "\n")
