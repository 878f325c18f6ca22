"""
Reading a ledger: what all processes together have counted, found and decided.
"""

from __future__ import annotations

import secrets
import time
from typing import Any, Callable, Dict, List, Mapping, Optional

from fast_litellm import events
from fast_litellm.errors import LedgerError
from fast_litellm.shadow import pauses, process, rollouts, waivers
from fast_litellm.shadow.evidence import Evidence
from fast_litellm.shadow.redaction import Redactor
from fast_litellm.shadow.rollouts import Rollout
from fast_litellm.shadow.store import Store
from fast_litellm.shadow.waivers import Waiver


class History:
    """
    The reading half of a ledger. While there is no database, there is nothing to report.

    Args:
        store: The database.
        clock: Seconds since 1970.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.failures = 0
        self._store = store
        self._clock = clock
        self._key: Optional[bytes] = None
        self._passing_key: Optional[bytes] = None
        self._is_down = False

    @property
    def key(self) -> bytes:
        """The key of all digests, the same in every process; a passing one while it is out of reach."""
        return self.lasting_key or self._passing_key or secrets.token_bytes(32)

    @property
    def lasting_key(self) -> Optional[bytes]:
        """
        The key of digests that are compared with those of other processes. While it is out of reach there is none;
        after a failure it is asked for again when the ledger has been written.
        """
        if self._key is None and self._passing_key is None:
            try:
                self._key = self._store.key()
            except (LedgerError, OSError) as error:
                self._unavailable(error)
                self._passing_key = secrets.token_bytes(32)
        return self._key

    def status(self) -> Dict[str, Any]:
        """
        Add up the counters of all processes and epochs.

        Returns:
            `{"features": {NAME: {"stage", "seam", "patched", "fingerprint", "candidate_build", "served", "declined",
            "failed", "offered", "sampled_out", "compared", "matched", "waived", "diverged", "shed", "in_flight",
            "latency"}}}`.
            Calls that were in flight in a process that is gone are under shed "process_died".

        Raises:
            LedgerError: The ledger cannot be read.
        """
        from fast_litellm.shadow import reports

        with self._store.reading() as connection:
            if connection is None:
                return {"features": {}}
            return {"features": reports.features(connection, self._host(), self._clock())}

    def epochs(self, feature: Optional[str] = None) -> List[Dict[str, Any]]:
        """
        Returns:
            One record per epoch, the latest last: its parts and its counters, as `Gate.judge` reads them.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        from fast_litellm.shadow import reports

        with self._store.reading() as connection:
            return reports.epochs(connection, self._host(), self._clock(), feature) if connection is not None else []

    def divergences(self, feature: Optional[str] = None) -> List[Dict[str, Any]]:
        """
        Returns:
            The divergence classes, the last seen first: "fingerprint", "feature", "candidate_build", "comparator",
            "kind", "pattern", "control_type", "candidate_type", "first_seen", "last_seen", "count", "processes",
            "state", which is noise | new | confirmed, or waived while somebody accepts it.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        from fast_litellm.shadow import reports

        with self._store.reading() as connection:
            return reports.divergences(connection, feature, self._clock()) if connection is not None else []

    def show(self, prefix: str) -> Dict[str, Any]:
        """
        Args:
            prefix: The beginning of a fingerprint.

        Returns:
            The divergence class as in `divergences`, "samples": a few redacted events, and "captured": how many calls.

        Raises:
            LedgerError: No class or more than one begins so, or the ledger cannot be read.
        """
        from fast_litellm.shadow import reports

        found = [record for record in self.divergences() if record["fingerprint"].startswith(prefix)]
        names = {record["fingerprint"] for record in found}
        if len(names) != 1:
            raise LedgerError(f"{len(names)} divergence classes begin with {prefix!r}; exactly one must")
        with self._store.reading() as connection:
            kept = reports.samples(connection, found[0]["fingerprint"]) if connection is not None else []
        return {**found[0], "samples": kept, "captured": len(self.captures(found[0]["fingerprint"]))}

    def captures(self, fingerprint: str) -> List[Mapping[str, Any]]:
        """
        Args:
            fingerprint: A divergence class.

        Returns:
            What is captured of it: "candidate_build", "at", "expires_at" and "sealed", which the private key opens.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        from fast_litellm.shadow import capture

        with self._store.reading() as connection:
            return [] if connection is None else capture.read(connection, fingerprint, self._clock())

    def feature_states(self) -> List[Dict[str, Any]]:
        """
        Returns:
            "feature", "candidate_build", "state", "reason", "actor" and "at" of every build that has a state.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        from fast_litellm.shadow import reports

        with self._store.reading() as connection:
            return reports.feature_states(connection) if connection is not None else []

    def blocked(self, feature: str, candidate_build: str) -> Optional[str]:
        """
        Args:
            feature: The flag's name.
            candidate_build: Which candidate.

        Returns:
            Why that build is blocked, usually a fingerprint; None when it is not.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        for row in self.feature_states():
            if (row["feature"], row["candidate_build"], row["state"]) == (feature, candidate_build, "blocked"):
                return str(row["reason"])
        return None

    def audit(self, feature: Optional[str] = None) -> List[Dict[str, Any]]:
        """
        Returns:
            The audit trail in order: "seq", "at", "feature", "candidate_build", "from_state", "to_state", "actor",
            "reason", "scope" (build | host | fleet), "until", "evaluation", "prev_hash", "hash".

        Raises:
            LedgerError: The ledger cannot be read.
        """
        from fast_litellm.shadow import audit

        with self._store.reading() as connection:
            return audit.read(connection, feature) if connection is not None else []

    def first_break(self) -> Optional[int]:
        """
        Check the audit trail's chain.

        Returns:
            The number of the first row that was changed, or before which one is missing; None when all is well.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        from fast_litellm.shadow import audit

        with self._store.reading() as connection:
            return audit.first_break(connection) if connection is not None else None

    def evidence(self, feature: str) -> Optional[Evidence]:
        """
        Put together what is known of a feature's latest epoch.

        Args:
            feature: The flag's name.

        Returns:
            The evidence, summed over all processes; None when nothing was ever counted.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        from fast_litellm.shadow import weighing

        with self._store.reading() as connection:
            return None if connection is None else weighing.evidence(connection, self._host(), self._clock(), feature)

    def rollouts(self) -> Dict[str, Rollout]:
        """
        Returns:
            Where each feature stands in its plan; a feature that was never promoted is not in it.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        with self._store.reading() as connection:
            return rollouts.read(connection) if connection is not None else {}

    def waivers(self) -> List[Waiver]:
        """
        Returns:
            Every divergence class's last waiver, expired ones included.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        with self._store.reading() as connection:
            return waivers.read(connection) if connection is not None else []

    def gate_evaluations(self, feature: str, limit: int = 20) -> List[Dict[str, Any]]:
        """
        Args:
            feature: The flag's name.
            limit: How many at most.

        Returns:
            What the gate said, the latest first: "at", "candidate_build", "step", "decision", "checks".

        Raises:
            LedgerError: The ledger cannot be read.
        """
        from fast_litellm.shadow import evaluations

        with self._store.reading() as connection:
            return evaluations.read(connection, feature, limit) if connection is not None else []

    def progress(self, feature: str) -> List[Dict[str, Any]]:
        """
        Returns:
            How the evidence of a feature's latest epoch has grown, one row per five minutes: "at", "compared",
            "distinct", "diverged".

        Raises:
            LedgerError: The ledger cannot be read.
        """
        from fast_litellm.shadow import evaluations

        with self._store.reading() as connection:
            return evaluations.progress(connection, feature) if connection is not None else []

    def pauses(self) -> Dict[str, Optional[float]]:
        """
        Returns:
            What is paused for every process of this ledger: feature to its end in seconds since 1970, None for ever.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        with self._store.reading() as connection:
            rows = pauses.read(connection) if connection is not None else []
        now = self._clock()
        return {row["feature"]: row["until"] for row in rows if pauses.lasts(row["state"], row["until"], now)}

    def _host(self) -> str:
        return process.current(Redactor(self.key).digest).host

    def _unavailable(self, error: BaseException) -> None:
        """Once an outage: the counter says how often it was tried."""
        self.failures += 1
        if not self._is_down:
            self._is_down = True
            events.logger("shadow").error(events.LEDGER_UNAVAILABLE, exception_class=type(error).__qualname__)
