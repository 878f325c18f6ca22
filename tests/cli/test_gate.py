"""What a promotion still takes."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from fast_litellm.accel.native import Shaper
from fast_litellm.cli import evidence as opening
from fast_litellm.shadow.evidence import Account, ClassEvidence, Evidence, ShapeEvidence
from fast_litellm.shadow.observation import Epoch

WORD = Shaper("plain").shape(("word",), {})


class Known:
    """A ledger that knows one feature."""

    def __init__(self, found):
        self.found = found

    def evidence(self, feature):
        return self.found if feature == "routing" else None

    def rollouts(self):
        return {}


@pytest.fixture
def known(monkeypatch):
    """Evidence of 2,000 comparisons, which all matched; a ledger is opened on it when it was changed."""
    account = Account(offered=2_000, matched=2_000)
    shapes = (ShapeEvidence(WORD, {}, account, 2_000),)
    found = Evidence(Epoch("routing", "1"), "plain", time.time(), account, shapes, per_second=10.0)

    def open_with(**changes):
        monkeypatch.setattr(opening, "ledger", lambda: Known(replace(found, **changes)))

    return open_with


def test_every_check_is_a_row(cli, known):
    """A mark, what was seen, what is needed and missing, and the time until then."""
    known()
    outcome = cli("gate", "routing")

    assert 0 == outcome.code
    assert "routing: the next step has to wait" in outcome.out
    assert "[x] data" in outcome.out
    assert "[ ] rate" in outcome.out
    assert "12.9 h" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_a_candidate_that_must_not_answer_ends_with_3(cli, known):
    """As everywhere, so that a pipeline notices."""
    known(classes=(ClassEvidence("f", "value", "confirmed", 1),))
    outcome = cli("gate", "routing")

    assert 3 == outcome.code
    assert "[!] divergences" in outcome.out
    assert "must not answer" in outcome.out
    checks = {check["name"]: check for check in json.loads(cli("gate", "routing", "--json").out)["checks"]}
    assert "1 comparison in 1 class" == checks["divergences"]["saw"]
    assert "another build of the candidate, or `fast-litellm waive routing f`" == checks["divergences"]["missing"]


def test_the_document_has_every_field(cli, known):
    """`--json` prints the verdict."""
    known()
    document = json.loads(cli("gate", "routing", "--json").out)

    assert ("routing", "hold", "shadow") == (document["feature"], document["decision"], document["step"])
    rate = next(check for check in document["checks"] if check["name"] == "rate")
    assert ("464,116 distinct inputs", 46_411.6, False) == (rate["missing"], rate["seconds_left"], rate["holds"])
    assert "arguments=1" not in document["certified"]


def test_nothing_to_judge_is_said(cli, known):
    """No comparison is a failure here: a pipeline that asks must not take silence for consent."""
    known()
    outcome = cli("gate", "token_counting")

    assert (1, "") == (outcome.code, outcome.out)
    assert outcome.err.startswith("error: no comparison of token_counting in ")
