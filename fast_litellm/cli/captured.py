"""Captured calls, for the holder of the private key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fast_litellm.cli import console, evidence

if TYPE_CHECKING:
    from fast_litellm.shadow.candidate import Call

key_option = click.option(
    "--key",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="The private key: run captured calls too.",
)


def calls(record: dict[str, Any], key: str) -> list[Call]:
    """
    Args:
        record: A divergence class.
        key: The file with the private key.

    Returns:
        The calls that were captured for it.

    Raises:
        CommandFailed: The file holds no key, or a call cannot be read.
        LedgerError: They were sealed to another key.
        MissingExtraError: The package that opens them is not installed.
    """
    from fast_litellm.shadow import capture, sealing

    found = evidence.ledger().captures(str(record["fingerprint"]))
    if not found:
        console.say("no call of this class is captured")
    private_key = Path(key).read_text(encoding="ascii", errors="replace")
    try:
        return [capture.call_of(sealing.unseal(private_key, bytes(each["sealed"]))) for each in found]
    except ValueError as error:
        console.fail(f"{key}: {error}")
