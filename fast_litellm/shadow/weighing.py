"""
Putting together what the ledger knows of a feature's latest epoch, in the form in which it is judged and shown.
"""

from __future__ import annotations

from collections import Counter
from typing import Dict, List, Optional

from sqlalchemy import Connection, select

from fast_litellm.shadow import engine, process, timing
from fast_litellm.shadow.counts import Counts, add, unflatten
from fast_litellm.shadow.evidence import Account, ClassEvidence, Evidence, ShapeEvidence
from fast_litellm.shadow.observation import Epoch
from fast_litellm.shadow.reports import Row, divergences, rows, settled, timings
from fast_litellm.shadow.schema import COUNTER, EPOCH, PROCESS, PROGRESS, SHAPE_COUNTER

_RATE_SECONDS = 3_600.0
_PARTS = ("feature", "candidate_build", "reference", "comparator", "rules_revision", "profile")


def evidence(connection: Connection, own_host: str, now: float, feature: str) -> Optional[Evidence]:
    """
    Args:
        connection: For reading.
        own_host: The host digest of the calling process.
        now: Seconds since 1970.
        feature: The flag's name.

    Returns:
        The evidence of the epoch that was counted in last, or None when nothing ever was.
    """
    latest = select(EPOCH).join(COUNTER, COUNTER.c.epoch_id == EPOCH.c.epoch_id).where(EPOCH.c.feature == feature)
    found = rows(connection, latest.order_by(COUNTER.c.updated_at.desc(), EPOCH.c.epoch_id.desc()).limit(1))
    return _of_epoch(connection, found[0], own_host, now) if found else None


def _of_epoch(connection: Connection, row: Row, own_host: str, now: float) -> Evidence:
    epoch = Epoch(**{part: row[part] for part in _PARTS})
    processes = _processes(connection, row["epoch_id"])
    classes = _classes(connection, epoch, now)
    times = timings(connection, row["epoch_id"])
    lives = [it for it in processes if not process.is_gone(it, own_host, now)]
    return Evidence(
        epoch=epoch,
        profile=epoch.profile,
        opened_at=row["opened_at"],
        account=_account([settled(it, own_host, now) for it in processes]),
        shapes=tuple(_shapes(connection, row, own_host, now)),
        classes=tuple(classes),
        kinds=dict(sum((Counter({it.kind: it.count}) for it in classes), Counter())),
        timings=timing.total(times),
        latency=timing.latency(times),
        hosts=len({it["host"] for it in processes}),
        processes=len(lives),
        silent=sum(_is_silent(it, now) for it in processes if it["ended_at"] is None),
        heard_at=max((it["last_seen"] for it in processes), default=0.0),
        per_second=_rate(connection, row["epoch_id"], now),
    )


def _processes(connection: Connection, epoch_id: int) -> List[Row]:
    joined = select(COUNTER.c.counts, PROCESS).join_from(COUNTER, PROCESS, COUNTER.c.proc_uuid == PROCESS.c.proc_uuid)
    return rows(connection, joined.where(COUNTER.c.epoch_id == epoch_id))


def _is_silent(row: Row, now: float) -> bool:
    return process.SILENT_SECONDS < now - float(row["last_seen"]) <= process.GONE_SECONDS


def _shapes(connection: Connection, epoch: Row, own_host: str, now: float) -> List[ShapeEvidence]:
    table = SHAPE_COUNTER.c
    joined = select(table.shape, table.counts, table.sketch, PROCESS)
    joined = joined.join_from(SHAPE_COUNTER, PROCESS, table.proc_uuid == PROCESS.c.proc_uuid)
    by_shape: Dict[int, List[Row]] = {}
    for row in rows(connection, joined.where(table.epoch_id == epoch["epoch_id"]).order_by(table.shape)):
        by_shape.setdefault(row["shape"], []).append(row)
    return [
        ShapeEvidence(
            shape,
            engine.current().shape_values(epoch["profile"], shape),
            _account([settled(row, own_host, now) for row in found]),
            _distinct([bytes(row["sketch"]) for row in found if row["sketch"] is not None]),
        )
        for shape, found in by_shape.items()
    ]


def _distinct(sketches: List[bytes]) -> int:
    if not sketches:
        return 0
    native = engine.current()
    return native.sketch_lower_bound(native.sketch_merge(sketches))


def _account(counts: List[Counts]) -> Account:
    total: Counts = {}
    for each in counts:
        total = add(total, each)
    reading = unflatten(total)
    names = ("offered", "sampled_out", "matched", "waived", "diverged", "in_flight", "shed")
    return Account(**{name: reading[name] for name in names})


def _classes(connection: Connection, epoch: Epoch, now: float) -> List[ClassEvidence]:
    return [
        ClassEvidence(row["fingerprint"], row["kind"], row["state"], row["count"], is_waived=row["state"] == "waived")
        for row in divergences(connection, epoch.feature, now)
        if (row["candidate_build"], row["comparator"]) == (epoch.candidate_build, epoch.comparator)
    ]


def _rate(connection: Connection, epoch_id: int, now: float) -> Optional[float]:
    """Distinct inputs a second over the last hour that was noted."""
    table = PROGRESS.c
    noted = select(table.at, table.distinct_inputs).where(table.epoch_id == epoch_id, table.at >= now - _RATE_SECONDS)
    found = rows(connection, noted.order_by(table.at))
    if len(found) <= 1 or found[-1]["at"] <= found[0]["at"]:
        return None
    inputs = int(found[-1]["distinct_inputs"]) - int(found[0]["distinct_inputs"])
    return inputs / (float(found[-1]["at"]) - float(found[0]["at"]))
