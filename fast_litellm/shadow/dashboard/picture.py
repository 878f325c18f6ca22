"""
Takes the picture of a ledger.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple
from urllib.parse import urlsplit

from fast_litellm.errors import LedgerError
from fast_litellm.shadow.dashboard.judgement import Judgement, judged
from fast_litellm.shadow.dashboard.model import Entry, FeaturePicture, Finding, Picture, Step
from fast_litellm.shadow.evidence import Account, Evidence
from fast_litellm.shadow.history import History
from fast_litellm.shadow.rollouts import TAKEN_BACK

DEFAULT_PLAN = ("shadow", "1%", "5%", "25%", "50%", "on")
_URGENCY = ("blocked", "paused", "canary", "shadow", "on", "off")
_AUDIT_LINES = 20


Judge = Callable[[str], Optional[Judgement]]
"""Asks the gate about a feature; None when the ledger has no evidence of it."""


def take(
    history: History, address: str, now: float, plans: Mapping[str, Sequence[str]], judge: Optional[Judge] = None
) -> Picture:
    """
    Read everything a dashboard shows. Nothing is raised for a ledger that is missing, locked or broken: the picture
    says so.

    Args:
        history: The ledger.
        address: Its URL.
        now: Seconds since 1970.
        plans: Feature to the labels of its plan's steps; the default plan holds for every other.
        judge: Asks the gate; without it the picture shows what was counted.

    Returns:
        The picture.
    """
    ledger = place(address)
    try:
        features = history.status()["features"]
        found = _findings(history.divergences(), features)
        trail = history.audit()
        judgements = {name: judge(name) for name in features} if judge is not None else {}
    except LedgerError as error:
        return Picture(now, ledger, problem=f"{ledger} cannot be read: {_reason(error)}")
    audit = _audit(trail)
    counted = [
        _feature(name, facts, found.get(name, ()), audit.get(name, ()), plans.get(name, DEFAULT_PLAN))
        for name, facts in features.items()
    ]
    pictures = _with_rollbacks([_judged(feature, judgements.get(feature.name)) for feature in counted], trail)
    weighed = [found.evidence for found in judgements.values() if found is not None]
    return Picture(now, ledger, tuple(sorted(pictures, key=_urgency)), **_fleet(weighed))


def _with_rollbacks(features: Sequence[FeaturePicture], trail: Sequence[Dict[str, Any]]) -> List[FeaturePicture]:
    taken_back = _rollbacks(trail)
    return [replace(feature, rollbacks=taken_back.get(feature.name, {})) for feature in features]


def _fleet(weighed: Sequence[Evidence]) -> Dict[str, Any]:
    """Each process may serve any feature, so the most that one feature has seen is nearest to the truth."""
    return {
        "processes": max((found.processes for found in weighed), default=0),
        "silent": max((found.silent for found in weighed), default=0),
        "hosts": max((found.hosts for found in weighed), default=0),
        "heard_at": max((found.heard_at for found in weighed), default=None),
    }


def _judged(feature: FeaturePicture, judgement: Optional[Judgement]) -> FeaturePicture:
    if judgement is None:
        return feature
    labels = [step.label for step in feature.rail]
    return replace(judged(feature, judgement), rail=_rail(labels, judgement.step or feature.stage))


def _reason(error: LedgerError) -> str:
    """What the database said, without where it is."""
    return str(error).partition("\n")[0].rpartition(": ")[2]


def place(address: str) -> str:
    """
    Args:
        address: A ledger's URL.

    Returns:
        Enough of it to tell ledgers apart: the file's name, or host and database. Never a user, a password or a path.
    """
    parts = urlsplit(address)
    last = parts.path.rpartition("/")[2]
    return f"{parts.hostname}/{last}" if parts.hostname else last or "the ledger"


def _feature(
    name: str, facts: Mapping[str, Any], found: Sequence[Finding], audit: Sequence[Entry], plan: Sequence[str]
) -> FeaturePicture:
    account = Account(
        *(facts[key] for key in ("offered", "sampled_out", "matched", "waived", "diverged", "in_flight", "shed"))
    )
    return FeaturePicture(
        name,
        facts["stage"] or "off",
        facts["candidate_build"],
        {"reference": facts["fingerprint"] or ""},
        _rail(plan, facts["stage"] or "off"),
        facts["served"],
        compared=account.compared,
        diverged=account.diverged,
        classes=tuple(found),
        account=account,
        audit=tuple(audit)[:_AUDIT_LINES],
    )


def _rail(plan: Sequence[str], present: str) -> Tuple[Step, ...]:
    if present not in plan:
        return tuple(Step(label, "ahead") for label in plan)
    reached = list(plan).index(present)
    return tuple(
        Step(label, "present" if at == reached else "passed" if at < reached else "ahead")
        for at, label in enumerate(plan)
    )


def _findings(records: Sequence[Mapping[str, Any]], features: Mapping[str, Any]) -> Dict[str, List[Finding]]:
    """What an earlier build did is not held against the present one."""
    found: Dict[str, List[Finding]] = {}
    for record in records:
        present = features.get(record["feature"], {}).get("candidate_build")
        state = record["state"] if record["candidate_build"] == present else "earlier build"
        finding = Finding(
            record["fingerprint"],
            record["kind"],
            record["pattern"],
            record["control_type"],
            record["candidate_type"],
            state,
            record["count"],
            record["first_seen"],
            record["last_seen"],
        )
        found.setdefault(record["feature"], []).append(finding)
    return {name: sorted(group, key=lambda one: (not one.is_open, -one.count)) for name, group in found.items()}


def _audit(rows: Sequence[Mapping[str, Any]]) -> Dict[str, List[Entry]]:
    trail: Dict[str, List[Entry]] = {}
    for row in reversed(rows):
        entry = Entry(row["at"], f"{row['from_state'] or 'start'} -> {row['to_state']}", row["actor"], row["reason"])
        trail.setdefault(row["feature"], []).append(entry)
    return trail


def _rollbacks(rows: Sequence[Mapping[str, Any]]) -> Dict[str, Mapping[str, int]]:
    """How often Python was made to answer, by cause."""
    causes: Dict[str, List[str]] = {}
    for row in rows:
        cause = _cause(row["to_state"], row["actor"])
        if cause is not None:
            causes.setdefault(row["feature"], []).append(cause)
    return {name: dict(Counter(found)) for name, found in causes.items()}


def _cause(state: str, actor: str) -> Optional[str]:
    """Why a candidate was taken out of service; after a person's pause the feature is where it was."""
    if state == "blocked":
        return "divergence"
    if state == "paused" and actor == "guard":
        return "guard"
    return "manual" if state.endswith(f"({TAKEN_BACK})") else None


def _urgency(feature: FeaturePicture) -> Tuple[int, int, str]:
    at = _URGENCY.index(feature.stage) if feature.stage in _URGENCY else len(_URGENCY)
    return at, -feature.open_classes, feature.name
