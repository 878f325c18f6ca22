"""
The gate's evaluations in the ledger, and how the evidence of an epoch has grown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Tuple

from sqlalchemy import Connection, select

from fast_litellm.shadow import writing
from fast_litellm.shadow.observation import Epoch
from fast_litellm.shadow.reports import rows
from fast_litellm.shadow.schema import EPOCH, GATE_EVALUATION, PROGRESS


@dataclass(frozen=True)
class Evaluation:
    """
    What the gate said at one moment.

    Args:
        epoch: The evidence it looked at.
        step: The step of the plan it was asked about.
        decision: "promote" | "hold" | "roll_back".
        checks: Each check as JSON values; no content.
    """

    epoch: Epoch
    step: int
    decision: str
    checks: Tuple[Mapping[str, Any], ...] = ()


def write(connection: Connection, evaluation: Evaluation, now: float) -> None:
    """Appends an evaluation."""
    row = {
        "feature": evaluation.epoch.feature,
        "epoch_id": writing.epoch_id(connection, evaluation.epoch, now),
        "at": now,
        "step": evaluation.step,
        "decision": evaluation.decision,
        "checks": writing.to_json(evaluation.checks),
    }
    connection.execute(GATE_EVALUATION.insert().values(**row))


def read(connection: Connection, feature: str, limit: int) -> List[Dict[str, Any]]:
    """
    Returns:
        The last evaluations, the latest first: "at", "candidate_build", "step", "decision", "checks".
    """
    table = GATE_EVALUATION.c
    found = select(table.at, EPOCH.c.candidate_build, table.step, table.decision, table.checks)
    found = found.join_from(GATE_EVALUATION, EPOCH).where(table.feature == feature)
    found = found.order_by(table.evaluation_id.desc()).limit(limit)
    return [{**row, "checks": json.loads(row["checks"])} for row in rows(connection, found)]


def progress(connection: Connection, feature: str) -> List[Dict[str, Any]]:
    """
    Returns:
        The growth of the epoch that was noted last, in order: "at", "compared", "distinct", "diverged".
    """
    table = PROGRESS.c
    noted = select(table.epoch_id).join_from(PROGRESS, EPOCH).where(EPOCH.c.feature == feature)
    latest = connection.execute(noted.order_by(table.at.desc(), table.epoch_id.desc()).limit(1)).scalar()
    found = select(table.at, table.compared, table.distinct_inputs.label("distinct"), table.diverged)
    return [dict(row) for row in rows(connection, found.where(table.epoch_id == latest).order_by(table.at))]
