"""
The map of input shapes: single values of the dimensions and pairs of them, summed from shapes.

Which of them suffice is the gate's word. What is drawn is bounded: the most compared values of a dimension, and the
pairs of dimensions of which most is still missing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations
from typing import Container, Dict, List, Mapping, Sequence, Tuple

from fast_litellm.shadow.dashboard.model import Cell, CellMap, Dimension, Matrix
from fast_litellm.shadow.evidence import ShapeEvidence

_MOST_VALUES = 12
_MOST_MATRICES = 10

Part = Tuple[str, str]
Key = Tuple[Part, ...]
Sums = Mapping[Key, Mapping[str, int]]


def cell_map(shapes: Sequence[ShapeEvidence], certified: Container[str], needed: Tuple[int, int]) -> CellMap:
    """
    Args:
        shapes: The calls by shape.
        certified: The cells that the gate holds for proven, such as "tools=one&unicode=rtl".
        needed: How many different inputs without a difference certify a single value, and a pair.

    Returns:
        The map; the pairs of dimensions with most to do come first.
    """
    sums = _sums(shapes)
    cells = {key: _cell(name(key) in certified, sum_, needed[len(key) - 1]) for key, sum_ in sums.items()}
    values = _values(sums)
    matrices = [_matrix(pair, values, cells) for pair in combinations(values, 2)]
    matrices.sort(key=lambda matrix: (-matrix.count("diverged"), -matrix.count("collecting")))
    dimensions = tuple(Dimension(name, {v: cells[((name, v),)] for v in found}) for name, found in values.items())
    total = sum(cell.state == "certified" for cell in cells.values())
    return CellMap(total, len(cells), dimensions, tuple(matrices[:_MOST_MATRICES]))


def name(key: Sequence[Part]) -> str:
    """
    Args:
        key: Dimensions with their values, in the profile's order.

    Returns:
        The cell's name, as the gate and the ledger write it.
    """
    return "&".join(f"{dimension}={value}" for dimension, value in key)


def _sums(shapes: Sequence[ShapeEvidence]) -> Sums:
    sums: Dict[Key, Counter[str]] = defaultdict(Counter)
    for shape in shapes:
        counts = {"distinct": shape.distinct, "compared": shape.account.compared, "diverged": shape.account.diverged}
        parts = tuple(shape.values.items())
        for size in (1, 2):
            for key in combinations(parts, size):
                sums[key].update(counts)
    return sums


def _cell(is_certified: bool, counts: Mapping[str, int], needed: int) -> Cell:
    state = "diverged" if counts["diverged"] else "certified" if is_certified else "collecting"
    return Cell(state, counts["distinct"], needed, counts["diverged"])


def _values(sums: Sums) -> Dict[str, List[str]]:
    """The most compared values of every dimension."""
    found: Dict[str, List[str]] = defaultdict(list)
    for key in sorted((key for key in sums if len(key) == 1), key=lambda key: -sums[key]["compared"]):
        found[key[0][0]].append(key[0][1])
    order = dict.fromkeys(part[0] for key in sums for part in key)
    return {dimension: found[dimension][:_MOST_VALUES] for dimension in order}


def _matrix(pair: Tuple[str, ...], values: Mapping[str, List[str]], cells: Mapping[Key, Cell]) -> Matrix:
    rows, columns = pair
    body = tuple(
        tuple(cells.get(((rows, row), (columns, column)), Cell()) for column in values[columns])
        for row in values[rows]
    )  # fmt: skip
    return Matrix(rows, columns, tuple(values[rows]), tuple(values[columns]), body)
