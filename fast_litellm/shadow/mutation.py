"""
Whether both sides leave their arguments in the same state.

The candidate's arguments are looked at after every run. The control ran on the caller's own, which the caller may have
changed since, so what the control does to its arguments is found by running it again on a copy: whenever the candidate
changed its own, always for a control that was once seen to change them, and otherwise for the first calls and then for
a sample.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

from fast_litellm.shadow import comparators, engine
from fast_litellm.shadow.candidate import Call
from fast_litellm.shadow.comparators import Difference, Step

_FIRST_CALLS = 32
_EVERY = 32


class Mutations:
    """
    Compares the arguments of one experiment's two sides after their runs.

    Args:
        run_control: Runs the control on a copy of a call, which it may change; what it raises is contained.
    """

    def __init__(self, run_control: Callable[[Call], Any]) -> None:
        self._run_control = run_control
        self._looked_at = 0
        self._control_changes = False

    def difference(self, call: Call, candidate_call: Call) -> Optional[Difference]:
        """
        Args:
            call: The arguments as they were.
            candidate_call: The arguments as the candidate left them.

        Returns:
            The first difference between what both sides left, or None.
        """
        unchanged = comparators.exact(call, candidate_call) is None
        if unchanged and not self._is_due(call):
            return None
        control_call = fresh(call)
        self._run_control(control_call)
        self._control_changes |= comparators.exact(call, control_call) is not None
        found = comparators.exact(control_call, candidate_call)
        return found and Difference("mutation", (Step("arguments"), *found.path), found.control, found.candidate)

    def _is_due(self, call: Call) -> bool:
        if not _can_change(call):
            return False
        self._looked_at += 1
        return self._control_changes or self._looked_at <= _FIRST_CALLS or self._looked_at % _EVERY == 0


def fresh(call: Call) -> Call:
    """
    Returns:
        A copy of a frozen call that may be changed.
    """
    copy, _ = engine.current().freeze(call)
    return copy  # type: ignore[no-any-return]  # a copy has the type of what was copied


def _can_change(call: Call) -> bool:
    """A copy shares what nobody can change, so only what can be changed is another object in the copy."""
    values = (*call[0], *call[1].values())
    copy, _ = engine.current().freeze(values)
    return copy is not values
