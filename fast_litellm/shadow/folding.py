"""
Many ended processes of one host as one.

A process writes absolute values of its own, and once it has ended nobody writes them any more: their sum over a host is
as good. That a process has been added up is noted in its row, so that what might still be found in its ring is not
written a second time.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any, Callable, Dict, List, Mapping, Sequence

from sqlalchemy import Connection, Table, delete, select, update

from fast_litellm.shadow import engine, writing
from fast_litellm.shadow.classes import MAX_SAMPLES
from fast_litellm.shadow.counts import Counts, add
from fast_litellm.shadow.reports import Row, rows
from fast_litellm.shadow.schema import COUNTER, PROCESS, SHAPE_COUNTER, SIGHTING, TIMING

NO_PID = 0
"""The number of what stands for many processes."""
_AT_ONCE = 200

# The program may count on its own generator's numbers, and which samples are kept is no secret.
_draw = random.Random().random  # noqa: S311

Merge = Callable[[Sequence[Row]], Dict[str, Any]]


def fold(connection: Connection, before: float) -> int:
    """
    Add up processes, a few hundred at a time.

    Args:
        connection: In a write transaction.
        before: Those that ended earlier than this, in seconds since 1970.

    Returns:
        How many were.
    """
    ended = select(PROCESS).where(PROCESS.c.ended_at < before, PROCESS.c.folded == 0, PROCESS.c.pid != NO_PID)
    found = rows(connection, ended.order_by(PROCESS.c.ended_at).limit(_AT_ONCE))
    by_host: Dict[str, List[Row]] = {}
    for row in found:
        by_host.setdefault(row["host"], []).append(row)
    for host, processes in by_host.items():
        _fold_host(connection, host, processes)
    return len(found)


def is_folded(connection: Connection, proc_uuid: str) -> bool:
    """Returns whether what a process has counted is in a sum already."""
    return connection.execute(select(PROCESS.c.folded).where(PROCESS.c.proc_uuid == proc_uuid)).scalar() == 1


def _fold_host(connection: Connection, host: str, processes: Sequence[Row]) -> None:
    name, names = f"folded:{host}", [row["proc_uuid"] for row in processes]
    known = rows(connection, select(PROCESS).where(PROCESS.c.proc_uuid == name))
    everybody = [*known, *processes]
    whole = {
        **dict(processes[-1]),
        "proc_uuid": name,
        "pid": NO_PID,
        "birth": "",
        "started_at": min(row["started_at"] for row in everybody),
        "last_seen": max(row["last_seen"] for row in everybody),
        "ended_at": max(row["ended_at"] for row in everybody),
    }
    writing.upsert(connection, PROCESS, [whole])
    for table, merge in _TABLES:
        _fold_table(connection, table, merge, [name, *names])
    connection.execute(update(PROCESS).where(PROCESS.c.proc_uuid.in_(names)).values(folded=1))


def _fold_table(connection: Connection, table: Table, merge: Merge, names: Sequence[str]) -> None:
    key = [column.name for column in table.primary_key if column.name != "proc_uuid"]
    groups: Dict[Any, List[Row]] = {}
    for row in rows(connection, select(table).where(table.c.proc_uuid.in_(names))):
        groups.setdefault(tuple(row[name] for name in key), []).append(row)
    merged = [{**parts[0], "proc_uuid": names[0], **merge(parts)} for parts in groups.values()]
    connection.execute(delete(table).where(table.c.proc_uuid.in_(names)))
    if merged:
        connection.execute(table.insert(), merged)


def _counters(parts: Sequence[Row]) -> Dict[str, Any]:
    latest = max(parts, key=lambda row: float(row["updated_at"]))
    return {"counts": _sum(parts), "labels": latest["labels"], "updated_at": latest["updated_at"]}


def _shapes(parts: Sequence[Row]) -> Dict[str, Any]:
    sketches = [bytes(row["sketch"]) for row in parts if row["sketch"] is not None]
    return {"counts": _sum(parts), "sketch": engine.current().sketch_merge(sketches) if sketches else None}


def _timings(parts: Sequence[Row]) -> Dict[str, Any]:
    read = [json.loads(row["timings"]) for row in parts]
    sums: Dict[str, Any] = {name: sum(it[name] for it in read) for name in ("pairs", "faster", "tail")}
    for name in ("ratios", "cpu_ratios"):
        steps: Counter[str] = Counter()
        for it in read:
            steps.update(it[name])
        sums[name] = dict(steps)
    return {"timings": writing.to_json(sums)}


def _sightings(parts: Sequence[Row]) -> Dict[str, Any]:
    """Of the samples some are drawn, each as likely as every divergence it stands for (Efraimidis and Spirakis)."""
    drawn: List[Any] = []
    for row in parts:
        samples = json.loads(row["samples"])
        drawn += [(_draw() ** (len(samples) / max(row["count"], 1)), it) for it in samples]
    kept = [it for _, it in sorted(drawn, key=lambda pair: pair[0], reverse=True)[:MAX_SAMPLES]]
    return {"count": sum(row["count"] for row in parts), "samples": writing.to_json(kept)}


def _sum(parts: Sequence[Mapping[str, Any]]) -> str:
    """What was in flight in a process that has ended was shed with it."""
    total: Counts = {}
    for row in parts:
        counts = json.loads(row["counts"])
        lost = counts["in_flight"]
        total = add(total, add({**counts, "in_flight": 0}, {"shed.process_died": lost} if lost else {}))
    return writing.to_json(total)


_TABLES = ((COUNTER, _counters), (SHAPE_COUNTER, _shapes), (TIMING, _timings), (SIGHTING, _sightings))
