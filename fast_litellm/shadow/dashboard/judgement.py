"""
What the gate says of a feature, put into its picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Container, Optional, Protocol, Sequence, Tuple

from fast_litellm.shadow.cells import cells, is_known_beforehand
from fast_litellm.shadow.dashboard.cells import cell_map
from fast_litellm.shadow.dashboard.model import FeaturePicture, Requirement, Speed
from fast_litellm.shadow.evidence import Evidence


class Line(Protocol):
    """One line of the gate's checklist, as `Requirement` describes it."""

    @property
    def name(self) -> str: ...
    @property
    def holds(self) -> bool: ...
    @property
    def saw(self) -> str: ...
    @property
    def needs(self) -> str: ...
    @property
    def missing(self) -> str: ...
    @property
    def seconds_left(self) -> Optional[float]: ...


@dataclass(frozen=True)
class Judgement:
    """
    The evidence of a feature, and what the gate says of it.

    Args:
        evidence: What was found.
        decision: "promote", "hold" or "roll_back".
        checks: The checklist.
        certified: The cells whose calls the candidate may answer.
        bound: The divergence rate that the evidence does not exclude.
        target: The rate that must be excluded.
        alpha: How often the bound may be wrong.
        needed: How many different inputs without a difference certify a single value, and a pair.
        faster: The share of calls on which the candidate takes less time, as an interval.
        step: The step of its plan that the feature has reached, as it is called there.
    """

    evidence: Evidence
    decision: str
    checks: Sequence[Line]
    certified: Container[str]
    bound: float
    target: float
    alpha: float
    needed: Tuple[int, int]
    faster: Tuple[float, float] = (0.0, 1.0)
    step: str = ""


def judged(feature: FeaturePicture, judgement: Judgement) -> FeaturePicture:
    """
    Args:
        feature: What the ledger's counters show.
        judgement: What the gate says.

    Returns:
        The feature with both. All counts are those of the epoch that was judged.
    """
    evidence = judgement.evidence
    known = {name: cell for name, cell in cells(evidence.profile, evidence.shapes).items() if is_known_beforehand(name)}
    epoch = evidence.epoch
    return replace(
        feature,
        facts={"reference": epoch.reference, "comparator": epoch.comparator, "rules": epoch.rules_revision},
        decision=judgement.decision,
        checks=tuple(map(_requirement, judgement.checks)),
        compared=evidence.account.compared,
        distinct=sum(shape.distinct for shape in evidence.shapes),
        diverged=evidence.account.diverged,
        bound=judgement.bound,
        target=judgement.target,
        confidence=1 - judgement.alpha,
        cells=cell_map(known, judgement.certified, judgement.needed, is_accepted=evidence.is_accepted),
        speed=_speed(judgement),
        latency=evidence.latency,
        account=evidence.account,
        kinds=dict(evidence.kinds),
        opened_at=evidence.opened_at,
    )


def _requirement(line: Line) -> Requirement:
    return Requirement(line.name, line.holds, line.saw, line.needs, line.missing, line.seconds_left)


def _speed(judgement: Judgement) -> Optional[Speed]:
    timings = judgement.evidence.timings
    if not timings.pairs or not timings.ratio:
        return None
    return Speed(1 / timings.ratio, timings.pairs, judgement.faster, timings.tail / timings.pairs)
