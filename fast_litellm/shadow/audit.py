"""
The audit trail: every transition has the hash of the one before, so that none can be changed or taken out unnoticed.

The chain proves that nothing in it was altered since it was read last; whoever can write the whole database could write
another chain. Rows from before there was one have no hash, and come first.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Dict, List, Mapping, Optional

from sqlalchemy import Connection, select, text

from fast_litellm.shadow import reports
from fast_litellm.shadow.schema import FEATURE_STATE, TRANSITION
from fast_litellm.shadow.transition import Transition

_HASHED = (
    "uid",
    "at",
    "feature",
    "candidate_build",
    "from_state",
    "to_state",
    "actor",
    "reason",
    "scope",
    "until",
    "evaluation",
)
# One writer at a time, so that no two rows name the same predecessor. SQLite's write transactions are that already.
_LOCK = text("SELECT pg_advisory_xact_lock(7316405882)")


def lock(connection: Connection) -> None:
    """Keeps other writers from appending until the transaction ends; a transaction may lock again."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)


def append(connection: Connection, transition: Transition) -> bool:
    """
    Append a transition, unless it has been written before.

    Args:
        connection: In a write transaction.
        transition: What happened.

    Returns:
        Whether it was appended.
    """
    lock(connection)
    if connection.execute(select(TRANSITION.c.seq).where(TRANSITION.c.uid == transition.uid)).first() is not None:
        return False
    row = {**_row(transition), "from_state": _state_before(connection, transition)}
    last = connection.execute(select(TRANSITION.c.hash).order_by(TRANSITION.c.seq.desc()).limit(1)).scalar() or ""
    connection.execute(TRANSITION.insert().values(**row, prev_hash=last, hash=chained(last, row)))
    return True


def chained(previous: str, row: Mapping[str, Any]) -> str:
    """
    Args:
        previous: The hash of the row before, "" for the first.
        row: The columns that are hashed.

    Returns:
        The SHA-256 of both, in hexadecimal.
    """
    canonical = json.dumps({name: row[name] for name in _HASHED}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\0{canonical}".encode("utf-8", "surrogatepass")).hexdigest()


def first_break(connection: Connection) -> Optional[int]:
    """
    Check the chain.

    Args:
        connection: For reading.

    Returns:
        The number of the first row that does not follow from the one before, or None when all do.
    """
    previous = ""
    for row in reports.rows(connection, select(TRANSITION).order_by(TRANSITION.c.seq)):
        is_unchained = not row["hash"] and not previous
        if not is_unchained and (row["prev_hash"] != previous or row["hash"] != chained(previous, row)):
            return int(row["seq"])
        previous = row["hash"]
    return None


def read(connection: Connection, feature: Optional[str]) -> List[Dict[str, Any]]:
    """
    Returns:
        The transitions in order, of one feature or of all.
    """
    rows = reports.rows(connection, select(TRANSITION).order_by(TRANSITION.c.seq))
    return [_shown(row) for row in rows if feature in (None, row["feature"])]


def _shown(row: Mapping[str, Any]) -> Dict[str, Any]:
    evaluation = None if row["evaluation"] is None else json.loads(row["evaluation"])
    return {**{name: it for name, it in row.items() if name != "uid"}, "evaluation": evaluation}


def _row(transition: Transition) -> Dict[str, Any]:
    evaluation = transition.evaluation
    return {
        "uid": transition.uid,
        "at": transition.at,
        "feature": transition.feature,
        "candidate_build": transition.candidate_build,
        "to_state": transition.state,
        "actor": transition.actor,
        "reason": transition.reason,
        "scope": transition.scope,
        "until": transition.until,
        "evaluation": None if evaluation is None else json.dumps(evaluation, sort_keys=True),
    }


def _state_before(connection: Connection, transition: Transition) -> str:
    """What the last transition of the same scope has come to, the feature's own state for a build."""
    if transition.scope == "class":  # another class's waiver is no state before
        return ""
    if transition.scope == "build":
        table = FEATURE_STATE.c
        known = select(table.state).where(table.feature == transition.feature)
        known = known.where(table.candidate_build == transition.candidate_build)
    else:
        table = TRANSITION.c
        known = select(table.to_state).where(table.feature == transition.feature, table.scope == transition.scope)
        known = known.order_by(table.seq.desc()).limit(1)
    return str(connection.execute(known).scalar() or "")
