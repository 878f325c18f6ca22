"""The classes of differences found so far."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def found(evidence):
    """Two features with one class of differences each."""
    for feature, fingerprint in (("token_counting", "5eed" * 8), ("routing", "cafe" * 8)):
        evidence.attach(feature)
        evidence.diverge(feature, fingerprint=fingerprint)
    evidence.ledger.flush()
    return evidence


def test_every_class_is_one_row(cli, found):
    """With the beginning of its fingerprint, what differs where, and how often it was seen."""
    outcome = cli("divergences")

    assert outcome.code == 0
    assert all(word in outcome.out for word in ("5eed5eed", "token_counting", "value at $", "int -> int", "confirmed"))
    assert "cafecafe" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_a_feature_can_be_singled_out(cli, found):
    """Only its classes are listed."""
    outcome = cli("divergences", "routing")

    assert "cafecafe" in outcome.out
    assert "5eed5eed" not in outcome.out


def test_what_matters_most_comes_first(cli, found):
    """A confirmed class before one that was seen once, and the more frequent of two."""
    found.diverge("routing", fingerprint="cafe" * 8)
    found.diverge("routing", fingerprint="f00d" * 8, confirmed=False)
    found.ledger.flush()
    listed = json.loads(cli("divergences", "--json").out)["divergences"]

    assert ["cafe", "5eed", "f00d"] == [one["fingerprint"][:4] for one in listed]


def test_the_document_is_the_ledgers_own(cli, found):
    """`--json` prints what `Ledger.divergences` returns."""
    listed = json.loads(cli("divergences", "--json").out)["divergences"]

    assert sorted(listed, key=str) == sorted(json.loads(json.dumps(found.ledger.divergences())), key=str)
    assert len(listed) == 2


@pytest.mark.parametrize(("words", "said"), [((), "no divergence in "), (("routing",), "no divergence of routing in ")])
def test_none_is_said_in_words(cli, unnamed, words, said):
    """Nothing to list is good news, not a failure."""
    outcome = cli("divergences", *words)

    assert (0, "") == (outcome.code, outcome.out)
    assert outcome.err.startswith(said)
