"""
Promotion: where a feature stands in its plan, what the gate says of it, and the moves from one step to another.

A step is a row of the ledger, and a move replaces it only if it is what the mover has read: of two that would move a
feature at the same time, one does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Dict, FrozenSet, Mapping, Optional

from fast_litellm.errors import PromotionError
from fast_litellm.shadow.gate import Gate, Step
from fast_litellm.shadow.policy import Policy
from fast_litellm.shadow.rollouts import Rollout, step_of

if TYPE_CHECKING:
    from fast_litellm.flags.plan import Plan
    from fast_litellm.shadow import Ledger
    from fast_litellm.shadow.evidence import Evidence
    from fast_litellm.shadow.gate import Verdict
    from fast_litellm.shadow.history import History


@dataclass(frozen=True)
class Order:
    """
    Who moves a feature, and why.

    Args:
        actor: "auto", or a name somebody gave.
        reason: Why.
        at: When, in seconds since 1970.
    """

    actor: str
    reason: str
    at: float


@dataclass(frozen=True)
class Position:
    """
    Where a feature stands.

    Args:
        feature: The flag's name.
        plan: Its steps.
        evidence: Of its latest epoch.
        rollout: What the ledger says of it, be it of an earlier build; None when nobody has moved it.
        verdict: What the gate says of the next step.
    """

    feature: str
    plan: Plan
    evidence: Evidence
    rollout: Optional[Rollout]
    verdict: Verdict

    @property
    def build(self) -> str:
        """The candidate that the evidence is of."""
        return self.evidence.epoch.candidate_build

    @property
    def step(self) -> int:
        """An index into the plan: another build begins anew."""
        return step_of(self.rollout, self.build)

    @property
    def next(self) -> Optional[int]:
        """The step after this one; None at the end of the plan."""
        return self.step + 1 if self.step + 1 < len(self.plan.steps) else None

    def move(self, step: int, order: Order, state: str = "") -> Rollout:
        """
        Returns:
            The rollout at another step. Certified is what the gate certifies now; the first step needs nothing.
        """
        state = state or ("done" if step == len(self.plan.steps) - 1 else "running")
        certified: FrozenSet[str] = self.verdict.certified if step else frozenset()
        return Rollout(self.feature, self.build, step, state, order.at, order.actor, order.reason, certified)


def assess(history: History, feature: str, plan: Plan, gate: Mapping[str, Any], now: float) -> Optional[Position]:
    """
    Find out where a feature stands.

    Args:
        history: The ledger.
        feature: The flag's name.
        plan: Its steps.
        gate: What the rules say of its gate, as `Policy.of` takes it.
        now: Seconds since 1970.

    Returns:
        Its position; None while nothing of it was compared.

    Raises:
        LedgerError: The ledger cannot be read.
        ValueError: The rules ask the gate for something it does not have.
    """
    evidence = history.evidence(feature)
    if evidence is None:
        return None
    policy, rollout = Policy.of(gate), history.rollouts().get(feature)
    build = evidence.epoch.candidate_build
    index = step_of(rollout, build)
    since = rollout.since if rollout is not None and rollout.candidate_build == build else evidence.opened_at
    reached = replace(plan, reached=index).step
    verdict = Gate(policy).judge(evidence, Step(reached.name, since, reached.bake), now)
    return Position(feature, plan, evidence, rollout, verdict)


def promote(ledger: Ledger, position: Position, step: int, order: Order, *, is_forced: bool = False) -> Rollout:
    """
    Move a feature up its plan.

    Args:
        ledger: Where it is noted.
        position: Where the feature stands.
        step: An index into the plan.
        order: Who moves it, and why.
        is_forced: Do it against the gate; the trail says so.

    Returns:
        What the ledger says of it from here on.

    Raises:
        PromotionError: The gate does not say so, the step is not the next one, the candidate's build is blocked, or
            somebody else has moved it.
        LedgerError: The ledger cannot be written.
    """
    _check_released(ledger, position)
    if not is_forced:
        _check_gate(position, step)
    return _record(ledger, position, position.move(step, order), is_forced=is_forced)


def roll_back(ledger: Ledger, position: Position, order: Order) -> Rollout:
    """
    Move a feature back to the first step of its plan, where it stays until a person moves it.

    Args:
        ledger: Where it is noted.
        position: Where the feature stands.
        order: Who moves it, and why.

    Returns:
        What the ledger says of it from here on.

    Raises:
        PromotionError: Somebody else has moved it.
        LedgerError: The ledger cannot be written.
    """
    return _record(ledger, position, position.move(0, order, "paused"))


def block(ledger: Ledger, position: Position, order: Order) -> Optional[Rollout]:
    """
    Stop a candidate's build in every process of the ledger, and take it back to the first step.

    Args:
        ledger: Where it is noted.
        position: Where the feature stands.
        order: Who stops it, and why.

    Returns:
        What its rollout comes to; None when it is blocked already.

    Raises:
        LedgerError: The ledger cannot be written.
    """
    if ledger.blocked(position.feature, position.build) is not None:
        return None
    _record_state(ledger, position, "blocked", order)
    return position.move(0, order, "blocked")


def release(ledger: Ledger, position: Position, order: Order) -> None:
    """
    Let a blocked build go on, from the first step of its plan: what it had been promoted on had a difference in it.

    Args:
        ledger: Where it is noted.
        position: Where the feature stands.
        order: Who releases it, and why.

    Raises:
        PromotionError: Somebody else has moved it meanwhile, and the build stays blocked.
        LedgerError: The ledger cannot be written.
    """
    rollout = position.rollout
    if rollout is not None and rollout.candidate_build == position.build and rollout.state != "paused":
        _record(ledger, position, position.move(0, order, "running"))
    _record_state(ledger, position, "released", order)


def evaluation_of(verdict: Verdict) -> Dict[str, Any]:
    """
    Returns:
        A verdict as JSON values, for the trail.
    """
    return {"decision": verdict.decision, "checks": [asdict(check) for check in verdict.checks]}


def _check_gate(position: Position, step: int) -> None:
    missing = [f"{check.name}: {check.missing or check.saw}" for check in position.verdict.checks if not check.holds]
    if position.verdict.decision != "promote":
        raise PromotionError(f"the gate of {position.feature} does not open: {'; '.join(missing)}")
    if step != position.next:
        name = position.plan.steps[position.step].name
        raise PromotionError(f"{position.feature} is at {name}, and the gate opens for the next step alone")


def _check_released(ledger: Ledger, position: Position) -> None:
    reason = ledger.blocked(position.feature, position.build)
    if reason is not None:
        raise PromotionError(
            f"this build of {position.feature} is blocked by {reason}: no promotion changes that, but another build or "
            f"`fast-litellm waive {position.feature} CLASS` does"
        )


def _record_state(ledger: Ledger, position: Position, state: str, order: Order) -> None:
    ledger.record_transition(position.feature, position.build, state, actor=order.actor, reason=order.reason)


def _record(ledger: Ledger, position: Position, rollout: Rollout, *, is_forced: bool = False) -> Rollout:
    step = position.plan.steps[rollout.step].name
    evaluation = {**evaluation_of(position.verdict), "step": step, "forced": is_forced}
    if not ledger.record_rollout(rollout, expected=position.rollout, evaluation=evaluation):
        raise PromotionError(f"somebody else has moved {position.feature} meanwhile; look again")
    return rollout
