"""
What may be told of one evaluation: names, reasons and codes, never a unit or an attribute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Optional

if TYPE_CHECKING:
    from fast_litellm.flags.decision import Decision

PROVIDER = "fast-litellm"
"""The name under which flags are known to OpenFeature and OpenTelemetry."""


class Evaluation(NamedTuple):
    """
    One evaluation, in OpenFeature's words.

    Args:
        flag: The flag that was asked for.
        variant: The implementation that serves; None when the caller's default was returned.
        reason: STATIC | TARGETING_MATCH | SPLIT | DISABLED | DEFAULT | STALE | ERROR, or another provider's word.
        version: The revision of the rules; None when there is none.
        error_code: FLAG_NOT_FOUND and its like; empty when nothing went wrong.
        provider: Who decided.
    """

    flag: str
    variant: Optional[str]
    reason: str
    version: Optional[str]
    error_code: str = ""
    provider: str = PROVIDER


def of(decision: Decision) -> Evaluation:
    """Returns what may be told of a decision."""
    code = decision.detail if decision.reason == "ERROR" else ""
    return Evaluation(decision.flag, decision.serve, decision.reason, decision.revision, code)
