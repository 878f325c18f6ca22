"""The ledger that commands open."""

from __future__ import annotations

import os

import pytest

from fast_litellm.accel import rules
from fast_litellm.cli import evidence as opening
from fast_litellm.shadow import Ledger

READING = [
    ("status",),
    ("divergences",),
    ("audit",),
    ("report",),
    ("recommendations",),
    ("gate", "routing"),
    ("show", "5eed"),
    ("replay", "5eed"),
    ("minimise", "5eed"),
    ("promote", "routing", "--reason", "a test"),
    ("rollback", "routing", "--reason", "a test"),
]


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A mistyped address; nothing is there."""
    monkeypatch.setenv("FAST_LITELLM_LEDGER", f"sqlite:///{tmp_path}/typo/ledger.db")
    return tmp_path / "typo"


@pytest.mark.parametrize("words", READING, ids=lambda words: words[0])
def test_a_ledger_that_was_named_and_is_not_there_is_an_error(cli, nowhere, words):
    """Silence would be an all-clear. None is made."""
    outcome = cli(*words)

    assert (1, "") == (outcome.code, outcome.out)
    assert f"there is no ledger at {nowhere / 'ledger.db'} yet" in outcome.err
    assert not nowhere.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("metrics",), "\nshadow_ledger_up 0\n"),
        (("doctor", "--litellm", "1.106.2"), "ledger.db, not there yet\n"),
        (("explain", "routing"), "routing is served by python\n"),
    ],
)
def test_who_can_do_without_it_says_so_and_makes_none(process, nowhere, words, said):
    """A scrape has a figure for it, a program about to start would make it, and nothing in it stops anything."""
    outcome = process(*words)

    assert (0, True) == (outcome.code, said in outcome.out)
    assert not nowhere.exists()


@pytest.mark.parametrize("words", READING[:5], ids=lambda words: words[0])
def test_the_users_own_ledger_may_come_later(process, unnamed, words):
    """A fresh machine has nothing to complain of, and nothing is left on it."""
    outcome = process(*words)

    assert (0, True) == (outcome.code, "sqlite:///" in outcome.err)
    assert not unnamed.parent.exists()


def test_a_pause_begins_a_ledger(cli, nowhere):
    """The decision is kept for the programs that come."""
    assert 0 == cli("pause", "routing", "--scope", "fleet").code
    assert {"routing": None} == opening.ledger().pauses()


def test_who_reads_leaves_no_trace(process, evidence):
    """A command is no process of the ledger's."""
    evidence.attach("routing")
    evidence.ledger.flush()
    before = evidence.ledger.evidence("routing").processes
    process("status")

    assert before == Ledger.open(os.environ["FAST_LITELLM_LEDGER"], flush_seconds=None).evidence("routing").processes


def test_rules_obey_what_is_there(nowhere):
    """Nothing is stopped by a ledger that does not exist."""
    manager = rules.in_force()
    opening.obey(manager)

    assert "running" == manager.standing("routing")["state"]
