"""
What a killed process has left becomes part of the ledger, as if the process had written it itself.

Counts and classes are absolute, and transitions have names, so that it may be written twice. Calls that were in flight
are shed as "process_died" by whoever reads the counts of a process that is gone.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Tuple

from fast_litellm.shadow.account import Counter, Report, epoch_of
from fast_litellm.shadow.classes import MAX_SAMPLES, ClassKey, ClassRecord, folded
from fast_litellm.shadow.observation import Description, Epoch, Summary, as_fields
from fast_litellm.shadow.transition import Transition

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fast_litellm.shadow.ring import Left


def as_record(seen: Tuple[Epoch, str, ClassRecord], transition: Optional[Transition]) -> Dict[str, Any]:
    """
    Args:
        seen: A class as it is after a comparison.
        transition: What the comparison led to.

    Returns:
        Both as JSON values; `write` reads them. Samples beyond the first are those of earlier records.
    """
    epoch, fingerprint, record = seen
    last = replace(record, samples=record.samples[-1:] if record.count <= MAX_SAMPLES else [])
    return {
        "epoch": as_fields(epoch),
        "fingerprint": fingerprint,
        "class": {**as_fields(last), "samples": [json.loads(it) for it in last.samples]},
        "transition": None if transition is None else as_fields(transition),
    }


def write(connection: Connection, left: Left, now: float) -> None:
    """
    Write what a process has left.

    Args:
        connection: In a write transaction.
        left: What was read from its ring.
        now: Seconds since 1970.
    """
    from fast_litellm.shadow import folding, writing

    if folding.is_folded(connection, left.process.proc_uuid):
        return  # it was written before, and its ring could not be removed then
    writing.write_process(connection, left.process, left.versions, now)
    report = _report(left)
    classes = folded(report.classes, writing.refused(connection, report.classes, now))
    writing.write_report(connection, left.process, replace(report, classes=classes), now, is_recovered=True)
    for record in left.records:
        if record["transition"] is not None:
            writing.write_transition(connection, Transition(**record["transition"]))
    writing.write_end(connection, left.process, now)


def _report(left: Left) -> Report:
    counters: Dict[Epoch, Counter] = {}
    for name, reading, shapes in left.blocks:
        epoch = epoch_of(name)
        counters[epoch] = counters.get(epoch, Counter()).with_reading(reading, shapes)
    classes: Dict[ClassKey, ClassRecord] = {}
    for record in left.records:
        key = (Epoch(**record["epoch"]), record["fingerprint"])
        earlier = classes[key].samples if key in classes else []
        classes[key] = _class(record["class"], earlier)
    return Report(counters, classes)


def _class(said: Mapping[str, Any], earlier: List[str]) -> ClassRecord:
    sides = {side: Summary(**said["description"][side]) for side in ("control", "candidate")}
    description = Description(**{**said["description"], "delta": None, **sides})
    samples = [*earlier, *map(json.dumps, said["samples"])]
    return ClassRecord(**{**said, "description": description, "samples": samples})
