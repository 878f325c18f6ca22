"""
What the ledger says, added up over all processes.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Dict, List, Optional

from fast_litellm.shadow import process
from fast_litellm.shadow.counts import Counts, add, unflatten

_COUNTERS = """
SELECT epoch.*, counter.counts, counter.labels, counter.updated_at,
       process.pid, process.host, process.birth, process.last_seen, process.ended_at
FROM counter JOIN epoch USING (epoch_id) JOIN process USING (proc_uuid)
ORDER BY counter.updated_at, epoch_id
"""
_CLASSES = """
SELECT divergence_class.*, feature, candidate_build, comparator, sum(count) AS count, count(*) AS processes
FROM divergence_class JOIN epoch USING (epoch_id) JOIN sighting USING (fingerprint, epoch_id)
GROUP BY fingerprint, epoch_id
ORDER BY last_seen DESC, fingerprint
"""
_TRANSITIONS = """
SELECT seq, at, feature, candidate_build, from_state, to_state, actor, reason, scope, until
FROM transition ORDER BY seq
"""
_EPOCH_PARTS = ("candidate_build", "reference", "comparator", "rules_revision")


def features(connection: sqlite3.Connection, own_host: str, now: float) -> Dict[str, Any]:
    """
    Returns:
        Per feature the sum of all its epochs' counts, its latest labels, and the state of its latest candidate.
    """
    rows = connection.execute(_COUNTERS).fetchall()
    states = {(row["feature"], row["candidate_build"]): row["state"] for row in feature_states(connection)}
    totals: Dict[str, Counts] = {}
    latest: Dict[str, sqlite3.Row] = {}
    for row in rows:
        totals[row["feature"]] = add(totals.get(row["feature"], {}), _counts(row, own_host, now))
        latest[row["feature"]] = row
    return {
        name: {
            "stage": None,
            "seam": None,
            "patched": None,
            "fingerprint": row["reference"] or None,
            "candidate_build": row["candidate_build"],
            **json.loads(row["labels"]),
            **_blocked_stage(states.get((name, row["candidate_build"]))),
            **unflatten(totals[name]),
        }
        for name, row in sorted(latest.items())
    }


def epochs(connection: sqlite3.Connection, own_host: str, now: float, feature: Optional[str]) -> List[Dict[str, Any]]:
    """
    Returns:
        One record per epoch, the latest last: its parts and its reading, as the gate wants it.
    """
    totals: Dict[int, Counts] = {}
    parts: Dict[int, Dict[str, Any]] = {}
    for row in connection.execute(_COUNTERS):
        if feature in (None, row["feature"]):
            totals[row["epoch_id"]] = add(totals.get(row["epoch_id"], {}), _counts(row, own_host, now))
            parts[row["epoch_id"]] = {name: row[name] for name in ("feature", *_EPOCH_PARTS, "opened_at")}
    return [{**parts[epoch_id], **unflatten(totals[epoch_id])} for epoch_id in sorted(parts)]


def divergences(connection: sqlite3.Connection, feature: Optional[str]) -> List[Dict[str, Any]]:
    """
    Returns:
        The divergence classes, the last seen first.
    """
    return [_class(row) for row in connection.execute(_CLASSES) if feature in (None, row["feature"])]


def samples(connection: sqlite3.Connection, fingerprint: str) -> List[Dict[str, Any]]:
    """
    Returns:
        The redacted events kept of one divergence class.
    """
    rows = connection.execute("SELECT samples FROM sighting WHERE fingerprint = ?", (fingerprint,))
    return [event for row in rows for event in json.loads(row["samples"])]


def feature_states(connection: sqlite3.Connection) -> List[Dict[str, Any]]:
    """
    Returns:
        The state of every candidate build that has one.
    """
    return [dict(row) for row in connection.execute("SELECT * FROM feature_state ORDER BY feature, at")]


def transitions(connection: sqlite3.Connection, feature: Optional[str]) -> List[Dict[str, Any]]:
    """
    Returns:
        The audit trail, in order.
    """
    rows = connection.execute(_TRANSITIONS)
    return [dict(row) for row in rows if feature in (None, row["feature"])]


def _counts(row: sqlite3.Row, own_host: str, now: float) -> Counts:
    """What was in flight in a process that is gone will never be compared: it was shed when the process died."""
    counts: Counts = json.loads(row["counts"])
    if not counts["in_flight"] or not process.is_gone(dict(row), own_host, now):
        return counts
    return add({**counts, "in_flight": 0}, {"shed.process_died": counts["in_flight"]})


def _blocked_stage(state: Optional[str]) -> Dict[str, str]:
    return {"stage": "blocked"} if state == "blocked" else {}


def _class(row: sqlite3.Row) -> Dict[str, Any]:
    record = dict(row)
    del record["epoch_id"]
    return record
