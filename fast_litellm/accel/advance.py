"""
Automatic advance: the gate is asked of every feature whose plan says so, and what it says is done.

One process of a fleet asks, the one that has had the feature for longest, so that a thousand processes read little more
of the ledger than one. Should two ask, a rollout is moved once all the same.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable, Optional

from fast_litellm import events
from fast_litellm.accel import promotion
from fast_litellm.accel.promotion import Order
from fast_litellm.errors import PromotionError

if TYPE_CHECKING:
    from fast_litellm.accel.promotion import Position
    from fast_litellm.flags import FlagManager
    from fast_litellm.shadow import Ledger
    from fast_litellm.shadow.rollouts import Rollout

_ACTOR = "auto"


class Advance:
    """
    Looks after the plans of one process's rules.

    Args:
        ledger: Evidence and rollouts.
        manager: The rules.
        clock: Seconds since 1970.
    """

    def __init__(self, ledger: Ledger, manager: FlagManager, clock: Callable[[], float] = time.time) -> None:
        self._ledger = ledger
        self._manager = manager
        self._clock = clock

    def look(self) -> None:
        """
        Asks the gate once of every feature with an automatic plan.

        Raises:
            LedgerError: The ledger cannot be read or written; the next look comes soon.
        """
        for name in self._manager.status()["flags"]:
            if self._is_automatic(name) and self._ledger.leads(name):
                self._look_after(name)

    def _is_automatic(self, name: str) -> bool:
        return self._manager.plan(name).is_automatic and self._manager.follows_plan(name)

    def _look_after(self, name: str) -> None:
        now = self._clock()
        position = promotion.assess(self._ledger, name, self._manager.plan(name), self._manager.gate(name), now)
        if position is None or (position.rollout is not None and _waits(position)):
            return
        try:
            moved = self._move(position, now)
        except PromotionError:  # another process was quicker: its move is the one that counts
            return
        if moved is not None:
            self._note(position)
            step = position.plan.steps[moved.step].name
            events.tell("accel", "warning", events.ROLLOUT_MOVED, feature=name, step=step, state=moved.state)

    def _move(self, position: Position, now: float) -> Optional[Rollout]:
        decision, step = position.verdict.decision, position.next
        if decision == "promote" and step is not None:
            return promotion.promote(self._ledger, position, step, Order(_ACTOR, "the gate opened", now))
        if decision == "roll_back":
            found = ", ".join(check.name for check in position.verdict.checks if check.is_terminal)
            return promotion.block(self._ledger, position, Order(_ACTOR, found, now))
        return None

    def _note(self, position: Position) -> None:
        from fast_litellm.shadow.evaluations import Evaluation

        checks = tuple(promotion.evaluation_of(position.verdict)["checks"])
        evaluation = Evaluation(position.evidence.epoch, position.step, position.verdict.decision, checks)
        self._ledger.record_gate_evaluation(evaluation)


def _waits(position: Position) -> bool:
    """A feature that was paused or blocked is moved by a person; another build begins anew."""
    rollout = position.rollout
    return rollout is not None and rollout.candidate_build == position.build and rollout.state in ("paused", "blocked")
