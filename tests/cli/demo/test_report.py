"""The demo's last words."""

from __future__ import annotations

import pytest

from fast_litellm.cli.demo.acts import Check, Report
from fast_litellm.cli.demo.report import Summary, document, show
from fast_litellm.cli.demo.stage import Counters

GOOD = Report(
    "shadow", 600, Counters(python=2_000, offered=2_000, compared=2_000), [Check("all compared", True)], "fine"
)
BAD = Report(
    "on", 300, Counters(rust=7), [Check("Rust answers", True), Check("it is quick", False, "it slept")], "fast"
)


@pytest.fixture
def shown(capsys):
    """Prints a summary and returns what was printed."""

    def run(*reports):
        show(Summary(reports, 900, 41.2, "sqlite:///ledger.db"))
        return capsys.readouterr().out

    return run


def test_a_table_has_one_row_for_each_act(shown):
    """With what was sent, served and compared, within 80 columns."""
    text = shown(GOOD, BAD)

    assert any(line.split() == ["shadow", "600", "2,000", "0", "2,000", "0", "0", "yes"] for line in text.splitlines())
    assert max(map(len, text.splitlines())) <= 80


def test_an_act_that_kept_its_word_has_a_remark(shown):
    """One line says what was seen."""
    assert "shadow: fine\n" in shown(GOOD)


def test_an_act_that_broke_its_word_says_which_claim_and_what_was_found(shown):
    """Only the claims that do not hold are listed."""
    text = shown(BAD)

    assert "on: it is quick: no, it slept\n" in text
    assert "Rust answers" not in text


def test_where_the_evidence_is_is_printed(shown):
    """The ledger outlives the demo."""
    assert "evidence in sqlite:///ledger.db" in shown(GOOD)


@pytest.mark.parametrize(("reports", "expected"), [((GOOD,), True), ((GOOD, BAD), False)])
def test_the_document_is_ok_only_if_every_act_is(reports, expected):
    """Programs need look at one word only."""
    made = document(Summary(reports, 900, 41.26, "sqlite:///ledger.db"))

    assert expected == made["ok"]
    assert (900, 41.3, "sqlite:///ledger.db") == (made["calls"], made["seconds"], made["ledger"])
    assert [report.name for report in reports] == [act["name"] for act in made["acts"]]
