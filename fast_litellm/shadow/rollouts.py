"""
Rollouts in the ledger: the step of its plan that each feature has reached. Every process of the ledger takes it.
"""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Dict, FrozenSet, Mapping, Optional, Sequence

from fast_litellm.shadow.transition import Transition

if TYPE_CHECKING:
    from sqlalchemy import Connection


MOVING = ("running", "done")
"""States of a rollout whose step holds; in every other the candidate answers nothing by the plan."""
FOLLOWING = ("shadow", "canary", "on")
"""Stages that a flag takes from its plan."""
TAKEN_BACK = "taken back"
"""How the trail calls a step to which a person has put a feature back."""


@dataclass(frozen=True)
class Rollout:
    """
    Where a feature stands in its plan.

    Args:
        feature: The flag's name.
        candidate_build: Which candidate.
        step: An index into the plan.
        state: "running" | "paused" | "blocked" | "done".
        since: When it came to this, in seconds since 1970.
        actor: Who moved it: "auto", or a name somebody gave.
        reason: Why.
        certified: The cells whose calls the candidate may answer.
    """

    feature: str
    candidate_build: str
    step: int
    state: str
    since: float
    actor: str
    reason: str
    certified: FrozenSet[str] = frozenset()


def write(
    connection: Connection, rollout: Rollout, expected: Optional[Rollout], evaluation: Optional[Mapping[str, Any]]
) -> bool:
    """
    Replace what is known of a rollout if it is what its writer took it to be, and append to the audit trail.

    Args:
        connection: In a write transaction.
        rollout: What it comes to.
        expected: What it was when that was decided; None when there was none.
        evaluation: The gate's verdict it rests on, and as `step` the name of the step.

    Returns:
        Whether it was replaced.
    """
    from fast_litellm.shadow import audit, writing
    from fast_litellm.shadow.schema import ROLLOUT

    audit.lock(connection)  # from the comparison to the commit
    if read(connection).get(rollout.feature) != expected:
        return False
    row = {**asdict(rollout), "certified": json.dumps(sorted(rollout.certified))}
    writing.upsert(connection, ROLLOUT, [row])
    writing.write_transition(connection, _transition(rollout, evaluation))
    return True


def take_back(connection: Connection, transition: Transition) -> None:
    """
    Puts the rollout of a build that is blocked back to the first step, unless a person has done so already. Whoever was
    about to move it sees that it has changed.
    """
    from fast_litellm.shadow.schema import ROLLOUT

    table = ROLLOUT.c
    blocked = ROLLOUT.update().values(step=0, state="blocked", certified="[]", since=transition.at)
    blocked = blocked.values(actor=transition.actor, reason=transition.reason)
    is_meant = (table.feature == transition.feature) & (table.candidate_build == transition.candidate_build)
    connection.execute(blocked.where(is_meant, table.state.in_(("running", "done"))))


def read(connection: Connection) -> Dict[str, Rollout]:
    """
    Returns:
        Every feature's rollout.
    """
    found = connection.execute(_all()).mappings()
    return {row["feature"]: Rollout(**{**row, "certified": frozenset(json.loads(row["certified"]))}) for row in found}


@functools.lru_cache(maxsize=1)
def _all() -> Any:
    """Once, as for pauses."""
    from sqlalchemy import select

    from fast_litellm.shadow.schema import ROLLOUT

    return select(ROLLOUT).order_by(ROLLOUT.c.feature)


def current(connection: Connection, known: Mapping[str, Rollout]) -> Mapping[str, Rollout]:
    """
    Returns:
        What is known of all rollouts with what the ledger says of them; one that it does not name stands.
    """
    return {**known, **read(connection)}


def step_of(rollout: Optional[Rollout], build: str) -> int:
    """
    Returns:
        The step that a rollout gives a build: 0 without one, for another build, and while it is paused or blocked.
    """
    holds = rollout is not None and rollout.candidate_build == build and rollout.state in MOVING
    return rollout.step if rollout is not None and holds else 0


def stage_of(told: Mapping[str, Any], state: Optional[str], step: int, paused: Mapping[str, bool]) -> Optional[str]:
    """
    What was decided last holds, whether or not a process has been there to follow.

    Args:
        told: What a process said of the feature last: its `stage`, the `plan` that decides it, if one does, the scope
            of its `pause`, if it is paused, and its stage `unpaused`.
        state: That of the candidate's build in the ledger, such as "blocked" or "released".
        step: The one that the ledger gives the build.
        paused: What the ledger says of pauses of the feature: scope to whether the last one there lasts.

    Returns:
        The stage of the feature; None when nobody has said anything of it.
    """
    if state == "blocked":
        return state
    stage = _planned(told.get("unpaused", told.get("stage")), told.get("plan"), state, step)
    where: Optional[str] = told.get("pause")
    is_paused = paused.get("fleet", False) or (where is not None and paused.get(where, True))
    return "paused" if is_paused and stage not in ("off", "blocked", None) else stage


def _planned(stage: Optional[str], plan: Optional[Sequence[str]], state: Optional[str], step: int) -> Optional[str]:
    follows = stage in FOLLOWING or (stage == "blocked" and state == "released")
    return _stage_at(plan[step if step < len(plan) else 0]) if plan and follows else stage


def _stage_at(name: str) -> str:
    """A step is named after what it serves: nothing, everything, or a share."""
    return name if name in FOLLOWING else "canary"


def _said(rollout: Rollout, name: Optional[str]) -> str:
    """The step by its name, where whoever moves the feature knows it."""
    state = TAKEN_BACK if rollout.state == "paused" else rollout.state
    if name is None:
        return f"step {rollout.step} ({state})"
    return name if rollout.state in MOVING else f"{name} ({state})"


def _transition(rollout: Rollout, evaluation: Optional[Mapping[str, Any]]) -> Transition:
    return Transition(
        rollout.feature,
        rollout.candidate_build,
        _said(rollout, (evaluation or {}).get("step")),
        rollout.actor,
        rollout.reason,
        rollout.since,
        scope="rollout",
        evaluation=evaluation,
    )
