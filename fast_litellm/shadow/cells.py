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
        distinct: At least so many different inputs were compared.
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
    found: Dict[str, List[ShapeEvidence]] = {}
    for shape in shapes:
        for cell in engine.current().shape_cells(profile, shape.shape):
            found.setdefault(cell, []).append(shape)
    return {cell: CellEvidence(_sum(parts), sum(part.distinct for part in parts)) for cell, parts in found.items()}


def is_pair(cell: str) -> bool:
    """Returns whether a cell is of two dimensions."""
    return "&" in cell


def is_known_beforehand(cell: str) -> bool:
    """Returns whether a call's arguments tell that it lies in a cell, without what the control did."""
    return _OUTCOME not in cell


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
