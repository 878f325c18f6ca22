"""
Pauses in the ledger: who stopped which feature and why, and which of these stops hold for every process of the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional

from fast_litellm import events
from fast_litellm.errors import LedgerError
from fast_litellm.shadow.store import Store
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
    from sqlalchemy import select

    from fast_litellm.shadow.schema import PAUSE

    return [dict(row) for row in connection.execute(select(PAUSE).order_by(PAUSE.c.feature)).mappings()]


_PATIENCE_SECONDS = 1.0
"""How long a look waits for a locked ledger: it is repeated every second, and the first one delays an installation."""


class Fleet:
    """
    The fleet's pauses as this process last saw them.

    Only a row that says so ends a pause: a database that is out of reach, or that has been removed, changes nothing.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self.listener: Optional[Listener] = None
        self._store = store
        self._said: Dict[str, Optional[float]] = {}
        self._is_down = False

    def look(self) -> None:
        """Tells the listener what holds, if that has changed. A ledger out of reach is logged once an outage."""
        if self.listener is None:
            return
        said = dict(self._said)
        for row in self._rows():
            said.pop(row["feature"], None)
            if row["state"] == "paused":
                said[row["feature"]] = row["until"]
        if said != self._said:
            self._said = said
            self.listener(said)

    def _rows(self) -> List[Mapping[str, Any]]:
        try:
            with self._store.reading(_PATIENCE_SECONDS) as connection:
                rows = read(connection) if connection is not None else []
        except LedgerError as error:
            if not self._is_down:
                events.logger("shadow").error(events.LEDGER_UNAVAILABLE, exception_class=type(error).__qualname__)
            self._is_down = True
            return []
        self._is_down = False
        return rows
