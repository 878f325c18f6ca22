"""
Calls that differed, kept whole, for whoever holds a private key: only when asked for, for a time, and only a few.

A call is sealed on the thread that compared it, before it goes anywhere else. What has no literal, or is too long, is
not captured, which is told once.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Set

from sqlalchemy import Connection, func, select

from fast_litellm import events
from fast_litellm.shadow import literal, writing
from fast_litellm.shadow.candidate import Call
from fast_litellm.shadow.observation import Comparison
from fast_litellm.shadow.reports import rows
from fast_litellm.shadow.schema import CAPTURE

MAX_BYTES = 64 * 1024
MAX_OF_CLASS = 3
KEPT_SECONDS = 7 * 86_400.0
"""So long a captured call stays in the ledger."""

Row = Dict[str, Any]


@dataclass(frozen=True)
class Terms:
    """
    What is captured.

    Args:
        features: Of whom.
        public_key: For whom.
        until: Till when, in seconds since 1970.
        most: How many of one feature the ledger may hold.
    """

    features: FrozenSet[str]
    public_key: str
    until: float
    most: int = 20


class Captor:
    """
    Captures in one process.

    Args:
        terms: What is asked for.
        seal: Makes of a public key and of bytes what only the private key opens.
        clock: Seconds since 1970.
    """

    def __init__(
        self, terms: Terms, seal: Callable[[str, bytes], bytes], clock: Callable[[], float] = time.time
    ) -> None:
        self._terms = terms
        self._seal = seal
        self._clock = clock
        self._refused: Set[str] = set()
        self.after_fork()

    def after_fork(self) -> None:
        """Begins with nothing: what was captured is the parent's."""
        self._of_class: Dict[str, int] = {}
        self._taken: Dict[str, int] = {}
        self.pending: List[Row] = []
        """What is not written yet."""

    def take(self, comparison: Comparison, call: Call) -> bool:
        """
        Capture a call that differed, if it is asked for and there is room.

        Args:
            comparison: What was found.
            call: The frozen arguments.

        Returns:
            Whether it was captured.
        """
        if not self._wants(comparison):
            return False
        sealed = self._sealed(comparison.feature, call)
        if sealed is None:
            return False
        now = self._clock()
        facts = {"feature": comparison.feature, "fingerprint": comparison.fingerprint}
        build = comparison.candidate_build
        row = {"uid": uuid.uuid4().hex, **facts, "candidate_build": build, "at": now, "sealed": sealed}
        self.pending.append({**row, "expires_at": now + KEPT_SECONDS})
        self._of_class[comparison.fingerprint] = self._of_class.get(comparison.fingerprint, 0) + 1
        self._taken[comparison.feature] = self._taken.get(comparison.feature, 0) + 1
        return True

    def write(self, connection: Connection, captured: List[Row]) -> None:
        """Adds what the ledger has room for: processes that write at one moment may exceed it by one each."""
        for row in captured:
            if _count(connection, CAPTURE.c.feature == row["feature"]) >= self._terms.most:
                continue
            if _count(connection, CAPTURE.c.fingerprint == row["fingerprint"]) < MAX_OF_CLASS:
                connection.execute(writing.insert(connection, CAPTURE).values(row).on_conflict_do_nothing())

    def written(self, captured: List[Row]) -> None:
        """Forgets what the ledger has."""
        del self.pending[: len(captured)]

    def _wants(self, comparison: Comparison) -> bool:
        terms, feature = self._terms, comparison.feature
        return (
            feature in terms.features
            and comparison.outcome == "diverged"
            and self._clock() < terms.until
            and self._taken.get(feature, 0) < terms.most
            and self._of_class.get(comparison.fingerprint, 0) < MAX_OF_CLASS
        )

    def _sealed(self, feature: str, call: Call) -> Optional[bytes]:
        try:
            data = literal.write(call).encode("utf-8")
        except ValueError:
            self._refuse(feature, "no_literal")
            return None
        if len(data) > MAX_BYTES:
            self._refuse(feature, "size")
            return None
        return self._seal(self._terms.public_key, data)

    def _refuse(self, feature: str, reason: str) -> None:
        if reason not in self._refused:
            self._refused.add(reason)
            events.tell("shadow", "warning", events.CAPTURE_REFUSED, feature=feature, reason=reason)


def read(connection: Connection, fingerprint: str, now: float) -> List[Mapping[str, Any]]:
    """
    Returns:
        What is captured of a divergence class, the first first: "candidate_build", "at", "expires_at", "sealed".
    """
    table = CAPTURE.c
    found = select(table.candidate_build, table.at, table.expires_at, table.sealed)
    return rows(connection, found.where(table.fingerprint == fingerprint, table.expires_at > now).order_by(table.at))


def call_of(data: bytes) -> Call:
    """
    Args:
        data: What was sealed.

    Returns:
        The call.

    Raises:
        ValueError: It is none.
    """
    try:
        args, kwargs = literal.read(data.decode("utf-8"))
    except (SyntaxError, TypeError, UnicodeDecodeError):
        raise ValueError("a captured call cannot be read") from None
    return args, kwargs


def _count(connection: Connection, condition: Any) -> int:
    return int(connection.execute(select(func.count()).select_from(CAPTURE).where(condition)).scalar_one())
