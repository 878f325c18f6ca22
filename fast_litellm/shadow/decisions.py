"""
What people and the gate decide, written into the ledger at once and with its place on the audit trail.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, TypeVar

from fast_litellm.errors import LedgerError
from fast_litellm.shadow import pauses, rollouts, waivers
from fast_litellm.shadow.history import History
from fast_litellm.shadow.pauses import Pause
from fast_litellm.shadow.rollouts import Rollout
from fast_litellm.shadow.store import Store, reason
from fast_litellm.shadow.transition import Transition
from fast_litellm.shadow.waivers import Waiver

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fast_litellm.shadow.evaluations import Evaluation

Written = TypeVar("Written")

_PATIENCE_SECONDS = 10.0
"""A decision is made once, maybe by a person: it waits longer for its turn than what is written every second."""


class Decisions(History):
    """The half of a ledger that records decisions. Unlike counters they have somebody who waits for them."""

    def record_transition(self, feature: str, candidate_build: str, state: str, *, actor: str, reason: str) -> None:
        """
        Change the state of a candidate build at once, and append to the audit trail.

        Args:
            feature: The flag's name.
            candidate_build: Which candidate.
            state: Such as "blocked" or "released".
            actor: Who does it.
            reason: Why.

        Raises:
            LedgerError: The ledger cannot be written.
        """
        transition = Transition(feature, candidate_build, state, actor, reason, self._clock())
        from fast_litellm.shadow import writing

        self._write_at_once(lambda connection: writing.write_transition(connection, transition))

    def record_pause(self, pause: Pause) -> None:
        """
        Append a pause, or its end, to the audit trail. One for the fleet holds in every process within two seconds.

        Args:
            pause: What is said.

        Raises:
            LedgerError: The ledger cannot be written.
        """
        self._write_at_once(lambda connection: pauses.write(connection, pause, self._clock()))

    def record_rollout(
        self, rollout: Rollout, *, expected: Optional[Rollout], evaluation: Optional[Mapping[str, Any]] = None
    ) -> bool:
        """
        Move a feature to another step or state of its plan, unless somebody else has moved it meanwhile: of two
        processes that would advance it from the same step, one does.

        Args:
            rollout: What it comes to.
            expected: What `rollouts` said of it when that was decided; None when it said nothing.
            evaluation: The gate's verdict it rests on, as JSON values.

        Returns:
            Whether it was moved. If not, read again and decide again.

        Raises:
            LedgerError: The ledger cannot be written.
        """
        return self._write_at_once(lambda connection: rollouts.write(connection, rollout, expected, evaluation))

    def record_waiver(self, waiver: Waiver) -> None:
        """
        Accept a divergence class.

        Args:
            waiver: Which, until when, and who says so.

        Raises:
            LedgerError: The ledger cannot be written.
        """
        self._write_at_once(lambda connection: waivers.write(connection, waiver, self._clock()))

    def record_gate_evaluation(self, evaluation: Evaluation) -> None:
        """
        Keep what the gate said.

        Args:
            evaluation: Its decision and its checks.

        Raises:
            LedgerError: The ledger cannot be written.
        """
        from fast_litellm.shadow import evaluations

        self._write_at_once(lambda connection: evaluations.write(connection, evaluation, self._clock()))

    def _write_at_once(self, write: Callable[[Connection], Written]) -> Written:
        from sqlalchemy.exc import SQLAlchemyError

        # Of its own: the writer must notice when it opens another file.
        store = Store(self._store.database, _PATIENCE_SECONDS)
        try:
            with store.writing() as connection:
                return write(connection)
        except (OSError, SQLAlchemyError, sqlite3.Error) as error:
            raise LedgerError(f"the ledger {store.name} cannot be written: {reason(error)}") from error
        finally:
            store.close()
