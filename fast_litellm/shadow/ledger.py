"""
The ledger: evidence that outlives the process.

A thread writes what has changed about once a second. A database that is locked, full, read-only or broken never
reaches a caller: the first failure is logged, the counters stay right in memory, and since they are absolute the next
write makes all good.
"""

from __future__ import annotations

import atexit
import contextlib
import math
import sqlite3
import threading
import time
import weakref
from typing import TYPE_CHECKING, Callable, Iterator, List, Mapping, Optional, TypeVar

from fast_litellm import events
from fast_litellm.errors import LedgerError
from fast_litellm.shadow import database, forking, machinery, process, recovery, upkeep
from fast_litellm.shadow.account import Account, Labels
from fast_litellm.shadow.engine import Tally
from fast_litellm.shadow.evidence import Latency
from fast_litellm.shadow.following import Following
from fast_litellm.shadow.observation import Comparison, Epoch
from fast_litellm.shadow.redaction import Redactor
from fast_litellm.shadow.ring import OwnRing
from fast_litellm.shadow.rounds import Rounds
from fast_litellm.shadow.store import Store
from fast_litellm.shadow.timing import Spent, Times
from fast_litellm.shadow.transition import Transition

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fast_litellm.shadow.account import Report
    from fast_litellm.shadow.candidate import Call
    from fast_litellm.shadow.capture import Captor

Done = TypeVar("Done")

_HEARTBEAT_SECONDS = 15.0
_TIDY_SECONDS = 3_600.0
_CLOSE_SECONDS = 5.0
"""How long the last write may take; what it has not written is left in the ring."""

_FORK_SECONDS = 2.0
"""How long a fork waits for a write to end; a write waits no longer than that for another process."""


class Ledger(Following):
    """
    One process's part of a ledger; `Ledger.open` makes it.

    Args:
        store: The database.
        versions: Package to version, for the record.
        flush_seconds: How often to write; None writes only when told to.
        clock: Seconds since 1970.
        captor: Captures calls that differ; None captures nothing.
        spend: Told of the processor time that the ledger's thread takes, in nanoseconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        versions: Optional[Mapping[str, str]] = None,
        flush_seconds: Optional[float] = 1.0,
        clock: Callable[[], float] = time.time,
        captor: Optional[Captor] = None,
        spend: Optional[Callable[[int], object]] = None,
    ) -> None:
        super().__init__(store, clock)
        self._captor = captor
        self._versions = dict(versions or {})
        self._account = Account()
        self._ring: Optional[OwnRing] = None
        self._rounds = Rounds(self._make_round, flush_seconds, spend)
        self._ended = False
        self._held: List[threading.Lock] = []
        self._begin()
        forking.let_go_before(self)
        atexit.register(_close_at_exit, weakref.ref(self))

    @classmethod
    def open(
        cls,
        url: str,
        *,
        versions: Optional[Mapping[str, str]] = None,
        flush_seconds: Optional[float] = 1.0,
        captor: Optional[Captor] = None,
        spend: Optional[Callable[[int], object]] = None,
    ) -> Ledger:
        """
        Open a ledger. Its tables are made by the first write.

        Args:
            url: `sqlite:///relative/path`, `sqlite:////absolute/path` or `postgresql://user@host/database`.
            versions: Package to version, for the record.
            flush_seconds: How often to write; None writes only when `flush` is called.
            captor: Captures calls that differ; None captures nothing.
            spend: Told of the processor time that the ledger's thread takes, in nanoseconds.

        Returns:
            The ledger.

        Raises:
            LedgerError: The URL names no database.
        """
        store = Store(database.at(url))
        return cls(store, versions=versions, flush_seconds=flush_seconds, captor=captor, spend=spend)

    def attach(self, epoch: Epoch, tally: Tally, labels: Optional[Labels] = None) -> None:
        """
        Report a feature's counters from here on. Attached again under another epoch, the counts so far stay with the
        first.

        Args:
            epoch: What the evidence belongs to.
            tally: The feature's counters.
            labels: Returns what else `status` shows of the feature, such as its stage: JSON values, never content.
        """
        if self._ring is None:
            self._make_ring()
        self._account.attach(epoch, tally, labels)
        self._start()

    def record(self, comparison: Comparison) -> bool:
        """
        Keep a comparison that did not match. When it blocked its candidate, so is that build in every process started
        later.

        Args:
            comparison: Redacted.

        Returns:
            Whether it is kept even if the process is killed now; otherwise it will be with the next write.
        """
        now = self._clock()
        seen, blocked = self._account.record(comparison, now), None
        if comparison.action == "blocked":
            build = comparison.candidate_build
            blocked = Transition(comparison.feature, build, "blocked", "auto", comparison.fingerprint, now)
            self._pending.append(blocked)
        is_kept = self._ring is not None and self._ring.push(recovery.as_record(seen, blocked))
        if blocked is not None or not is_kept:
            self._rounds.wake()
        self._start()
        return is_kept

    def capture(self, comparison: Comparison, call: Call) -> bool:
        """
        Keep a call that differed, sealed, if that is asked for. One that is not written yet is lost with its process.

        Args:
            comparison: What was found.
            call: The frozen arguments.

        Returns:
            Whether it is kept.
        """
        return self._captor is not None and self._captor.take(comparison, call)

    def recover(self) -> int:
        """
        Write what killed processes of this host have left.

        Returns:
            How many there were. A failure is counted and logged, and they are left for the next time.
        """
        return self._attempt(lambda: upkeep.recover(self._store, self._clock), 0)

    def tidy(self) -> bool:
        """
        Forget what is old; see `retention`.

        Returns:
            Whether it was done: not where there is nothing yet, nor while another process does it. A failure is counted
            and logged.
        """
        return self._attempt(self._tidy, otherwise=False)

    def _tidy(self) -> bool:
        with self._writing:
            return upkeep.tidy(self._store, self._clock)

    def _attempt(self, work: Callable[[], Done], otherwise: Done) -> Done:
        try:
            return work()
        except (OSError, LedgerError) as error:
            self._unavailable(error)
        except BaseException as error:
            self._failed(error)
        return otherwise

    def _make_ring(self) -> None:
        own = OwnRing.make(self._store.database.rings(), self._this_process(), self._versions)
        self._ring = own
        self._account.keep_in(None if own is None else own.native)

    def record_times(self, feature: str, times: Times) -> None:
        """
        Keep a pair of timings.

        Args:
            feature: The flag's name.
            times: What both sides took for the same call.
        """
        self._account.record_times(feature, times)

    def record_spent(self, feature: str, spent: Spent) -> None:
        """
        Keep what a compared call took.

        Args:
            feature: The flag's name.
            spent: What each side took, and the comparison.
        """
        self._account.record_spent(feature, spent)

    def latency(self, feature: str) -> Latency:
        """
        Returns:
            What the sides took in this process, of calls that were compared under the feature's present epoch.
        """
        return self._account.latency(feature)

    def flush(self) -> bool:
        """
        Write what has changed.

        Returns:
            Whether everything is written. A failure is counted and logged, never raised.
        """
        return self._flush(is_last=False)

    def _flush(self, *, is_last: bool) -> bool:
        try:
            with self._turn(_CLOSE_SECONDS if is_last else None):
                self._write(is_last=is_last)
        except (OSError, LedgerError) as error:
            self._unavailable(error)
            return False
        except BaseException as error:
            return self._failed(error)
        self._is_down = False
        self._passing_key = None
        return True

    @contextlib.contextmanager
    def _turn(self, seconds: Optional[float]) -> Iterator[None]:
        """Waits until nobody else writes; whoever ends does not wait for ever for a database that does not answer."""
        if not self._writing.acquire(timeout=-1 if seconds is None else seconds):
            raise LedgerError(f"the ledger {self._store.name} does not answer")
        try:
            yield
        finally:
            self._writing.release()

    def _failed(self, error: BaseException) -> bool:
        """A database may be away; anything else is the machinery's own fault."""
        from sqlalchemy.exc import SQLAlchemyError

        if isinstance(error, (SQLAlchemyError, sqlite3.Error)):
            self._unavailable(getattr(error, "orig", None) or error)
        else:
            machinery.failed("flush", error)
        return False

    def close(self) -> None:
        """
        Writes a last time, and notes that the process has ended well. A database that does not answer is not waited for
        for ever: what it has not taken is in the ring.
        """
        if self._ended:
            return
        self._ended = True
        if not self._rounds.finish(self._write_last, _CLOSE_SECONDS):
            self._unavailable(LedgerError(f"the ledger {self._store.name} does not answer"))
        self._store.database.release()

    def _write_last(self) -> None:
        if self._flush(is_last=True) and self._ring is not None:
            self._ring.remove()
            self._ring = None

    def before_fork(self) -> None:
        """
        Closes the connection. A child inherits SQLite's record of locks with it, and a parent that closes later would
        take itself for the last user and remove what the child has committed.
        """
        deadline = time.monotonic() + _FORK_SECONDS
        locks = (self._writing, self._looking)
        self._held = [lock for lock in locks if lock.acquire(timeout=max(0.0, deadline - time.monotonic()))]
        if self._writing in self._held:
            self._store.close()

    def after_fork_in_parent(self) -> None:
        """Goes on; the next write opens the file anew."""
        for lock in self._held:
            lock.release()

    def after_fork(self) -> None:
        """
        Begins as another process, with a connection and a thread of its own, after the runners, which empty the
        counters that it opens. A ledger that is closed leaves them to the one that came later.
        """
        had_thread = self._rounds.forget()
        self._store.after_fork()
        inherited, self._ring = self._ring, None
        self._begin()
        if inherited is not None:
            inherited.let_go()
        if self._ended:
            return
        if inherited is not None:
            self._make_ring()
        self._account.after_fork(None if self._ring is None else self._ring.native)
        if self._captor is not None:
            self._captor.after_fork()
        if had_thread:
            self._start()

    def _begin(self) -> None:
        self._process: Optional[process.Process] = None
        self._naming = threading.Lock()
        self._pending: List[Transition] = []
        self._written_at = 0.0
        self._writing, self._looking = threading.Lock(), threading.Lock()
        self._recovered_at, self._tidied_at = -math.inf, time.monotonic()

    def _start(self) -> None:
        self._rounds.start()

    def _make_round(self) -> None:
        self.flush()
        if not self._is_looked_apart:
            self.look()
        if time.monotonic() - self._recovered_at >= _HEARTBEAT_SECONDS:
            self._recovered_at = time.monotonic()
            self.recover()
        if time.monotonic() - self._tidied_at >= _TIDY_SECONDS:
            self._tidied_at = time.monotonic()
            self.tidy()

    def _write(self, *, is_last: bool) -> None:
        now = self._clock()
        if self._store.is_replaced():
            events.tell("shadow", "warning", events.LEDGER_REPLACED, ledger=self._store.name)
        if self._store.is_fresh():
            self._account.forget_written()
        end = 0 if self._ring is None else self._ring.end()
        report, pending = self._account.report(), list(self._pending)
        captured = [] if self._captor is None else list(self._captor.pending)
        is_due = now - self._written_at >= _HEARTBEAT_SECONDS
        if not (report.counters or report.classes or is_due or is_last):
            return
        from fast_litellm.shadow import writing

        own = self._this_process()
        with self._store.writing() as connection:
            report = self._put(connection, own, report, pending, now)
            if self._captor is not None:
                self._captor.write(connection, captured)
            if is_last:
                writing.write_end(connection, own, now)
        self._account.written(report)
        del self._pending[: len(pending)]
        if self._captor is not None:
            self._captor.written(captured)
        if self._ring is not None and end:
            self._ring.drop_until(end)
        self._written_at = now
        if is_last:
            self._store.close()

    def _put(
        self, connection: Connection, own: process.Process, report: Report, pending: List[Transition], now: float
    ) -> Report:
        """Returns what was written in place of the report: classes for which the ledger has no room are folded."""
        from fast_litellm.shadow import writing

        refused = writing.refused(connection, report.classes, now)
        if refused:
            self._account.fold(refused)
            report = self._account.report()
        writing.write_process(connection, own, self._versions, now)
        writing.write_report(connection, own, report, now)
        for transition in pending:
            writing.write_transition(connection, transition)
        return report

    def _this_process(self) -> process.Process:
        """One for the ring and for the rows, whichever is first, or what both count would be counted twice."""
        with self._naming:  # a server may be long in answering for the key, and two threads ask
            if self._process is None:
                self._process = process.current(Redactor(self.key).digest)
            return self._process


def _close_at_exit(reference: weakref.ref[Ledger]) -> None:
    ledger = reference()
    if ledger is not None:
        ledger.close()
