"""
The lease: for how long a process lets candidates answer without word from the ledger.

A candidate that another host has taken back must not go on answering here because the ledger in between is down. So the
right to let candidates answer ends by itself unless the ledger is heard again and again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fast_litellm import events

if TYPE_CHECKING:
    from fast_litellm.flags import FlagManager
    from fast_litellm.shadow import Ledger

LOOK_SECONDS = 0.2

_LOOKS = 2
"""So many looks in a row have to say so: after a pause of the whole process nobody has had the time to ask."""


class Lease:
    """
    Watches how long the ledger has been silent. It is not held before the ledger was heard for the first time.

    Args:
        seconds: How long candidates may answer after that.
        ledger: Knows how long that is.
        manager: The rules, which are told when it becomes too long, and when it no longer is.
    """

    def __init__(self, seconds: float, ledger: Ledger, manager: FlagManager) -> None:
        self._limit = seconds - _LOOKS * LOOK_SECONDS  # so that it has ended when the time is over
        self._ledger = ledger
        self._manager = manager
        self._is_held = True
        self._missed = 0

    def begin(self) -> None:
        """Decides for the first time, by one look."""
        self._missed = _LOOKS
        self.look()

    def look(self) -> None:
        """Decides again; to be called every `LOOK_SECONDS`."""
        self._missed = self._missed + 1 if self._ledger.silence >= self._limit else 0
        is_held = self._missed < _LOOKS
        if self._is_held != is_held:
            self._is_held = is_held
            self._manager.hold_lease(is_held=is_held)
            events.tell("accel", "warning", events.LEASE_RENEWED if is_held else events.LEASE_ENDED)
