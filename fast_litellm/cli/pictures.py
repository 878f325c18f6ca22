"""The picture that `report`, `dashboard` and `metrics` show: one ledger, seen at one moment."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Callable

from fast_litellm.cli import console, evidence
from fast_litellm.shadow.dashboard.picture import take

if TYPE_CHECKING:
    from fast_litellm.shadow.dashboard.model import Picture


def camera() -> Callable[[], Picture]:
    """
    Returns:
        Takes a picture of the ledger whenever it is called; of one that cannot be read it says so.

    Raises:
        LedgerError: The address names no ledger.
        RuleError: The environment cannot be read.
    """
    ledger, address = evidence.ledger(), evidence.address()
    return lambda: take(ledger, address, time.time(), {})


def current(feature: str | None = None) -> Picture:
    """
    Args:
        feature: The one to show; None shows all.

    Returns:
        The picture; of a ledger that cannot be read it says so.

    Raises:
        CommandFailed: The ledger knows no such feature.
        LedgerError: The address names no ledger.
        RuleError: The environment cannot be read.
    """
    picture = camera()()
    if feature is None or not picture.features:
        return picture
    found = tuple(one for one in picture.features if one.name == feature)
    if not found:
        names = ", ".join(one.name for one in picture.features)
        console.fail(f"{picture.ledger} knows no feature {feature!r}", f"it has {names}")
    return replace(picture, features=found)
