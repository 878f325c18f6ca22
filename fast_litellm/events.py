"""
Every event this package logs, in one list.

Names are `package.past_or_state`. Values are counts, durations with their unit in the name, class names, keyed
digests and words from fixed sets: never a prompt, a completion, a tool argument, a key, a header, a user or a team.
The library configures no logging.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import Any, Final, List

import structlog

from fast_litellm.interruptions import is_from_elsewhere

RULES_LOADED: Final = "flags.rules_loaded"
RULES_REJECTED: Final = "flags.rules_rejected"
RULES_STEP_FAILED: Final = "flags.step_failed"
FLAG_PAUSED: Final = "flags.paused"
FLAG_RESUMED: Final = "flags.resumed"
GUARD_TRIPPED: Final = "flags.guard_tripped"
GUARD_RETRYING: Final = "flags.guard_retrying"
GUARD_CLOSED: Final = "flags.guard_closed"
STOPS_NOT_SHARED: Final = "flags.stops_not_shared"
ENVIRONMENT_ALIAS_USED: Final = "settings.deprecated_alias_used"
SEAM_PATCHED: Final = "accel.seam_patched"
SEAM_SKIPPED: Final = "accel.seam_skipped"
SEAM_FAILED: Final = "accel.seam_failed"
SEAM_RESTORED: Final = "accel.seam_restored"
CANDIDATE_FAILED: Final = "accel.candidate_failed"
DIVERGENCE: Final = "shadow.divergence"
FEATURE_BLOCKED: Final = "shadow.feature_blocked"
COMPARING_STOPPED: Final = "shadow.comparing_stopped"
MACHINERY_FAILED: Final = "shadow.machinery_failed"
PROMOTION_FAILED: Final = "accel.promotion_failed"
LEASE_ENDED: Final = "accel.lease_ended"
LEASE_RENEWED: Final = "accel.lease_renewed"
ROLLOUT_MOVED: Final = "accel.rollout_moved"
CAPTURE_BEGUN: Final = "shadow.capture_begun"
CAPTURE_REFUSED: Final = "shadow.capture_refused"
RING_TORN: Final = "shadow.ring_torn"
LEDGER_UNAVAILABLE: Final = "shadow.ledger_unavailable"
LEDGER_REPLACED: Final = "shadow.ledger_replaced"


_telling = threading.local()

lost: Counter[str] = Counter()
"""Events that could not be logged since the process began, by the class of what the logging raised."""

_PROCESSORS: List[Any] = [
    structlog.stdlib.filter_by_level,
    structlog.processors.KeyValueRenderer(key_order=["event"], drop_missing=True),
]


def logger(name: str) -> Any:
    """
    The package's logger.

    A program that has configured structlog gets the events through its own processors. Otherwise they go to the
    standard library's logger `fast_litellm.<name>` as one line of key=value pairs, and nothing is printed on standard
    output.

    Args:
        name: The room that logs: "flags", "accel", "shadow", "settings".

    Returns:
        A structlog bound logger.
    """
    full_name = f"fast_litellm.{name}"
    if structlog.is_configured():
        return structlog.get_logger(full_name).bind(logger=full_name)
    return structlog.wrap_logger(
        logging.getLogger(full_name), processors=_PROCESSORS, wrapper_class=structlog.stdlib.BoundLogger
    )


def tell(name: str, level: str, event: str, **facts: Any) -> None:
    """
    Log in a place that must go on whatever the program's logging does: in somebody's call or import.

    What the logging raises is counted in `lost` and goes no further, unless it is the program's. So is an event of a
    call that the logging itself makes while it writes another event: a formatter may call a function that stands at a
    seam.

    Args:
        name: The room that logs, as for `logger`.
        level: "info", "warning" or "error".
        event: One of the names above.
        facts: What goes with it.
    """
    if getattr(_telling, "is_under_way", False):
        lost["nested"] += 1
        return
    _telling.is_under_way = True
    try:
        getattr(logger(name), level)(event, **facts)
    except Exception as error:
        if is_from_elsewhere(error):
            raise
        lost[type(error).__qualname__] += 1
    finally:
        _telling.is_under_way = False
