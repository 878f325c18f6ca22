"""The real rows, once and as short as possible: every one can be set up and its sides agree."""

from __future__ import annotations

import json

import pytest

PATIENCE_S = 900  # every row sets up what it measures: servers, routers, a hundred thousand windows


@pytest.mark.timeout(PATIENCE_S)
def test_the_sides_of_every_row_agree(process, tmp_path):
    """The whole bench runs, with three rounds a row, refuses none, and every name fits its column."""
    file = tmp_path / "bench.json"
    outcome = process("bench", "--rounds", "3", "--json", file, patience_s=PATIENCE_S)
    document = json.loads(file.read_text())

    assert outcome.code == 0
    assert document["ok"] is True
    assert len({row["name"] for row in document["rows"]}) == len(document["rows"]) > 25
    assert max(len(row["name"]) for row in document["rows"]) <= 30
