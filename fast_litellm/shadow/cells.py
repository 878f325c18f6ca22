"""
Cells: one dimension's value, or a pair of two dimensions', and the evidence of all shapes that lie in them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Mapping, Sequence

from fast_litellm.shadow import engine
from fast_litellm.shadow.evidence import Account, ShapeEvidence

_OUTCOME = "outcome="


@dataclass(frozen=True)
class CellEvidence:
    """
    The calls of one cell.

    Args:
        account: What became of them.
        distinct: At least so many different inputs were compared, as many as `proportional` finds.
    """

    account: Account = field(default_factory=Account)
    distinct: int = 0


def cells(profile: str, shapes: Iterable[ShapeEvidence]) -> Mapping[str, CellEvidence]:
    """
    Add shapes up.

    Args:
        profile: The table of their dimensions: "chat" | "plain".
        shapes: Those of one epoch. Calls whose shape is not known lie in no cell.

    Returns:
        Every cell that has been seen: `dimension=value`, and `dimension=value&dimension=value`. Distinct inputs add up,
        because a shape is a function of the input.
    """
    shapes = list(shapes)
    fractions = _fractions(profile, shapes)
    found: Dict[str, List[ShapeEvidence]] = {}
    for shape in shapes:
        for cell in engine.current().shape_cells(profile, shape.shape):
            found.setdefault(cell, []).append(shape)
    return {cell: CellEvidence(_sum(parts), _proportional(parts, fractions)) for cell, parts in found.items()}


def proportional(profile: str, shapes: Iterable[ShapeEvidence]) -> int:
    """
    Count distinct inputs as if all shapes had been sampled alike.

    A bound on how often calls differ is one on calls as they come. Rare shapes are sampled more, so what is counted of
    a shape is what a sample with the smallest fraction of all would hold of it.

    Args:
        profile: The table of their dimensions.
        shapes: Those of one epoch.

    Returns:
        At least so many; all that were counted, where nothing was left out for rarer calls.
    """
    shapes = list(shapes)
    return _proportional(shapes, _fractions(profile, shapes))


def is_pair(cell: str) -> bool:
    """Returns whether a cell is of two dimensions."""
    return "&" in cell


def is_known_beforehand(cell: str) -> bool:
    """Returns whether a call's arguments tell that it lies in a cell, without what the control did."""
    return _OUTCOME not in cell


def _fractions(profile: str, shapes: Sequence[ShapeEvidence]) -> Mapping[int, float]:
    """
    Of each shape's calls, the share that was not left out. What the control did is not known of those that were; and
    who was left out before the shape was known, was left out whatever the shape.
    """
    offered: Counter[int] = Counter()
    left_out: Counter[int] = Counter()
    for shape in (it for it in shapes if it.values):
        alike = _without_outcome(profile, shape.shape)
        offered[alike] += shape.account.offered
        left_out[alike] += shape.account.sampled_out
    taken = {alike: 1 - left_out[alike] / count for alike, count in offered.items() if count > 0}
    return {shape.shape: taken.get(_without_outcome(profile, shape.shape), 1.0) for shape in shapes}


def _without_outcome(profile: str, shape: int) -> int:
    return engine.current().shape_with_outcome(profile, shape, raised=False)


def _proportional(shapes: Sequence[ShapeEvidence], fractions: Mapping[int, float]) -> int:
    compared = [shape for shape in shapes if shape.distinct > 0 and fractions[shape.shape] > 0]
    least = min((fractions[shape.shape] for shape in compared), default=1.0)
    return int(sum(shape.distinct * (least / fractions[shape.shape]) for shape in compared))


def _sum(shapes: Sequence[ShapeEvidence]) -> Account:
    accounts = [shape.account for shape in shapes]
    shed: Counter[str] = Counter()
    for account in accounts:
        if account.shed:
            shed.update(account.shed)
    return Account(
        offered=sum(account.offered for account in accounts),
        sampled_out=sum(account.sampled_out for account in accounts),
        matched=sum(account.matched for account in accounts),
        waived=sum(account.waived for account in accounts),
        diverged=sum(account.diverged for account in accounts),
        in_flight=sum(account.in_flight for account in accounts),
        shed=dict(shed),
    )
