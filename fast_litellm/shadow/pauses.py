"""
Pauses in the ledger: who stopped which feature and why, and which of these stops hold for every process of the ledger.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional

from fast_litellm.shadow.transition import Transition

if TYPE_CHECKING:
    from sqlalchemy import Connection

FLEET = "fleet"

Listener = Callable[[Mapping[str, Optional[float]]], object]


@dataclass(frozen=True)
class Pause:
    """
    A person's word on a feature, whatever its candidate.

    Args:
        feature: The flag's name.
        state: "paused" or "running".
        scope: "host", which is noted only, or "fleet", which every process of the ledger obeys.
        actor: Who said it.
        reason: Why.
        until: When it ends by itself, in seconds since 1970; None when it does not.
    """

    feature: str
    state: str
    scope: str
    actor: str
    reason: str
    until: Optional[float] = None


def write(connection: Connection, pause: Pause, now: float) -> None:
    """Appends to the audit trail, and for the fleet changes what holds."""
    from fast_litellm.shadow import writing
    from fast_litellm.shadow.schema import PAUSE

    writing.write_transition(
        connection,
        Transition(
            pause.feature, "", pause.state, pause.actor, pause.reason, now, scope=pause.scope, until=pause.until
        ),
    )
    if pause.scope == FLEET:
        row = {"feature": pause.feature, "state": pause.state, "until": pause.until}
        writing.upsert(connection, PAUSE, [{**row, "actor": pause.actor, "reason": pause.reason, "at": now}])


def read(connection: Connection) -> List[Mapping[str, Any]]:
    """
    Returns:
        What was last said of each feature for the fleet, also that it runs again.
    """
    return [dict(row) for row in connection.execute(_all()).mappings()]


@functools.lru_cache(maxsize=1)
def _all() -> Any:
    """Once: a query takes as long to make as to answer, and this one is asked every second."""
    from sqlalchemy import select

    from fast_litellm.shadow.schema import PAUSE

    return select(PAUSE).order_by(PAUSE.c.feature)


def current(connection: Connection, known: Mapping[str, Optional[float]]) -> Mapping[str, Optional[float]]:
    """
    Returns:
        What holds: what was known, changed by what the ledger says. Only a row that says so ends a pause.
    """
    said = dict(known)
    for row in read(connection):
        said.pop(row["feature"], None)
        if row["state"] == "paused":
            said[row["feature"]] = row["until"]
    return said


def lasting(connection: Connection, now: float) -> Dict[str, Dict[str, bool]]:
    """
    Returns:
        Feature to scope to whether what was last said there is a pause that has not ended; nothing where nobody has
        said anything.
    """
    found = {row["feature"]: {FLEET: lasts(row["state"], row["until"], now)} for row in read(connection)}
    for row in connection.execute(_of_hosts()).mappings():
        found.setdefault(row["feature"], {})["host"] = lasts(row["to_state"], row["until"], now)
    return found


def lasts(state: str, until: Optional[float], now: float) -> bool:
    """
    Returns:
        Whether a word is a pause that has not ended.
    """
    return state == "paused" and (until is None or until > now)


@functools.lru_cache(maxsize=1)
def _of_hosts() -> Any:
    """The last word on each feature, of the trail: a pause of one host is nowhere else."""
    from sqlalchemy import func, select

    from fast_litellm.shadow.schema import TRANSITION

    table = TRANSITION.c
    last = select(func.max(table.seq)).where(table.scope == "host").group_by(table.feature)
    return select(table.feature, table.to_state, table.until).where(table.seq.in_(last))
