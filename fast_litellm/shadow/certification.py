"""
Which cells are proven, and with them which calls a candidate may answer.

The claim is that in every certified cell the candidate differs less often than the bound. Each cell is tested at the
bound's own level and no correction is due, because a call is served only when all of its cells have passed: a call that
should not be served is served at most as often as one single test is wrong (Berger, "Multiparameter hypothesis testing
and acceptance sampling", 1982). Cells that do not pass hold nothing up. Their calls stay with the control.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import FrozenSet, List, Mapping, Optional, Tuple

from fast_litellm.shadow import engine
from fast_litellm.shadow.cells import CellEvidence, cells, is_known_beforehand, is_pair
from fast_litellm.shadow.evidence import Account, Evidence, ShapeEvidence
from fast_litellm.shadow.policy import Policy


@dataclass(frozen=True)
class Standing:
    """
    How far a cell is.

    Args:
        is_certified: The candidate may answer its calls, as far as this cell is concerned.
        distinct: At least so many different inputs were compared.
        differing: Comparisons that did not match, accepted ones included.
        further: How many more different inputs, none of them differing, exclude the rate.
        lost: The share of its calls that were given up.
        seconds_left: When it is certified at the present rate; None when nobody can tell.
    """

    is_certified: bool
    distinct: int
    differing: int
    further: int
    lost: float
    seconds_left: Optional[float] = None


class Certification:
    """
    What the evidence of one epoch certifies.

    Args:
        policy: What is asked for.
        evidence: What was found.
    """

    def __init__(self, policy: Policy, evidence: Evidence) -> None:
        self._policy = policy
        self._evidence = evidence
        self.standings: Mapping[str, Standing] = {
            name: self._stand(name, cell)
            for name, cell in cells(evidence.profile, evidence.shapes).items()
            if is_known_beforehand(name)
        }
        """Every cell that was seen and that a call's arguments tell, by name."""
        self.certified: FrozenSet[str] = frozenset(
            name for name, standing in self.standings.items() if standing.is_certified
        )
        self._open = [(shape, self._uncertified(shape)) for shape in evidence.shapes]

    @property
    def share(self) -> float:
        """The share of offered calls all of whose cells are certified."""
        offered = sum(shape.account.offered for shape, _ in self._open)
        served = sum(shape.account.offered for shape, missing in self._open if missing == [])
        return served / offered if offered > 0 else 0.0

    @property
    def is_empty(self) -> bool:
        """Whether there is no shape whose calls could be answered."""
        return all(missing != [] for _, missing in self._open)

    @property
    def nearest(self) -> Tuple[Optional[float], str]:
        """When the first shape is certified, and the cell that takes longest till then; empty without any shape."""
        waits = [self._longest(missing) for _, missing in self._open if missing]
        return min(waits, key=lambda wait: _order(wait[0]), default=(None, ""))

    def _longest(self, missing: List[str]) -> Tuple[Optional[float], str]:
        longest = max(
            missing, key=lambda cell: (_order(self.standings[cell].seconds_left), self.standings[cell].further)
        )
        return self.standings[longest].seconds_left, longest

    def _stand(self, name: str, cell: CellEvidence) -> Standing:
        bound = self._policy.pairs if is_pair(name) else self._policy.cells
        distinct = min(cell.distinct, cell.account.compared)
        differing = cell.account.waived + cell.account.diverged
        further, lost = bound.further(differing, distinct), lost_share(cell.account)
        is_certified = distinct > 0 and further == 0 and lost <= self._policy.not_compared
        wait = 0.0 if is_certified else self._wait(further, cell)
        return Standing(is_certified, distinct, differing, further, lost, wait)

    def _wait(self, further: int, cell: CellEvidence) -> Optional[float]:
        """A cell's inputs are taken to come as often among all inputs as they have so far."""
        total = sum(shape.distinct for shape in self._evidence.shapes)
        rate = (self._evidence.per_second or 0.0) * cell.distinct / max(total, 1)
        return further / rate if further > 0 and rate > 0 else None

    def _uncertified(self, shape: ShapeEvidence) -> Optional[List[str]]:
        """None for a shape that lies in no cell: no call of it can be told to be safe."""
        known = filter(is_known_beforehand, engine.current().shape_cells(self._evidence.profile, shape.shape))
        found = list(known)
        return [cell for cell in found if cell not in self.certified] if found else None


def lost_share(account: Account) -> float:
    """
    Returns:
        Of the calls that should have been compared, the share that was given up; 0 when there are none.
    """
    shed = sum(account.shed.values())
    return shed / (shed + account.compared) if shed > 0 else 0.0


def _order(seconds: Optional[float]) -> float:
    return float("inf") if seconds is None else seconds
