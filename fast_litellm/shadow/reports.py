"""
What the ledger says, added up over all processes.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional

from sqlalchemy import Connection, func, select

from fast_litellm.shadow import pauses, process, rollouts, timing
from fast_litellm.shadow.counts import Counts, add, unflatten
from fast_litellm.shadow.schema import (
    COUNTER,
    DIVERGENCE_CLASS,
    EPOCH,
    FEATURE_STATE,
    PROCESS,
    SIGHTING,
    TIMING,
    WAIVER,
)

if TYPE_CHECKING:
    from fast_litellm.shadow.rollouts import Rollout

Row = Mapping[str, Any]

_OF_PROCESS = (PROCESS.c.pid, PROCESS.c.host, PROCESS.c.birth, PROCESS.c.last_seen, PROCESS.c.ended_at)
_COUNTERS = (
    select(EPOCH, COUNTER.c.counts, COUNTER.c.labels, COUNTER.c.updated_at, *_OF_PROCESS)
    .join_from(COUNTER, EPOCH)
    .join(PROCESS, PROCESS.c.proc_uuid == COUNTER.c.proc_uuid)
    .order_by(COUNTER.c.updated_at, EPOCH.c.epoch_id)
)
_SEEN = (
    select(
        SIGHTING.c.fingerprint,
        SIGHTING.c.epoch_id,
        func.sum(SIGHTING.c.count).label("count"),
        func.count().label("processes"),
    )
    .group_by(SIGHTING.c.fingerprint, SIGHTING.c.epoch_id)
    .subquery()
)
_CLASSES = (
    select(DIVERGENCE_CLASS, EPOCH.c.feature, EPOCH.c.candidate_build, EPOCH.c.comparator)
    .add_columns(_SEEN.c.count, _SEEN.c.processes)
    .join(EPOCH, EPOCH.c.epoch_id == DIVERGENCE_CLASS.c.epoch_id)
    .join(
        _SEEN,
        (_SEEN.c.fingerprint == DIVERGENCE_CLASS.c.fingerprint) & (_SEEN.c.epoch_id == DIVERGENCE_CLASS.c.epoch_id),
    )
    .order_by(DIVERGENCE_CLASS.c.last_seen.desc(), DIVERGENCE_CLASS.c.fingerprint)
)
_WAIVERS = select(WAIVER)
_STATES = select(FEATURE_STATE).order_by(FEATURE_STATE.c.feature, FEATURE_STATE.c.at)
_FOR_THE_STAGE = ("plan", "pause", "unpaused")
_EPOCH_PARTS = ("candidate_build", "reference", "comparator", "rules_revision")


def features(connection: Connection, own_host: str, now: float) -> Dict[str, Any]:
    """
    Returns:
        Per feature the sum of all its epochs' counts, its latest labels, the state of its latest candidate, and what
        both sides took in its latest epoch.
    """
    states = {(row["feature"], row["candidate_build"]): row["state"] for row in feature_states(connection)}
    moved, paused = rollouts.read(connection), pauses.lasting(connection, now)
    totals: Dict[str, Counts] = {}
    latest: Dict[str, Row] = {}
    for row in rows(connection, _COUNTERS):
        totals[row["feature"]] = add(totals.get(row["feature"], {}), settled(row, own_host, now))
        latest[row["feature"]] = row
    words = {name: _words(paused.get(name, {}), row, own_host, now) for name, row in latest.items()}
    return {
        name: {
            **_labels(row, states.get((name, row["candidate_build"])), moved.get(name), words[name]),
            **unflatten(totals[name]),
            "latency": asdict(timing.latency(timings(connection, row["epoch_id"]))),
        }
        for name, row in sorted(latest.items())
    }


def epochs(connection: Connection, own_host: str, now: float, feature: Optional[str]) -> List[Dict[str, Any]]:
    """
    Returns:
        One record per epoch, the latest last: its parts and its reading.
    """
    totals: Dict[int, Counts] = {}
    parts: Dict[int, Dict[str, Any]] = {}
    for row in rows(connection, _COUNTERS):
        if feature in (None, row["feature"]):
            totals[row["epoch_id"]] = add(totals.get(row["epoch_id"], {}), settled(row, own_host, now))
            parts[row["epoch_id"]] = {name: row[name] for name in ("feature", *_EPOCH_PARTS, "opened_at")}
    return [{**parts[epoch_id], **unflatten(totals[epoch_id])} for epoch_id in sorted(parts)]


def divergences(connection: Connection, feature: Optional[str], now: float) -> List[Dict[str, Any]]:
    """
    Returns:
        The divergence classes, the last seen first. The state of one that is accepted is "waived".
    """
    waivers = {row["fingerprint"]: row for row in rows(connection, _WAIVERS)}
    found = [row for row in rows(connection, _CLASSES) if feature in (None, row["feature"])]
    return [_class(row, waivers.get(row["fingerprint"]), now) for row in found]


def samples(connection: Connection, fingerprint: str) -> List[Dict[str, Any]]:
    """
    Returns:
        The redacted events kept of one divergence class.
    """
    found = rows(connection, select(SIGHTING.c.samples).where(SIGHTING.c.fingerprint == fingerprint))
    return [event for row in found for event in json.loads(row["samples"])]


def feature_states(connection: Connection) -> List[Dict[str, Any]]:
    """
    Returns:
        The state of every candidate build that has one.
    """
    return [dict(row) for row in rows(connection, _STATES)]


def blocks(connection: Connection, known: Mapping[Any, str]) -> Mapping[Any, str]:
    """
    Returns:
        Why builds are blocked, by feature and build: what was known, changed by what the ledger says. Only a row that
        says so ends a block.
    """
    said = dict(known)
    for row in feature_states(connection):
        said.pop((row["feature"], row["candidate_build"]), None)
        if row["state"] == "blocked":
            said[row["feature"], row["candidate_build"]] = row["reason"]
    return said


def eldest(connection: Connection, own_host: str, now: float, feature: str) -> Optional[str]:
    """
    Returns:
        The process that has been running for longest of those that count a feature; None when none is.
    """
    counting = select(COUNTER.c.proc_uuid).join_from(COUNTER, EPOCH).where(EPOCH.c.feature == feature)
    running = select(PROCESS).where(PROCESS.c.ended_at.is_(None), PROCESS.c.proc_uuid.in_(counting))
    found = rows(connection, running.order_by(PROCESS.c.started_at))
    return next((row["proc_uuid"] for row in found if not process.is_gone(row, own_host, now)), None)


def timings(connection: Connection, epoch_id: int) -> List[str]:
    """
    Returns:
        What each process says of the times of an epoch's calls, as JSON.
    """
    return [row["timings"] for row in rows(connection, select(TIMING.c.timings).where(TIMING.c.epoch_id == epoch_id))]


def rows(connection: Connection, statement: Any) -> List[Row]:
    """
    Returns:
        What a query finds, each row by the names of its columns.
    """
    return [dict(row) for row in connection.execute(statement).mappings()]


def settled(row: Row, own_host: str, now: float) -> Counts:
    """
    Args:
        row: Counts of a process, with what tells whether it lives.
        own_host: The host digest of the calling process.
        now: Seconds since 1970.

    Returns:
        The counts; what was in flight in a process that is gone will never be compared: it was shed when that died.
    """
    counts: Counts = json.loads(row["counts"])
    if not counts["in_flight"] or not process.is_gone(row, own_host, now):
        return counts
    return add({**counts, "in_flight": 0}, {"shed.process_died": counts["in_flight"]})


def _labels(row: Row, state: Optional[str], rollout: Optional[Rollout], paused: Mapping[str, bool]) -> Dict[str, Any]:
    build, told = row["candidate_build"], json.loads(row["labels"])
    stage = rollouts.stage_of(told, state, rollouts.step_of(rollout, build), paused)
    told = {name: it for name, it in told.items() if name not in _FOR_THE_STAGE}
    unsaid = {"seam": None, "patched": None, "fingerprint": row["reference"] or None, "candidate_build": build}
    return {**unsaid, **told, "stage": stage}


def _words(paused: Mapping[str, bool], row: Row, own_host: str, now: float) -> Mapping[str, bool]:
    """A process that lives knows best whether its host is paused, and the trail does not say which host it means."""
    is_gone = process.is_gone(row, own_host, now)
    return {scope: lasts for scope, lasts in paused.items() if is_gone or scope == pauses.FLEET}


def _class(row: Row, waiver: Optional[Row], now: float) -> Dict[str, Any]:
    record = {**{name: it for name, it in row.items() if name != "epoch_id"}, "count": int(row["count"])}
    return {**record, "state": "waived"} if _waives(waiver, record["count"], now) else record


def _waives(waiver: Optional[Row], count: int, now: float) -> bool:
    if waiver is None or now >= waiver["expires_at"]:
        return False
    return waiver["max_count"] is None or count <= waiver["max_count"]
