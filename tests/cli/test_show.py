"""Both sides of one divergence class."""

from __future__ import annotations

import json

import pytest

from fast_litellm.cli import show


@pytest.fixture
def found(evidence):
    """A class of differences in the ledger."""
    evidence.attach("token_counting")
    evidence.diverge("token_counting")
    evidence.ledger.flush()
    return evidence


def test_both_sides_are_readable(cli, found):
    """Type, value where it is no content, and digest of control and candidate stand beside each other."""
    outcome = cli("show", "5eed")
    rows = [line.split() for line in outcome.out.splitlines()]

    assert outcome.code == 0
    assert ["type", "int", "int", "="] in rows
    assert ["value", "13", "14", "!"] in rows
    assert ["digest", "a1", "b2", "!"] in rows
    assert ["by", "how", "much", "+1", "(+7.69%)"] in rows
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_the_command_that_accepts_it_is_named(cli, found):
    """With the beginning of the fingerprint, on standard error."""
    assert "`fast-litellm waive token_counting 5eed5eed --reason WHY --for TIME`" in cli("show", "5eed").err


@pytest.mark.parametrize(
    ("control", "candidate", "text"),
    [
        (13, 14, "+1 (+7.69%)"),
        (0, 2, "+2"),
        (1.5, 1.0, "-0.5 (-33.33%)"),
        (True, False, ""),
        ("a", "b", ""),
        (None, 1, ""),
    ],
)
def test_numbers_have_a_distance(control, candidate, text):
    """Only numbers that may be shown; a boolean is none."""
    assert text == show._distance(control, candidate)


def test_the_document_is_the_ledgers_own(cli, found):
    """`--json` prints what `Ledger.show` returns."""
    assert json.loads(cli("show", "5eed", "--json").out) == json.loads(json.dumps(found.ledger.show("5eed")))


def test_a_class_that_is_not_there_is_an_error(cli, found):
    """The beginning that was asked for is named."""
    outcome = cli("show", "beef")

    assert (1, "") == (outcome.code, outcome.out)
    assert "'beef'" in outcome.err
