"""
Changes of state that the audit trail records.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional


@dataclass(frozen=True)
class Transition:
    """
    A change of a feature's state.

    Args:
        feature: The flag's name.
        candidate_build: For which candidate; "" for all.
        state: The state it comes to, such as "blocked".
        actor: Who did it: "auto", or a name somebody gave.
        reason: Why: a divergence class, or words somebody gave.
        at: When, in seconds since 1970.
        scope: What it holds for: "build" | "host" | "fleet" | "rollout" | "class".
        until: When it ends by itself, in seconds since 1970; None when it does not.
        evaluation: The gate's verdict it rested on.
        uid: Its name; a transition is recorded once, however often it is written.
    """

    feature: str
    candidate_build: str
    state: str
    actor: str
    reason: str
    at: float
    scope: str = "build"
    until: Optional[float] = None
    evaluation: Optional[Mapping[str, Any]] = None
    uid: str = field(default_factory=lambda: uuid.uuid4().hex)
