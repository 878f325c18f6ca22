"""
Writing reports and transitions into the ledger's tables. Every statement may be repeated without changing its result.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from dataclasses import astuple, dataclass, field
from typing import Any, Mapping

from fast_litellm.shadow.account import STATES, ClassRecord, Report
from fast_litellm.shadow.observation import Epoch
from fast_litellm.shadow.process import Process

_PROCESS = """
INSERT INTO process (proc_uuid, host, pid, birth, versions, started_at, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (proc_uuid) DO UPDATE SET last_seen = excluded.last_seen
"""
_COUNTER = """
INSERT INTO counter (epoch_id, proc_uuid, counts, labels, updated_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (epoch_id, proc_uuid) DO UPDATE SET
    counts = excluded.counts, labels = excluded.labels, updated_at = excluded.updated_at
"""
_CLASS = """
INSERT INTO divergence_class VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (fingerprint, epoch_id) DO UPDATE SET
    first_seen = min(first_seen, excluded.first_seen),
    last_seen = max(last_seen, excluded.last_seen),
    state = excluded.state
"""
_SIGHTING = """
INSERT INTO sighting VALUES (?, ?, ?, ?, ?)
ON CONFLICT (fingerprint, epoch_id, proc_uuid) DO UPDATE SET count = excluded.count, samples = excluded.samples
"""
_FEATURE_STATE = """
INSERT INTO feature_state VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (feature, candidate_build) DO UPDATE SET
    state = excluded.state, reason = excluded.reason, actor = excluded.actor, at = excluded.at
"""


@dataclass(frozen=True)
class Transition:
    """
    A change of a feature's state, for one build of its candidate.

    Args:
        feature: The flag's name.
        candidate_build: Which candidate.
        state: The state it comes to, such as "blocked".
        actor: Who did it: "auto", or a name somebody gave.
        reason: Why: a divergence class, or words somebody gave.
        at: When, in seconds since 1970.
        uid: Its name; a transition is recorded once, however often it is written.
    """

    feature: str
    candidate_build: str
    state: str
    actor: str
    reason: str
    at: float
    uid: str = field(default_factory=lambda: uuid.uuid4().hex)


def write_process(connection: sqlite3.Connection, process: Process, versions: Mapping[str, str], now: float) -> None:
    """Enters a process, or notes that it lives."""
    row = (process.proc_uuid, process.host, process.pid, process.birth, _json(versions), now, now)
    connection.execute(_PROCESS, row)


def write_end(connection: sqlite3.Connection, process: Process, now: float) -> None:
    """Notes that a process will not write again."""
    connection.execute("UPDATE process SET ended_at = ? WHERE proc_uuid = ?", (now, process.proc_uuid))


def write_report(connection: sqlite3.Connection, process: Process, report: Report, now: float) -> None:
    """Writes counts and classes."""
    for epoch, (counts, labels) in report.counters.items():
        epoch_id = _epoch_id(connection, epoch, now)
        connection.execute(_COUNTER, (epoch_id, process.proc_uuid, _json(counts), _json(labels), now))
    for (epoch, fingerprint), record in report.classes.items():
        epoch_id = _epoch_id(connection, epoch, now)
        _write_class(connection, fingerprint, epoch_id, record)
        sighting = (fingerprint, epoch_id, process.proc_uuid, record.count, _json(record.samples))
        connection.execute(_SIGHTING, sighting)


def write_transition(connection: sqlite3.Connection, transition: Transition) -> None:
    """Appends to the audit trail and changes the state, unless it has been written before."""
    of_build = (transition.feature, transition.candidate_build)
    known = connection.execute("SELECT 1 FROM transition WHERE uid = ?", (transition.uid,)).fetchone()
    if known is not None:
        return
    before = connection.execute(
        "SELECT state FROM feature_state WHERE feature = ? AND candidate_build = ?", of_build
    ).fetchone()
    connection.execute(
        "INSERT INTO transition (uid, at, feature, candidate_build, from_state, to_state, actor, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            transition.uid,
            transition.at,
            *of_build,
            before[0] if before else "",
            transition.state,
            transition.actor,
            transition.reason,
        ),
    )
    row = (*of_build, transition.state, transition.reason, transition.actor, transition.at)
    connection.execute(_FEATURE_STATE, row)


def _write_class(connection: sqlite3.Connection, fingerprint: str, epoch_id: int, record: ClassRecord) -> None:
    known = connection.execute(
        "SELECT state FROM divergence_class WHERE fingerprint = ? AND epoch_id = ?", (fingerprint, epoch_id)
    ).fetchone()
    state = max(record.state, known[0] if known else record.state, key=STATES.index)
    description = record.description
    row = (
        fingerprint,
        epoch_id,
        description.kind,
        description.pattern,
        description.control.type,
        description.candidate.type,
        record.first_seen,
        record.last_seen,
        state,
    )
    connection.execute(_CLASS, row)


def _epoch_id(connection: sqlite3.Connection, epoch: Epoch, now: float) -> int:
    parts = astuple(epoch)
    connection.execute(
        "INSERT OR IGNORE INTO epoch (feature, candidate_build, reference, comparator, rules_revision, opened_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (*parts, now),
    )
    found = connection.execute(
        "SELECT epoch_id FROM epoch WHERE (feature, candidate_build, reference, comparator, rules_revision)"
        " = (?, ?, ?, ?, ?)",
        parts,
    )
    return int(found.fetchone()[0])


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=_type_name)


def _type_name(value: Any) -> str:
    """Whatever is no JSON is written as its type: its text could be content."""
    return type(value).__qualname__
