"""
What the ledger forgets, and what it keeps in fewer rows.

Counts are never forgotten: those of processes that ended long ago are added up, host by host. What goes is what only
explains them: samples, evaluations, sealed calls, and the shapes and classes of epochs that nobody counts in any more.
"""

from __future__ import annotations

from typing import Any, List

from sqlalchemy import Connection, Table, delete, func, literal, select, text, update

from fast_litellm.shadow import folding
from fast_litellm.shadow.reports import rows
from fast_litellm.shadow.schema import (
    CAPTURE,
    COUNTER,
    DIVERGENCE_CLASS,
    EPOCH,
    GATE_EVALUATION,
    PROCESS,
    PROGRESS,
    SHAPE_COUNTER,
    SIGHTING,
)

_DAY = 86_400.0
FOLD_SECONDS = 7 * _DAY
"""So long after its end a process has rows of its own."""
SAMPLE_SECONDS = 30 * _DAY
EVALUATION_SECONDS = 90 * _DAY
EPOCH_SECONDS = 90 * _DAY
"""So long after its last count an epoch that is not a feature's latest keeps its shapes and classes."""
MAX_EVALUATIONS = 1_000
"""Of each feature. What a transition rested on is kept with the transition."""

_LOCK = text("SELECT pg_try_advisory_xact_lock(7316405882)")


def tidy(connection: Connection, now: float) -> bool:
    """
    Forget what is old.

    Args:
        connection: In a write transaction.
        now: Seconds since 1970.

    Returns:
        Whether it was done; not while another process does it.
    """
    if connection.dialect.name == "postgresql" and not connection.execute(_LOCK).scalar():
        return False
    connection.execute(delete(CAPTURE).where(CAPTURE.c.expires_at <= now))
    connection.execute(delete(PROGRESS).where(PROGRESS.c.at < now - EVALUATION_SECONDS))
    connection.execute(delete(GATE_EVALUATION).where(GATE_EVALUATION.c.at < now - EVALUATION_SECONDS))
    _forget_many_evaluations(connection)
    _forget_samples(connection, now - SAMPLE_SECONDS)
    _forget_epochs(connection, now - EPOCH_SECONDS)
    folding.fold(connection, now - FOLD_SECONDS)
    ended = (PROCESS.c.folded == 1) & (PROCESS.c.ended_at < now - EPOCH_SECONDS)
    connection.execute(delete(PROCESS).where(ended, PROCESS.c.pid != folding.NO_PID))
    return True


def _forget_many_evaluations(connection: Connection) -> None:
    table = GATE_EVALUATION.c
    for feature in connection.execute(select(table.feature).distinct()).scalars().all():
        of_feature = select(table.evaluation_id).where(table.feature == feature)
        eldest = of_feature.order_by(table.evaluation_id.desc()).offset(MAX_EVALUATIONS - 1).limit(1)
        found = connection.execute(eldest).scalar()
        if found is not None:
            connection.execute(delete(GATE_EVALUATION).where(table.feature == feature, table.evaluation_id < found))


def _forget_samples(connection: Connection, before: float) -> None:
    """The class and its count stay."""
    old = select(literal(1)).where(
        DIVERGENCE_CLASS.c.fingerprint == SIGHTING.c.fingerprint,
        DIVERGENCE_CLASS.c.epoch_id == SIGHTING.c.epoch_id,
        DIVERGENCE_CLASS.c.last_seen < before,
    )
    connection.execute(update(SIGHTING).where(SIGHTING.c.samples != "[]", old.exists()).values(samples="[]"))


def _forget_epochs(connection: Connection, before: float) -> None:
    counted = func.max(COUNTER.c.updated_at).label("at")
    found = select(EPOCH.c.epoch_id, EPOCH.c.feature, counted).join_from(EPOCH, COUNTER)
    latest = {}
    ordered = rows(connection, found.group_by(EPOCH.c.epoch_id, EPOCH.c.feature).order_by(counted, EPOCH.c.epoch_id))
    for row in ordered:
        latest[row["feature"]] = row["epoch_id"]
    old: List[int] = [it["epoch_id"] for it in ordered if it["at"] < before and latest[it["feature"]] != it["epoch_id"]]
    for epoch_id in old:
        for table in (SIGHTING, DIVERGENCE_CLASS, SHAPE_COUNTER, PROGRESS):
            connection.execute(delete(table).where(_column(table, "epoch_id") == epoch_id))


def _column(table: Table, name: str) -> Any:
    return table.c[name]
