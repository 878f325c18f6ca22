"""
The answer to "which implementation serves this call?".
"""

from __future__ import annotations

from typing import NamedTuple, Optional


class Decision(NamedTuple):
    """
    Which implementation serves a call, and why.

    Args:
        flag: The flag that was asked for.
        stage: off | shadow | canary | on | blocked.
        serve: python | rust | the name of another implementation.
        shadow: Whether the call is one of those that are compared, before sampling.
        reason: STATIC | TARGETING_MATCH | SPLIT | DISABLED | DEFAULT | STALE | ERROR, in OpenFeature's meaning.
        detail: The reason made precise: "killed", "env_override", "missing_unit", "no_rule", "pinned:<stage>",
            "FLAG_NOT_FOUND", what a block said, or, beside STALE, the reason the rules gave, in lower case. Empty when
            there is nothing to add.
        rule: The name of the rule that matched.
        bucket: The unit's bucket, 0 to 999,999, when a percentage was drawn.
        threshold: What the bucket was compared with: below it a candidate serves, at or above it Python.
        revision: The revision of the rules.
    """

    flag: str
    stage: str
    serve: str
    shadow: bool
    reason: str
    detail: str
    rule: Optional[str]
    bucket: Optional[int]
    threshold: Optional[int]
    revision: str
