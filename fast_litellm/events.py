"""
Every event this package logs, in one list.

Names are `package.past_or_state`. Values are counts, durations with their unit in the name, class names, keyed
digests and words from fixed sets: never a prompt, a completion, a tool argument, a key, a header, a user or a team.
The library configures no logging: structlog's own defaults, or whatever the program has configured, render these.
"""

from __future__ import annotations

from typing import Any, Final

import structlog

RULES_LOADED: Final = "flags.rules_loaded"
RULES_REJECTED: Final = "flags.rules_rejected"
RULES_STEP_FAILED: Final = "flags.step_failed"
ENVIRONMENT_ALIAS_USED: Final = "settings.deprecated_alias_used"
SEAM_PATCHED: Final = "accel.seam_patched"
SEAM_SKIPPED: Final = "accel.seam_skipped"
SEAM_RESTORED: Final = "accel.seam_restored"
CANDIDATE_FAILED: Final = "accel.candidate_failed"
DIVERGENCE: Final = "shadow.divergence"
FEATURE_BLOCKED: Final = "shadow.feature_blocked"
MACHINERY_FAILED: Final = "shadow.machinery_failed"
LEDGER_UNAVAILABLE: Final = "shadow.ledger_unavailable"


def logger(name: str) -> Any:
    """
    The package's logger.

    Args:
        name: The room that logs: "flags", "accel", "shadow", "settings".

    Returns:
        A structlog bound logger with `logger="fast_litellm.<name>"`.
    """
    return structlog.get_logger(f"fast_litellm.{name}").bind(logger=f"fast_litellm.{name}")
