"""The map of input shapes, summed from shapes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from fast_litellm.shadow.dashboard.cells import cell_map
from fast_litellm.shadow.dashboard.model import Cell, CellMap
from fast_litellm.shadow.evidence import Account, ShapeEvidence


def shape(number, matched, diverged=0, **values):
    """Calls of one shape, all of different inputs."""
    account = Account(matched + diverged, 0, matched, 0, diverged)
    return ShapeEvidence(number, values, account, matched + diverged)


SHAPES = (
    shape(1, 4_000, unicode="ascii", tools="none", stream="no"),
    shape(2, 200, unicode="rtl", tools="none", stream="no"),
    shape(3, 90, 2, unicode="cjk", tools="one", stream="no"),
)
CERTIFIED = {"unicode=ascii", "tools=none", "unicode=ascii&tools=none"}


def test_a_cell_is_the_sum_of_its_shapes():
    """A value that two shapes have in common counts the inputs of both."""
    found = {one.name: one.values for one in cell_map(SHAPES, CERTIFIED, (2_995, 299)).dimensions}

    assert ["unicode", "tools", "stream"] == list(found)
    assert Cell("certified", 4_200, 2_995) == found["tools"]["none"]
    assert Cell("collecting", 200, 2_995) == found["unicode"]["rtl"]
    assert Cell("diverged", 92, 2_995, 2) == found["unicode"]["cjk"]


def test_pairs_are_laid_out_as_a_table():
    """Rows and columns are the values, the most compared first; what never came together is unseen."""
    matrix = next(one for one in cell_map(SHAPES, CERTIFIED, (2_995, 299)).matrices if one.columns == "tools")

    assert ("unicode", ("ascii", "rtl", "cjk"), ("none", "one")) == (
        matrix.rows,
        matrix.row_values,
        matrix.column_values,
    )
    assert Cell("certified", 4_000, 299) == matrix.cells[0][0]
    assert (Cell("collecting", 200, 299), Cell()) == matrix.cells[1]
    assert "diverged" == matrix.cells[2][1].state


def test_a_difference_outweighs_a_certificate():
    """A cell that has differed is never drawn as certified."""
    [dimension] = cell_map((shape(1, 4_000, 1, tools="none"),), {"tools=none"}, (1, 1)).dimensions

    assert "diverged" == dimension.values["none"].state


def test_what_needs_most_is_shown_first():
    """A pair of dimensions that has differed comes before one that is collecting."""
    counts = [one.count("diverged") for one in cell_map(SHAPES, CERTIFIED, (2_995, 299)).matrices]

    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 1


def test_shapes_that_are_not_known_are_no_cells():
    """Calls that were sampled out before anybody looked at them have no values."""
    assert CellMap() == cell_map((shape(0, 500),), set(), (1, 1))


@given(some.lists(some.fixed_dictionaries({name: some.sampled_from("abc") for name in "xyz"}), max_size=30))
def test_every_cell_is_counted_once(values):
    """Singles and pairs, each named once, however many shapes have it."""
    shapes = [shape(number, 1, **dict(sorted(one.items()))) for number, one in enumerate(values)]
    singles = {pair for one in values for pair in one.items()}
    pairs = {(a, b) for one in values for a in one.items() for b in one.items() if a < b}

    assert len(singles) + len(pairs) == cell_map(shapes, set(), (9, 9)).total


def test_a_dimension_of_very_many_values_is_cut():
    """The page stays small; the totals do not change."""
    found = cell_map([shape(number, 1, family=f"model-{number}", tools="one") for number in range(40)], set(), (9, 9))

    assert 40 + 1 + 40 == found.total
    assert [12, 1] == [len(one.values) for one in found.dimensions]
