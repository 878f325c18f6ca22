"""`fast-litellm capture-key FILE`: a pair of keys for captured calls."""

from __future__ import annotations

import os
from pathlib import Path

import click

from fast_litellm.cli import console


@click.command(name="capture-key")
@click.argument("file", type=click.Path(dir_okay=False))
def command(file: str) -> None:
    """
    Make the keys for capturing calls that differ: the private one goes into FILE, the public one is printed.

    Keep the private key away from the machines that capture. A program captures while its environment has
    FAST_LITELLM_CAPTURE (features, with commas between them), FAST_LITELLM_CAPTURE_KEY (the public key) and
    FAST_LITELLM_CAPTURE_UNTIL (a moment with its offset from UTC, at most a week ahead).
    """
    from fast_litellm.shadow import sealing

    private_key, public_key = sealing.make_keys()
    with console.saving(Path(file)):
        _keep(file, f"{private_key}\n")
    console.write(public_key)
    console.hint(f"`fast-litellm replay CLASS --key {Path(file)}` runs what was captured")


def _keep(file: str, private_key: str) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        console.fail(f"{file} is there already, and a key that is lost opens nothing any more", exit_code=2)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write(private_key)
