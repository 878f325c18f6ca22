"""
Waivers in the ledger: divergence classes that somebody has accepted, until a time and up to a number of comparisons.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Tuple

from fast_litellm.shadow.transition import Transition

if TYPE_CHECKING:
    from sqlalchemy import Connection

Accepted = Mapping[Tuple[str, str], float]
"""By feature and fingerprint: until when it is accepted, in seconds since 1970."""

_USED_UP = 0.0


@dataclass(frozen=True)
class Waiver:
    """
    An acceptance of one divergence class. A later one of the same class replaces it; one that has expired revokes it.

    Args:
        fingerprint: The class.
        feature: The flag's name.
        actor: Who accepts it.
        reason: Why.
        expires_at: When it ends, in seconds since 1970.
        max_count: It ends when the class has more comparisons than this; None when their number does not matter.
    """

    fingerprint: str
    feature: str
    actor: str
    reason: str
    expires_at: float
    max_count: Optional[int] = None


def write(connection: Connection, waiver: Waiver, now: float) -> None:
    """Appends to the audit trail and changes what is accepted."""
    from fast_litellm.shadow import writing
    from fast_litellm.shadow.schema import WAIVER

    state = f"waived:{waiver.fingerprint}"
    transition = Transition(
        waiver.feature, "", state, waiver.actor, waiver.reason, now, scope="class", until=waiver.expires_at
    )
    writing.write_transition(connection, transition)
    writing.upsert(connection, WAIVER, [{**asdict(waiver), "at": now}])


def read(connection: Connection) -> List[Waiver]:
    """
    Returns:
        Every class's last waiver, expired ones included.
    """
    return [Waiver(**row) for row in connection.execute(_all()).mappings()]


def accepted(connection: Connection, known: Accepted) -> Accepted:
    """
    Returns:
        Which classes are accepted: what was known, changed by what the ledger says. Only a row that says so, or time,
        ends an acceptance.
    """
    said, counts = dict(known), _counts(connection)
    for waiver in read(connection):
        is_used_up = waiver.max_count is not None and counts.get(waiver.fingerprint, 0) > waiver.max_count
        said[waiver.feature, waiver.fingerprint] = _USED_UP if is_used_up else waiver.expires_at
    return said


def _counts(connection: Connection) -> Mapping[str, int]:
    """By class with a limited waiver, its comparisons in the epoch that has most of them: one is judged at a time."""
    counts: Dict[str, int] = {}
    for fingerprint, count in connection.execute(_limited()):
        counts[fingerprint] = max(int(count), counts.get(fingerprint, 0))
    return counts


@functools.lru_cache(maxsize=1)
def _all() -> Any:
    """Once, as for pauses."""
    from sqlalchemy import select

    from fast_litellm.shadow.schema import WAIVER

    columns = [column for column in WAIVER.c if column.name != "at"]
    return select(*columns).order_by(WAIVER.c.fingerprint)


@functools.lru_cache(maxsize=1)
def _limited() -> Any:
    """Comparisons of the classes with a limited waiver, by epoch."""
    from sqlalchemy import func, select

    from fast_litellm.shadow.schema import SIGHTING, WAIVER

    limited = select(SIGHTING.c.fingerprint, func.sum(SIGHTING.c.count).label("count"))
    limited = limited.join_from(SIGHTING, WAIVER, WAIVER.c.fingerprint == SIGHTING.c.fingerprint)
    return limited.where(WAIVER.c.max_count.is_not(None)).group_by(SIGHTING.c.fingerprint, SIGHTING.c.epoch_id)
