"""The real rows, once and as short as possible: every one can be set up and its sides agree."""

from __future__ import annotations

import json

import pytest

from fast_litellm.cli.bench.rows import SETTING_UP, guarded

PATIENCE_S = 900  # every row sets up what it measures: servers, routers, a hundred thousand windows


@pytest.mark.timeout(PATIENCE_S)
def test_the_sides_of_every_row_agree(process, tmp_path):
    """The whole bench runs, with three rounds a row, refuses none, and every name fits its column."""
    file = tmp_path / "bench.json"
    outcome = process("bench", "--rounds", "3", "--json", file, patience_s=PATIENCE_S)
    assert outcome.code == 0, outcome.err

    document = json.loads(file.read_text())
    assert document["ok"] is True
    assert len({row["name"] for row in document["rows"]}) == len(document["rows"]) > 25
    assert max(len(row["name"]) for row in document["rows"]) <= 30


def test_a_theme_that_cannot_be_set_up_is_a_row_that_fails():
    """Its rows until then are kept, and whatever comes after it is measured all the same."""

    def theme():
        yield row
        raise OSError("no free port")

    row = object()
    first, failed = guarded(theme)

    assert (row, SETTING_UP) == (first, failed.name)
    with pytest.raises(OSError, match="no free port"):
        failed.pairs(3)
