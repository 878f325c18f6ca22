"""Which feature to promote, to leave or to switch off."""

from __future__ import annotations

import json


def test_a_feature_whose_gate_opens_is_to_be_promoted(cli, plan, compared):
    """With the numbers that say so, in 80 columns."""
    compared("routing", 100)
    outcome = cli("recommendations")

    assert 0 == outcome.code
    assert "promote" in outcome.out
    assert "the gate opens for 5%" in outcome.out
    assert "100 compared, 0 diverged" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_the_document_has_every_figure(cli, plan, compared):
    """`--json` prints what is recommended and on which numbers."""
    compared("routing", 3)
    found = json.loads(cli("recommendations", "--json").out)["recommendations"]

    assert [("routing", "leave", 3)] == [(one["feature"], one["action"], one["figures"]["compared"]) for one in found]


def test_a_difference_speaks_against_a_feature(cli, plan, compared, evidence):
    """One that nobody has accepted."""
    compared("routing", 100)
    evidence.diverge("routing")
    evidence.ledger.flush()

    assert "switch off" in cli("recommendations").out


def test_without_data_nothing_is_recommended(cli, evidence):
    """And standard error says how there comes to be some."""
    evidence.attach("routing")
    evidence.ledger.flush()
    outcome = cli("recommendations")

    assert (0, True) == (outcome.code, "no data" in outcome.out)
    assert "no feature has been compared" in outcome.err
    assert "promote" not in outcome.out
