"""The picture that `report`, `dashboard` and `metrics` show: one ledger, seen at one moment."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from fast_litellm.cli import console, evidence
from fast_litellm.shadow.dashboard.picture import take

if TYPE_CHECKING:
    from fast_litellm.shadow.dashboard.model import Picture


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
    picture = take(evidence.ledger(), evidence.address(), time.time(), {})
    if feature is None or not picture.features:
        return picture
    found = tuple(one for one in picture.features if one.name == feature)
    if not found:
        names = ", ".join(one.name for one in picture.features)
        console.fail(f"{evidence.address()} knows no feature {feature!r}", f"it has {names}")
    return replace(picture, features=found)
