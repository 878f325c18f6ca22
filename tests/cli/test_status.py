"""What each feature has served, compared and seen differ."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest


def ledger_file():
    return Path(os.environ["FAST_LITELLM_LEDGER"].removeprefix("sqlite:///"))


@pytest.fixture
def busy(evidence):
    """A feature that served both sides, compared, sampled out and shed."""
    tally = evidence.attach("token_counting", stage="canary")
    for side, count in (("python", 9), ("rust", 1)):
        for _ in range(count):
            tally.serve(side)
    tally.sample_out()
    for _ in range(3):
        tally.accept().compare("matched")
    tally.shed("budget")
    ticket = tally.accept()
    evidence.ledger.flush()
    yield evidence
    ticket.shed("shutdown")


def test_no_ledger_yet_is_said_in_words_and_makes_none(process, unnamed):
    """A fresh machine gets a hint, exit status 0, and no file."""
    outcome = process("status")

    assert (0, "") == (outcome.code, outcome.out)
    assert outcome.err.startswith("no feature has done anything yet in sqlite:///")
    assert "hint: " in outcome.err
    assert not unnamed.parent.exists()


def test_no_ledger_yet_is_an_empty_document(cli, unnamed):
    """Programs can rely on the shape from the first call on."""
    assert json.loads(cli("status", "--json").out) == {"features": {}, "stops": {}}


def test_the_table_shows_who_served_and_where_every_offered_call_went(cli, busy):
    """Counts with their share, and every part of the accounting identity that is not zero."""
    outcome = cli("status")
    words = ("token_counting", "canary", "9 python 90.0%", "1 rust 10.0%", "6 offered", "3 compared", "0 diverged")

    assert outcome.code == 0
    assert all(word in outcome.out for word in (*words, "1 shed", "1 sampled out", "1 in flight", "ok"))


def test_the_table_fits_eighty_columns(cli, busy):
    """Also in a pipe, and without any box around it."""
    outcome = cli("status")

    assert max(map(len, outcome.out.splitlines())) <= 80
    assert "\x1b" not in outcome.out


def test_calls_left_to_python_are_shown_with_the_commonest_reason(cli, busy):
    """It says why a feature at 100 percent serves less."""
    for reason in ("image_detail", "huggingface_tokenizer", "huggingface_tokenizer"):
        busy.attach("token_counting").decline(reason)
    busy.ledger.flush()
    shown = cli("status").out

    assert all(word in shown for word in ("3 declined", "(mostly", "huggingface_tokenizer)"))
    assert max(map(len, shown.splitlines())) <= 80


def test_the_document_is_the_ledgers_own(cli, busy):
    """`--json` prints what `Ledger.status` returns, and what is stopped."""
    expected = {**json.loads(json.dumps(busy.ledger.status())), "stops": {}}
    assert expected == json.loads(cli("status", "--json").out)


def test_processes_are_added_up(cli, busy):
    """A second process's counters come on top."""
    second = type(busy)(type(busy.ledger).open(os.environ["FAST_LITELLM_LEDGER"], flush_seconds=None))
    second.attach("token_counting").serve("rust")
    second.ledger.close()

    served = json.loads(cli("status", "--json").out)["features"]["token_counting"]["served"]

    assert {"python": 9, "rust": 2} == {side: served[side] for side in ("python", "rust")}


def test_a_blocked_feature_has_its_own_exit_status(cli, evidence):
    """It is named with what to do next, and a script can tell it from a failure."""
    evidence.attach("token_counting")
    evidence.diverge("token_counting", action="blocked")
    evidence.ledger.flush()

    outcome = cli("status")

    assert outcome.code == 3
    assert "blocked" in outcome.out
    assert "error: token_counting is blocked: Python answers every call\n" in outcome.err
    assert "hint: see what differed with `fast-litellm divergences token_counting`\n" in outcome.err
    assert cli("status", "--json").code == 3


def test_a_difference_of_the_present_build_is_shown_as_its_state(cli, evidence):
    """A candidate that has differed is not called ok."""
    evidence.attach("token_counting")
    evidence.diverge("token_counting")
    evidence.ledger.flush()

    outcome = cli("status")

    assert outcome.code == 0
    assert "differs" in outcome.out
    assert "1 diverged\n" in "\n".join(line.rstrip() for line in outcome.out.splitlines()) + "\n"


def test_a_difference_of_an_earlier_build_is_not_held_against_the_present_one(cli, evidence):
    """The count stays, and says that nothing of it is open."""
    evidence.attach("token_counting", build="1")
    evidence.diverge("token_counting", build="1", action="blocked")
    evidence.ledger.flush()
    evidence.attach("token_counting", build="2")
    evidence.tallies["token_counting"].serve("python")
    evidence.ledger.flush()

    outcome = cli("status")

    assert outcome.code == 0
    assert "1 diverged (none open)" in outcome.out


def test_a_mistake_in_the_rule_file_is_said(cli, busy, tmp_path):
    """Programs that run go on as they were, so nothing else would show it."""
    (tmp_path / "rollout.yaml").write_text("version: 1\nflags: {token_counting: {stage: often}}\n")

    outcome = cli("status", "--config", str(tmp_path / "rollout.yaml"))

    assert (0, True) == (outcome.code, "token_counting" in outcome.out)
    assert "rollout.yaml:2:33: flags.token_counting.stage: expected" in outcome.err
    assert "keep the rules they had" in outcome.err


def test_a_ledger_that_cannot_be_read_is_an_error(cli):
    """A file that is no database is named."""
    ledger_file().write_text("no database")

    outcome = cli("status")

    assert (1, "") == (outcome.code, outcome.out)
    assert outcome.err.startswith("error: ")


def test_an_address_that_is_no_ledger_is_an_error(cli, monkeypatch):
    """The address is checked before anything else."""
    monkeypatch.setenv("FAST_LITELLM_LEDGER", "nowhere")

    outcome = cli("status")

    assert (1, "") == (outcome.code, outcome.out)
    assert outcome.err.startswith("error: ")
