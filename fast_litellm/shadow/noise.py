"""
Functions that do not always give the same answer, and what may still be held against their candidates.

    none    the function is deterministic; a control that is seen to disagree with itself waives a difference
    tape    both sides are run off the caller's path, and draw the same numbers at the same moment; see `tape`
    paired  the control is run again for every call, and its difference with itself is held against the candidate's

Identifiers and times that are all that varies need none of this, but a comparator: `comparators.canonical`.
"""

from __future__ import annotations

import math
from typing import Optional

from fast_litellm.shadow import engine
from fast_litellm.shadow.comparators import Difference

KINDS = ("none", "tape", "paired")

WITHIN, BEYOND = "within_noise", "beyond_noise"
"""Notes of a difference: the control differs from itself as often, or does not."""

FLAW = "flaw_of_the_control"
"""Note of a difference: without a flaw that is known, the control does what the candidate did."""

ALPHA = 1e-3
"""How often a candidate that is like another run of the control is blocked, in one process, for ever."""

_CERTAIN = frozenset({"timeout", "panic", "crash", "comparator_error"})


def name(comparator: str, kind: str) -> str:
    """
    Returns:
        What evidence belongs to: a comparator's name, and what is done about noise.
    """
    return comparator if kind == "none" else f"{comparator};noise={kind}/1"


class Signs:
    """
    Calls in which exactly one of candidate and second run of the control differs from the control's first.

    In each of them it is the candidate with a probability of one half, if the candidate is like another run of the
    control. That is tested exactly, at all times together; see docs/decisions/0016-gate.md.
    """

    def __init__(self) -> None:
        self.candidate = 0
        self.control = 0

    def add(self, *, candidate: bool, control: bool) -> None:
        """
        Args:
            candidate: The candidate differs from the control's first run.
            control: The control's second run does.
        """
        self.candidate += candidate and not control
        self.control += control and not candidate

    @property
    def is_excess(self) -> bool:
        """Whether the candidate is proven to differ more often than the control does from itself."""
        return engine.current().sign_excess(self.candidate, self.control) >= -math.log(ALPHA)


def may_be_noise(found: Optional[Difference]) -> bool:
    """
    Returns:
        Whether a difference, or that there was none, can be of another kind in another run.
    """
    return found is None or found.kind not in _CERTAIN
