"""
Writing reports and transitions into the ledger's tables. Every statement may be repeated without changing its result.
"""

from __future__ import annotations

import functools
import importlib
import json
from dataclasses import asdict
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from sqlalchemy import Connection, Table, case, func, select

from fast_litellm.shadow import audit, rollouts
from fast_litellm.shadow.account import Report
from fast_litellm.shadow.classes import OVERFLOW, STATES, ClassKey, ClassRecord
from fast_litellm.shadow.observation import Epoch, type_name
from fast_litellm.shadow.process import Process
from fast_litellm.shadow.schema import (
    COUNTER,
    DIVERGENCE_CLASS,
    EPOCH,
    FEATURE_STATE,
    PROCESS,
    SHAPE_COUNTER,
    SIGHTING,
    TIMING,
)
from fast_litellm.shadow.transition import Transition

MAX_CLASSES = 10_000
"""Divergence classes of an epoch, over all processes; two that write in the same moment may bring a few more."""

_EPOCHS = "fast-litellm epochs"
"""Under this name a connection keeps the numbers of epochs."""


def insert(connection: Connection, table: Table) -> Any:
    """
    Returns:
        An insert statement that may say what happens on a conflict, in the words of the connection's database.
    """
    return _insert(connection.dialect.name, table)


def _insert(dialect: str, table: Table) -> Any:
    """What belongs to the other database stays unloaded: PostgreSQL's part of SQLAlchemy takes 2 MiB."""
    return importlib.import_module(f"sqlalchemy.dialects.{dialect}").insert(table)


def upsert(connection: Connection, table: Table, rows: List[Dict[str, Any]], keep: Sequence[str] = ()) -> None:
    """Inserts rows, or replaces the columns that are neither in the primary key nor to be kept."""
    if rows:
        connection.execute(_upsert(connection.dialect.name, table, tuple(rows[0]), tuple(keep)), rows)


@functools.lru_cache(maxsize=64)
def _upsert(dialect: str, table: Table, columns: Tuple[str, ...], keep: Tuple[str, ...]) -> Any:
    """Once for each table: it takes longer to make than most rows to write."""
    statement = _insert(dialect, table)
    key = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in columns if name not in (*key, *keep)}
    return statement.on_conflict_do_update(index_elements=key, set_=changed)


def write_process(connection: Connection, process: Process, versions: Mapping[str, str], now: float) -> None:
    """Enters a process, or notes that it lives."""
    row = {"proc_uuid": process.proc_uuid, "host": process.host, "pid": process.pid, "birth": process.birth}
    times = {"started_at": now, "last_seen": now}
    kept = ("host", "pid", "birth", "versions", "started_at")
    upsert(connection, PROCESS, [{**row, "versions": to_json(versions), **times}], keep=kept)


def write_end(connection: Connection, process: Process, now: float) -> None:
    """Notes that a process will not write again."""
    connection.execute(PROCESS.update().where(PROCESS.c.proc_uuid == process.proc_uuid).values(ended_at=now))


def write_report(
    connection: Connection, process: Process, report: Report, now: float, *, is_recovered: bool = False
) -> None:
    """
    Writes counts, shapes, timings and classes.

    A recovered report knows nothing of labels and sketches, and only the last samples: what is there of them stays.
    """
    labels, sketches = (("labels",), ("sketch",)) if is_recovered else ((), ())
    epochs = dict.fromkeys((*report.counters, *(epoch for epoch, _ in report.classes)))
    ids = {epoch: epoch_id(connection, epoch, now) for epoch in epochs}
    for epoch, counter in report.counters.items():
        of_process = {"epoch_id": ids[epoch], "proc_uuid": process.proc_uuid}
        row = {"counts": to_json(counter.counts), "labels": to_json(counter.labels), "updated_at": now}
        upsert(connection, COUNTER, [{**of_process, **row}], keep=labels)
        shapes = [
            {**of_process, "shape": shape, "counts": to_json(counts), "sketch": sketch}
            for shape, (counts, sketch) in counter.shapes.items()
        ]
        upsert(connection, SHAPE_COUNTER, shapes, keep=sketches)
        if counter.times is not None:
            upsert(connection, TIMING, [{**of_process, "timings": to_json(counter.times)}])
    # In one order, so that no two processes wait for each other's rows.
    classes = [
        ({"fingerprint": fingerprint, "epoch_id": ids[epoch]}, record)
        for (epoch, fingerprint), record in sorted(report.classes.items(), key=lambda it: (it[0][1], ids[it[0][0]]))
    ]
    _write_classes(connection, classes)
    for without_samples, keep in ((False, ()), (True, ("samples",))):
        found = [it for it in classes if without_samples == (is_recovered and not it[1].samples)]
        upsert(connection, SIGHTING, [_sighting(process, *it) for it in found], keep=keep)


def refused(connection: Connection, classes: Iterable[ClassKey], now: float) -> List[ClassKey]:
    """
    Returns:
        Those of a process's classes that would be more than the ledger holds of an epoch, over all processes.
    """
    by_epoch: Dict[Epoch, List[str]] = {}
    for epoch, fingerprint in classes:
        if fingerprint != OVERFLOW.fingerprint:
            by_epoch.setdefault(epoch, []).append(fingerprint)
    return [
        (epoch, it)
        for epoch, fingerprints in by_epoch.items()
        for it in _beyond(connection, epoch_id(connection, epoch, now), fingerprints)
    ]


def _beyond(connection: Connection, epoch: int, fingerprints: Sequence[str]) -> List[str]:
    of_epoch = DIVERGENCE_CLASS.c.epoch_id == epoch
    held = int(connection.execute(select(func.count()).select_from(DIVERGENCE_CLASS).where(of_epoch)).scalar_one())
    if held + len(fingerprints) <= MAX_CLASSES:
        return []
    known = set(connection.execute(select(DIVERGENCE_CLASS.c.fingerprint).where(of_epoch)).scalars())
    return [it for it in fingerprints if it not in known][max(0, MAX_CLASSES - held) :]


def write_transition(connection: Connection, transition: Transition) -> None:
    """Appends to the audit trail and changes the state of a build and its rollout, unless that was done before."""
    if audit.append(connection, transition) and transition.scope == "build":
        row = {"feature": transition.feature, "candidate_build": transition.candidate_build}
        said = {"state": transition.state, "reason": transition.reason, "actor": transition.actor, "at": transition.at}
        upsert(connection, FEATURE_STATE, [{**row, **said}])
        if transition.state == "blocked":
            rollouts.take_back(connection, transition)


def epoch_id(connection: Connection, epoch: Epoch, now: float) -> int:
    """
    Returns:
        The number of an epoch, which is given one when it has none. An epoch is never removed, and a connection on
        which a transaction has failed is not used again, so what it was told is remembered with it.
    """
    remembered: Dict[Epoch, int] = connection.info.setdefault(_EPOCHS, {})
    if epoch not in remembered:
        remembered[epoch] = _epoch_id(connection, epoch, now)
    return remembered[epoch]


def _epoch_id(connection: Connection, epoch: Epoch, now: float) -> int:
    parts = asdict(epoch)
    profile = parts.pop("profile")
    found = select(EPOCH.c.epoch_id).filter_by(**parts)
    known = connection.execute(found).scalar()
    if known is None:
        statement = insert(connection, EPOCH).values(**parts, profile=profile, opened_at=now)
        connection.execute(statement.on_conflict_do_nothing())
        known = connection.execute(found).scalar_one()
    return int(known)


def _sighting(process: Process, of_class: Mapping[str, Any], record: ClassRecord) -> Dict[str, Any]:
    seen = {"proc_uuid": process.proc_uuid, "count": record.count, "samples": f"[{', '.join(record.samples)}]"}
    return {**of_class, **seen}


def _class_row(of_class: Mapping[str, Any], record: ClassRecord) -> Dict[str, Any]:
    description = record.description
    return {
        **of_class,
        "kind": description.kind,
        "pattern": description.pattern,
        "control_type": description.control.type,
        "candidate_type": description.candidate.type,
        "first_seen": record.first_seen,
        "last_seen": record.last_seen,
        "state": record.state,
    }


def _write_classes(connection: Connection, classes: Sequence[Tuple[Mapping[str, Any], ClassRecord]]) -> None:
    """States have an order, and times their first and last: processes may write in any."""
    if not classes:
        return
    statement = insert(connection, DIVERGENCE_CLASS)
    old, new = DIVERGENCE_CLASS.c, statement.excluded
    merged = {
        "first_seen": case((old.first_seen < new.first_seen, old.first_seen), else_=new.first_seen),
        "last_seen": case((old.last_seen > new.last_seen, old.last_seen), else_=new.last_seen),
        "state": case((_rank(old.state) > _rank(new.state), old.state), else_=new.state),
    }
    key = ["fingerprint", "epoch_id"]
    rows = [_class_row(*it) for it in classes]
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=merged), rows)


def _rank(state: Any) -> Any:
    return case({word: rank for rank, word in enumerate(STATES)}, value=state, else_=-1)


def to_json(value: Any) -> str:
    """
    Returns:
        The value as JSON. Whatever is none is written as its type: its text could be content.
    """
    return json.dumps(value, sort_keys=True, default=type_name)
