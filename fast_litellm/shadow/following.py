"""
What the fleet decides, read from the ledger: whoever follows it is told of it within about a second.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, Tuple

from fast_litellm.shadow import machinery, pauses, rollouts, waivers
from fast_litellm.shadow.decisions import Decisions
from fast_litellm.shadow.fleet import Fleet, Read

if TYPE_CHECKING:
    from fast_litellm.shadow.pauses import Listener
    from fast_litellm.shadow.process import Process
    from fast_litellm.shadow.rollouts import Rollout
    from fast_litellm.shadow.store import Store
    from fast_litellm.shadow.waivers import Accepted


class Following(Decisions):
    """
    The part of a ledger that follows the fleet.

    Args:
        store: The database.
        clock: Seconds since 1970.
    """

    _looking: threading.Lock
    _process: Optional[Process]

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        super().__init__(store, clock)
        self._fleet = Fleet(store)
        self._accepted: Accepted = {}
        self._is_looked_apart = False

    def _start(self) -> None:
        """Starts the thread that looks again and again."""
        raise NotImplementedError

    def accepts(self, feature: str, fingerprint: str) -> bool:
        """
        Ask for a waiver, as this process last heard of it from the fleet; the database is not asked.

        Args:
            feature: The flag's name.
            fingerprint: The divergence class.

        Returns:
            Whether somebody has accepted the class, and the acceptance has neither expired nor been used up.
        """
        return self._accepted.get((feature, fingerprint), 0.0) > self._clock()

    @property
    def looks(self) -> int:
        """How often this process has read what the fleet decides."""
        return self._fleet.looks

    @property
    def silence(self) -> float:
        """How old what this process knows of the fleet's decisions is, in seconds; infinite before it has looked."""
        return self._fleet.silence

    def look_apart(self) -> Callable[[], None]:
        """
        Leave looking to the caller, on a thread that no write keeps waiting.

        Returns:
            `look`, to be called again and again from here on.
        """
        self._is_looked_apart = True
        return self.look

    def leads(self, feature: str) -> bool:
        """
        Args:
            feature: The flag's name.

        Returns:
            Whether this is the process that has been running for longest of those that count the feature.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        from fast_litellm.shadow import reports

        with self._store.reading() as connection:
            eldest = None if connection is None else reports.eldest(connection, self._host(), self._clock(), feature)
        return eldest is not None and self._process is not None and eldest == self._process.proc_uuid

    def follow(self, listener: Listener) -> None:
        """
        Have a function told of the fleet's pauses: at once, and by the ledger's thread whenever they change.

        Args:
            listener: Takes feature to end in seconds since 1970, None for ever; it is called when there is something
                to tell.
        """
        self._follow(pauses.current, listener)

    def follow_fleet(
        self,
        *,
        pauses_changed: Listener,
        rollouts_changed: Callable[[Mapping[str, Rollout]], object],
        blocks_changed: Callable[[Mapping[Tuple[str, str], str]], object],
    ) -> None:
        """
        Have functions told of everything that the fleet decides, after one look: a ledger that somebody has locked is
        waited for once. Waivers hold from here on, too; they are heard of before a block is lifted.

        Args:
            pauses_changed: As for `follow`.
            rollouts_changed: As for `follow_rollouts`.
            blocks_changed: As for `follow_blocks`.
        """
        from fast_litellm.shadow import reports

        self._fleet.follow(pauses.current, pauses_changed)
        self._fleet.follow(rollouts.current, rollouts_changed)
        self._fleet.follow(waivers.accepted, self._take_accepted)
        self._follow(reports.blocks, blocks_changed)

    def follow_rollouts(self, listener: Callable[[Mapping[str, Rollout]], object]) -> None:
        """
        Have a function told of all rollouts: at once, and whenever one changes.

        Args:
            listener: Takes feature to rollout.
        """
        self._follow(rollouts.current, listener)

    def follow_blocks(self, listener: Callable[[Mapping[Tuple[str, str], str]], object]) -> None:
        """
        Have a function told of the builds that any process has blocked: at once, and whenever that changes.

        Args:
            listener: Takes feature and candidate build to the reason, usually a fingerprint.
        """
        from fast_litellm.shadow import reports

        self._follow(reports.blocks, listener)

    def _take_accepted(self, accepted: Accepted) -> None:
        self._accepted = accepted

    def _follow(self, read: Read, listener: Callable[[Any], object]) -> None:
        self._fleet.follow(read, listener)
        self.look()
        self._start()

    def look(self) -> None:
        """Reads what the fleet decides, and tells whoever follows it. A failure is counted, never raised."""
        try:
            with self._looking:  # a fork waits for it: no connection is in use then
                self._fleet.look()
        except Exception as error:
            machinery.failed("look", error)
