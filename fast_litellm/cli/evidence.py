"""The ledger that the reading commands open: the one that FAST_LITELLM_LEDGER names, or the user's own."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from fast_litellm import settings
from fast_litellm.cli import console
from fast_litellm.shadow import Ledger

if TYPE_CHECKING:
    from fast_litellm.flags import FlagManager

EXIT_BLOCKED = 3
HOW_TO_BEGIN = "start a program with `fast-litellm run -- COMMAND`, or play `fast-litellm demo`"


def address() -> str:
    """
    Returns:
        Where the ledger is, as `sqlite:///PATH`.

    Raises:
        RuleError: The environment cannot be read.
    """
    return settings.read().ledger


def ledger() -> Ledger:
    """
    Returns:
        The ledger, opened for reading; a file that does not exist is not made.

    Raises:
        LedgerError: The address names no ledger.
        RuleError: The environment cannot be read.
    """
    found = Ledger.open(address(), flush_seconds=None)
    found.recover()
    return found


def say_empty(what: str, hint: str = "") -> None:
    """
    Say on standard error that there is nothing to print.

    Args:
        what: What is missing.
        hint: How there comes to be something; empty where that is nothing to wish for.
    """
    console.say(f"{what} in {address()}")
    if hint:
        console.hint(hint)


def moment(seconds: float) -> str:
    """
    Args:
        seconds: Since 1970.

    Returns:
        The moment in UTC, to the second.
    """
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def obey(manager: FlagManager) -> None:
    """
    Stop in the rules what the ledger says is stopped, as a running program would.

    Args:
        manager: The rules.
    """
    found = ledger()
    for name, feature in found.status()["features"].items():
        if feature["stage"] == "blocked":
            manager.block(name, "blocked")
    manager.apply_fleet(found.pauses())
