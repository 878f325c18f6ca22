"""The audit trail as a command prints it."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from fast_litellm.shadow import Pause
from fast_litellm.shadow.rollouts import Rollout
from fast_litellm.shadow.waivers import Waiver

WHY = "enough evidence"


@pytest.fixture
def trail(evidence):
    """Three entries: a pause, a promotion against the gate, and a waiver."""
    ledger, evaluation = evidence.ledger, {"decision": "hold", "checks": [], "forced": True}
    ledger.record_pause(Pause("parser", "paused", "fleet", "eve", "[x] on call", 1e9))
    rollout = Rollout("routing", "1", 1, "running", 1e9, "ada", WHY)
    assert ledger.record_rollout(rollout, expected=None, evaluation=evaluation)
    ledger.record_waiver(Waiver("ab" * 16, "routing", "ada", "a known rounding", 1e9))
    return ledger


def change(ledger, statement):
    engine = create_engine(f"sqlite:///{ledger._store.name}", poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(statement))


def test_an_entry_says_what_who_and_why(cli, trail, monkeypatch):
    """Until when it holds, and that the gate had not said so; reasons stand there as they were given."""
    monkeypatch.setenv("COLUMNS", "160")
    rows = [" ".join(line.split()) for line in cli("audit").out.splitlines()[2:]]
    assert [
        "paused until 2001-09-09 01:46:40 eve [x] on call",
        f"step 1 (running) (forced) ada {WHY}",
        "waived:abababab until 2001-09-09 01:46:40 ada a known rounding",
    ] == [row.partition(feature)[2].strip() for row, feature in zip(rows, ("parser", "routing", "routing"))]


def test_it_fits_a_narrow_terminal(cli, trail):
    """Long cells go on below."""
    outcome = cli("audit")
    assert (0, "") == (outcome.code, outcome.err)
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_a_feature_has_its_own_trail(cli, trail):
    """With the hashes of the whole, and what each promotion rested on."""
    document = json.loads(cli("audit", "routing", "--json").out)
    assert (["step 1 (running)", f"waived:{'ab' * 16}"], None) == (
        [entry["to_state"] for entry in document["trail"]],
        document["first_break"],
    )
    assert ({"decision": "hold", "checks": [], "forced": True}, None) == tuple(
        entry["evaluation"] for entry in document["trail"]
    )
    assert document["trail"][0]["hash"] == document["trail"][1]["prev_hash"]


@pytest.mark.parametrize(
    ("statement", "broken"),
    [("UPDATE transition SET actor = 'eve' WHERE seq = 2", 2), ("DELETE FROM transition WHERE seq = 1", 2)],
)
@pytest.mark.parametrize("words", [(), ("parser",), ("--json",)])
def test_a_trail_that_was_tampered_with_is_printed_and_fails(cli, trail, statement, broken, words):
    """Whatever part of it is asked for, so that a pipeline notices."""
    change(trail, statement)
    outcome = cli("audit", *words)
    assert (1, True) == (outcome.code, f"the trail is broken at entry {broken}" in outcome.err)


def test_an_empty_trail_is_said(cli, unnamed):
    """There is nothing to print."""
    outcome = cli("audit")
    assert (0, "") == (outcome.code, outcome.out)
    assert outcome.err.startswith("no entry in the audit trail in ")
