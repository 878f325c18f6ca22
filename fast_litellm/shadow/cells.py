"""
Cells: one dimension's value, or a pair of two dimensions', and the evidence of all shapes that lie in them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Iterable, Mapping

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

    def with_shape(self, shape: ShapeEvidence) -> CellEvidence:
        """
        Returns:
            The evidence with a shape's added. A shape is a function of the input, so distinct inputs add up.
        """
        return CellEvidence(_sum(self.account, shape.account), self.distinct + shape.distinct)


def cells(profile: str, shapes: Iterable[ShapeEvidence]) -> Mapping[str, CellEvidence]:
    """
    Add shapes up.

    Args:
        profile: The table of their dimensions: "chat" | "plain".
        shapes: Those of one epoch. Calls whose shape is not known lie in no cell.

    Returns:
        Every cell that has been seen: `dimension=value`, and `dimension=value&dimension=value`.
    """
    found: Dict[str, CellEvidence] = {}
    for shape in shapes:
        for cell in engine.current().shape_cells(profile, shape.shape):
            found[cell] = found.get(cell, CellEvidence()).with_shape(shape)
    return found


def is_pair(cell: str) -> bool:
    """Returns whether a cell is of two dimensions."""
    return "&" in cell


def is_known_beforehand(cell: str) -> bool:
    """Returns whether a call's arguments tell that it lies in a cell, without what the control did."""
    return _OUTCOME not in cell


def _sum(one: Account, other: Account) -> Account:
    shed = {reason: one.shed.get(reason, 0) + other.shed.get(reason, 0) for reason in {**one.shed, **other.shed}}
    return Account(
        offered=one.offered + other.offered,
        sampled_out=one.sampled_out + other.sampled_out,
        matched=one.matched + other.matched,
        waived=one.waived + other.waived,
        diverged=one.diverged + other.diverged,
        in_flight=one.in_flight + other.in_flight,
        shed=shed,
    )
