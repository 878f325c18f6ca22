"""The map of input cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fast_litellm.accel.native import Shaper
from fast_litellm.shadow.cells import CellEvidence, cells
from fast_litellm.shadow.dashboard.cells import cell_map
from fast_litellm.shadow.dashboard.model import Cell, CellMap
from fast_litellm.shadow.evidence import Account, ShapeEvidence


def cell(matched, diverged=0):
    """Calls of one cell, all of different inputs."""
    return CellEvidence(Account(matched + diverged, 0, matched, 0, diverged), matched + diverged)


FOUND = {
    "unicode=ascii": cell(4_000),
    "unicode=rtl": cell(200),
    "unicode=cjk": cell(90, 2),
    "tools=none": cell(4_200),
    "tools=one": cell(90, 2),
    "stream=no": cell(4_290, 2),
    "unicode=ascii&tools=none": cell(4_000),
    "unicode=rtl&tools=none": cell(200),
    "unicode=cjk&tools=one": cell(90, 2),
}
CERTIFIED = {"unicode=ascii", "tools=none", "unicode=ascii&tools=none"}


@pytest.fixture
def drawn():
    """The map of nine cells."""
    return cell_map(FOUND, CERTIFIED, (2_995, 299))


def test_every_value_has_its_state(drawn):
    """Certified by the gate's word, collecting so many of so many, or diverged."""
    values = {one.name: one.values for one in drawn.dimensions}

    assert ["unicode", "tools", "stream"] == list(values)
    assert Cell("certified", 4_200, 2_995) == values["tools"]["none"]
    assert Cell("collecting", 200, 2_995) == values["unicode"]["rtl"]
    assert Cell("diverged", 92, 2_995, 2) == values["unicode"]["cjk"]


def test_pairs_are_laid_out_as_a_table(drawn):
    """Rows and columns are the values, the most compared first; what never came together is unseen."""
    matrix = next(one for one in drawn.matrices if one.columns == "tools")

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
    found = cell_map({"tools=none": cell(4_000, 1)}, {"tools=none"}, (1, 1))

    assert ("diverged", 0) == (found.dimensions[0].values["none"].state, found.certified)


def test_what_somebody_has_accepted_speaks_against_no_cell():
    """The gate's word alone is shown then."""
    found = {"tools=none": cell(4_000, 1), "tools=one": cell(90, 1)}
    values = cell_map(found, {"tools=none"}, (300, 300), is_accepted=True).dimensions[0].values

    assert [Cell("certified", 4_001, 300), Cell("collecting", 91, 300)] == [values["none"], values["one"]]


def test_what_needs_most_is_shown_first(drawn):
    """A pair of dimensions that has differed comes before one that is collecting."""
    counts = [one.count("diverged") for one in drawn.matrices]

    assert [1, 0, 0] == counts


def test_a_dimension_of_very_many_values_is_cut():
    """The page stays small; the totals do not change."""
    found = cell_map({f"family=model-{number}": cell(number) for number in range(40)}, set(), (9, 9))

    assert (40, 12) == (found.total, len(found.dimensions[0].values))
    assert "model-39" in found.dimensions[0].values


def test_ranges_are_in_their_own_order():
    """Sizes ascend, however often they came."""
    found = cell_map({"size=64-127": cell(9), "size=8-15": cell(5), "size=1024+": cell(7)}, set(), (9, 9))

    assert ["8-15", "64-127", "1024+"] == list(found.dimensions[0].values)


@given(some.lists(some.text("aß漢🙂", min_size=1, max_size=40), min_size=1, max_size=8))
def test_the_cells_of_real_shapes_are_all_drawn(texts):
    """Each single value is in a dimension, and each pair in a table, wherever it is not cut."""
    shaper = Shaper("plain")
    shapes = {shaper.shape((text,), {}) for text in texts}
    found = cells("plain", [ShapeEvidence(shape, {}, Account(1, 0, 1), 1) for shape in shapes])
    drawn = cell_map(found, set(found), (1, 1))

    assert (len(found), len(found)) == (drawn.certified, drawn.total)
    assert len([name for name in found if "&" not in name]) == sum(len(one.values) for one in drawn.dimensions)
    assert all(one.count("certified") >= 1 for one in drawn.matrices)


def test_nothing_compared_is_nothing_drawn():
    """An empty map, and no error."""
    assert CellMap() == cell_map({}, set(), (1, 1))
