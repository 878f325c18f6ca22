"""The ledger's figures for Prometheus."""

from __future__ import annotations

import json

from prometheus_client.parser import text_string_to_metric_families


def test_what_is_printed_can_be_read_by_prometheus(cli, evidence):
    """Nothing but the exposition is on standard output."""
    tally = evidence.attach("token_counting")
    for _ in range(3):
        tally.accept().compare("matched")
    evidence.ledger.flush()
    outcome = cli("metrics")
    samples = [sample for family in text_string_to_metric_families(outcome.out) for sample in family.samples]
    matched = {"feature": "token_counting", "outcome": "match"}

    assert 0 == outcome.code
    assert [3] == [one.value for one in samples if one.name == "shadow_calls_total" and one.labels == matched]


def test_the_document_has_the_same_figures(cli, evidence):
    """`--json` prints type, help and samples of every metric."""
    evidence.attach("token_counting")
    evidence.ledger.flush()
    document = json.loads(cli("metrics", "--json").out)

    assert "counter" == document["shadow_calls_total"]["type"]
    assert [1] == [one["value"] for one in document["shadow_ledger_up"]["samples"]]


def test_a_ledger_that_cannot_be_read_is_a_figure(cli, tmp_path):
    """A scrape that fails would tell less than one that says the ledger is down."""
    (tmp_path / "ledger.db").write_bytes(b"not a database" * 100)
    outcome = cli("metrics")

    assert 0 == outcome.code
    assert outcome.out.endswith("\nshadow_ledger_up 0\n")
