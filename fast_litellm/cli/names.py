"""
A feature as a command names it: a mistyped name must look neither like success nor like nothing to report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from fast_litellm import settings
from fast_litellm.accel import names
from fast_litellm.cli import console, evidence
from fast_litellm.errors import LedgerError, RuleError
from fast_litellm.flags import FlagManager, engine

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def check(feature: str, config: Path | None = None) -> None:
    """
    End the command if nobody knows the feature: neither this package, nor the rule file, nor the ledger. Where one of
    the last two cannot be read, the name is taken as it is: in an emergency neither may be in the way.

    Args:
        feature: The name.
        config: The rule file; else the one that FAST_LITELLM_CONFIG names.

    Raises:
        CommandFailed: It is nobody's; the nearest name is offered.
    """
    known = set(names.known())
    sources: tuple[Callable[[], Collection[str] | None], ...] = (lambda: _declared(feature, config), _remembered)
    for source in sources:
        if feature in known:
            return
        found = source()
        if found is None:
            return
        known.update(found)
    if feature in known:
        return
    hint = engine.current().nearest(feature, sorted(known))
    console.fail(f'no feature is called "{feature}"', hint or f"there are {', '.join(sorted(known))}", exit_code=2)


def _declared(feature: str, config: Path | None) -> Collection[str] | None:
    """The flags of the rule file; None when it cannot be used."""
    path = config or settings.read().config
    if path is None:
        return ()
    try:
        return FlagManager.from_file(path, scope="process").cell.stages()
    except RuleError:
        console.say(f"{path} cannot be used, so it is not known whether it declares {feature}")
        return None


def _remembered() -> Collection[str] | None:
    """The features that the ledger has heard of; None when it cannot be read."""
    try:
        ledger = evidence.opened()
        trail = {entry["feature"] for entry in ledger.audit()}
        differing = {record["feature"] for record in ledger.divergences()}
        return {*ledger.status()["features"], *trail, *differing}
    except LedgerError:
        return None
