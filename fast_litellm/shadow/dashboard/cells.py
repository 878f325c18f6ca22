"""
The map of input cells: single values of the dimensions, and pairs of them as tables.

Which of them suffice is the gate's word. What is drawn is bounded: the most compared values of a dimension, and the
pairs of dimensions of which most is still missing.
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import Container, Dict, List, Mapping, Tuple

from fast_litellm.shadow.cells import CellEvidence, is_pair
from fast_litellm.shadow.dashboard.model import Cell, CellMap, Dimension, Matrix

_MOST_VALUES = 12
_MOST_MATRICES = 10


def cell_map(
    found: Mapping[str, CellEvidence], certified: Container[str], needed: Tuple[int, int], *, is_accepted: bool = False
) -> CellMap:
    """
    Args:
        found: The evidence by cell, named "unicode=rtl" or "unicode=rtl&tools=one".
        certified: The cells that the gate holds for proven.
        needed: How many different inputs without a difference certify a single value, and a pair.
        is_accepted: Somebody has accepted every difference there was.

    Returns:
        The map; the pairs of dimensions with most to do come first.
    """
    cells = {
        name: _cell(name in certified, one, needed[is_pair(name)], is_accepted=is_accepted)
        for name, one in found.items()
    }
    values = _values(found)
    matrices = [_matrix(pair, values, cells) for pair in combinations(values, 2)]
    matrices.sort(key=lambda matrix: (-matrix.count("diverged"), -matrix.count("collecting")))
    dimensions = tuple(
        Dimension(name, {value: cells[f"{name}={value}"] for value in some}) for name, some in values.items()
    )
    total = sum(cell.state == "certified" for cell in cells.values())
    return CellMap(total, len(cells), dimensions, tuple(matrices[:_MOST_MATRICES]))


def _cell(is_certified: bool, evidence: CellEvidence, needed: int, *, is_accepted: bool) -> Cell:
    diverged = 0 if is_accepted else evidence.account.diverged
    state = "diverged" if diverged else "certified" if is_certified else "collecting"
    return Cell(state, evidence.distinct, needed, diverged)


def _values(found: Mapping[str, CellEvidence]) -> Dict[str, List[str]]:
    """The most compared values of every dimension."""
    singles = [name for name in found if not is_pair(name)]
    values: Dict[str, List[str]] = {name.partition("=")[0]: [] for name in singles}
    for name in sorted(singles, key=lambda name: -found[name].account.compared):
        dimension, _, value = name.partition("=")
        values[dimension].append(value)
    return {dimension: _ordered(some[:_MOST_VALUES]) for dimension, some in values.items()}


def _ordered(values: List[str]) -> List[str]:
    """Ranges of numbers in their own order, words as they come."""
    starts = [re.match(r"\d+", value) for value in values]
    if not all(starts):
        return values
    return sorted(values, key=lambda value: int(re.split(r"\D", value)[0]))


def _matrix(pair: Tuple[str, str], values: Mapping[str, List[str]], cells: Mapping[str, Cell]) -> Matrix:
    rows, columns = pair
    body = [
        tuple(cells.get(f"{rows}={row}&{columns}={column}", Cell()) for column in values[columns])
        for row in values[rows]
    ]  # fmt: skip
    return Matrix(rows, columns, tuple(values[rows]), tuple(values[columns]), tuple(body))
