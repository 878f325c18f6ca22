"""
Waivers in the ledger: divergence classes that somebody has accepted, until a time and up to a number of comparisons.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, List, Optional

from fast_litellm.shadow.transition import Transition

if TYPE_CHECKING:
    from sqlalchemy import Connection


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
    from sqlalchemy import select

    from fast_litellm.shadow.schema import WAIVER

    columns = [column for column in WAIVER.c if column.name != "at"]
    found = connection.execute(select(*columns).order_by(WAIVER.c.fingerprint)).mappings()
    return [Waiver(**row) for row in found]
