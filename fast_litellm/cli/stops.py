"""What is stopped at run time, as a command finds it: on this host and in the fleet."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fast_litellm.errors import RuleError
from fast_litellm.flags import FlagManager
from fast_litellm.flags.page import existing
from fast_litellm.flags.standing import described, word_until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from fast_litellm.shadow.history import History


def stopped(ledger: History, config: Path | None, features: Iterable[str]) -> dict[str, dict[str, Any]]:
    """
    Args:
        ledger: Where the fleet's pauses are.
        config: The rule file whose processes on this host are asked about; None when none is known.
        features: Those to ask about beside the rule file's and the paused ones.

    Returns:
        Feature to `{"state", "until", "scope"}`, as `FlagManager.standing` has it, of those that do not run.
    """
    fleet = {name: word_until(until) for name, until in ledger.pauses().items()}
    page = existing(config) if config is not None else None
    found = {}
    for name in sorted({*features, *_declared(config), *fleet}):
        words = {"fleet": fleet.get(name, 0), "host": page.word(name) if page is not None else 0}
        standing = described(words, time.time())
        if standing["scope"] is not None:
            found[name] = standing
    return found


def _declared(config: Path | None) -> Iterable[str]:
    if config is not None:
        with suppress(RuleError):  # `validate` says what is wrong with it
            return FlagManager.from_file(config, scope="process").cell.stages()
    return ()
