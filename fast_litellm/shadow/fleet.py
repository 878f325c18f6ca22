"""
Following the ledger: what it says of pauses, rollouts and blocks reaches every process within about a second.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Tuple

from fast_litellm import events
from fast_litellm.errors import LedgerError
from fast_litellm.shadow import machinery
from fast_litellm.shadow.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

Known = Mapping[Any, Any]
Read = Callable[["Connection", Known], Known]
"""Takes what was known, returns what is: whatever the ledger does not speak of stands."""

_PATIENCE_SECONDS = 1.0
"""How long a look waits for a locked ledger: it is repeated every second, and the first one delays an installation."""


@dataclass
class _Followed:
    listener: Callable[[Any], object]
    told: Known = field(default_factory=dict)


class Fleet:
    """
    What the ledger said when this process last looked.

    Only a row that says so ends a pause or a block: a database that is out of reach, or that has been removed, changes
    nothing.

    Args:
        store: The database.
        clock: Seconds, from any beginning.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._heard_at = -math.inf
        self._followed: Dict[Read, _Followed] = {}
        self._is_down = False
        self.looks = 0
        """How often it could be read."""

    @property
    def silence(self) -> float:
        """How old what is known is, in seconds; infinite before the first look."""
        return self._clock() - self._heard_at

    def follow(self, read: Read, listener: Callable[[Any], object]) -> None:
        """
        Args:
            read: What is followed; it has one listener, the last one given.
            listener: Takes what holds, whenever that has changed.
        """
        told = self._followed[read].told if read in self._followed else {}
        self._followed[read] = _Followed(listener, told)

    def look(self) -> None:
        """Tells the listeners what has changed. One that fails is told again; a ledger out of reach is logged once."""
        began, looks = self._clock(), self.looks
        for followed, known in self._known():
            if known == followed.told:
                continue
            try:
                followed.listener(known)
            except Exception as error:
                machinery.failed("look", error)
            else:
                followed.told = known
        if self.looks > looks:  # everybody has been told: what was not heard of by then came later than the look
            self._heard_at = began

    def _known(self) -> List[Tuple[_Followed, Known]]:
        if not self._followed:
            return []
        try:
            with self._store.reading(_PATIENCE_SECONDS) as connection:
                followed = [] if connection is None else list(self._followed.items())
                known = [(it, read(connection, it.told)) for read, it in followed if connection is not None]
        except LedgerError as error:
            if not self._is_down:
                events.logger("shadow").error(events.LEDGER_UNAVAILABLE, exception_class=type(error).__qualname__)
            self._is_down = True
            return []
        self._is_down = False
        self.looks += 1
        return known
