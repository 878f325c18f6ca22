"""
The ledger that commands open: the one that FAST_LITELLM_LEDGER names, or the user's own.

A ledger that somebody has named and that is not there may be a mistyped one: whoever reads it is told so, and none is
made. The user's own is not there before the first program, and that is nothing to complain of.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from fast_litellm import settings
from fast_litellm.cli import console
from fast_litellm.errors import LedgerError
from fast_litellm.shadow import database, machinery, upkeep
from fast_litellm.shadow.decisions import Decisions
from fast_litellm.shadow.rollouts import step_of
from fast_litellm.shadow.store import Store

if TYPE_CHECKING:
    from fast_litellm.flags import FlagManager

EXIT_BLOCKED = 3
HOW_TO_BEGIN = "start a program with `fast-litellm run -- COMMAND`, or play `fast-litellm demo`"


def address() -> str:
    """
    Returns:
        Where the ledger is, as `sqlite:///PATH`; a password is left out.

    Raises:
        RuleError: The environment cannot be read.
    """
    return settings.read().ledger_shown


def ledger() -> Decisions:
    """
    Returns:
        The ledger, for reading and for what people decide; a file that does not exist is not made.

    Raises:
        LedgerError: The address names no ledger, or one that is not there.
        RuleError: The environment cannot be read.
    """
    found = opened()
    if missing := absence():
        raise LedgerError(missing)
    return found


def opened() -> Decisions:
    """
    Returns:
        As `ledger`, for those that can wait for one that is not there, or that begin it.

    Raises:
        LedgerError: The address names no ledger.
        RuleError: The environment cannot be read.
    """
    store = Store(database.at(settings.read().ledger))
    _recover(store)
    return Decisions(store)


def absence() -> str:
    """
    Returns:
        That the ledger is not there, if somebody has named it; else nothing.

    Raises:
        LedgerError: The address names no ledger.
        RuleError: The environment cannot be read.
    """
    environment = settings.read()
    named = database.at(environment.ledger)
    if not environment.is_ledger_named or named.exists():
        return ""
    return f"there is no ledger at {named.name} yet; the first program with this FAST_LITELLM_LEDGER makes it"


def _recover(store: Store) -> None:
    """
    What killed processes have left waits for the next time where it cannot be written. That the ledger is away is said
    by whatever is asked of it next.
    """
    try:
        upkeep.recover(store, time.time)
    except (LedgerError, OSError):
        return
    except Exception as error:
        from sqlalchemy.exc import SQLAlchemyError

        if not isinstance(error, SQLAlchemyError):
            machinery.failed("recover", error)


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
    Take the steps that the ledger says, and stop what it says is stopped, as a running program would.

    Args:
        manager: The rules.
    """
    found = opened()  # one that is not there stops nothing: the program would begin it
    features, rollouts = found.status()["features"], found.rollouts()
    builds = {name: feature["candidate_build"] for name, feature in features.items()}
    manager.apply_rollouts({name: step_of(rollouts.get(name), build) for name, build in builds.items()})
    for name, feature in features.items():
        if feature["stage"] == "blocked":
            manager.block(name, "blocked")
    manager.apply_fleet(found.pauses())
