"""Moving a feature along its plan from the command line: promote, rollback, waive, audit."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import create_engine, text

from fast_litellm.accel.native import Shaper
from fast_litellm.shadow import engine

SHAPE = Shaper("plain").shape(("word",), {})
RULES = """
version: 1
flags:
  routing:
    gate:
      divergence: {rate: 10%, alpha: 20%}
      cells: {rate: 20%, alpha: 40%}
      pairs: {rate: 20%, alpha: 40%}
      timeouts: {rate: 20%, alpha: 40%}
      latency: none
      bake: 1ms
    plan: {steps: [shadow, 5%, "on"]}
  pinned: {stage: shadow}
"""


@pytest.fixture(autouse=True)
def config(tmp_path, monkeypatch):
    """The rules that the commands use."""
    path = tmp_path / "rollout.yaml"
    path.write_text(RULES)
    monkeypatch.setenv("FAST_LITELLM_CONFIG", str(path))
    return path


@pytest.fixture
def compared(evidence):
    """Has a feature's inputs compared, all alike."""

    def compare(feature, count):
        tally = evidence.attach(feature)
        for number in range(count):
            digest = engine.current().digest(bytes(16), number)
            tally.accept(SHAPE).compare("matched", digest)
        assert evidence.ledger.flush()

    return compare


def promote(cli, feature="routing", *options):
    return cli("promote", feature, "--by", "ada", "--reason", "enough evidence", *options)


def states(cli):
    return [entry["to_state"] for entry in json.loads(cli("audit", "--json").out)["trail"]]


def test_a_promotion_takes_the_next_step(cli, compared):
    """It says which one, and the trail who did it and why."""
    compared("routing", 300)
    outcome = promote(cli)
    assert (0, "routing is at 5%, for 15 certified cells") == (outcome.code, outcome.out.partition(":")[0])
    (entry,) = json.loads(cli("audit", "routing", "--json").out)["trail"]
    assert ("step:1 running", "ada", "enough evidence") == (entry["to_state"], entry["actor"], entry["reason"])
    assert "promote" == entry["evaluation"]["decision"]


def test_the_gate_keeps_shut(cli, compared):
    """What is missing is said, and nothing is moved; force moves it, and is noted."""
    compared("routing", 10)
    outcome = promote(cli)
    assert 1 == outcome.code
    assert "the gate of routing does not open: rate: " in outcome.err
    assert [] == states(cli)
    assert 0 == promote(cli, "routing", "--to", "on", "--force").code
    assert ["step:2 done"] == states(cli)


def test_the_last_step_is_the_last(cli, compared):
    """Nothing is left to promote to."""
    compared("routing", 300)
    promote(cli, "routing", "--to", "on", "--force")
    assert "error: routing is at the last step of its plan already" == promote(cli).err.splitlines()[0]


def test_an_unknown_step_is_an_error(cli, compared):
    """Those of the plan are named."""
    compared("routing", 1)
    outcome = promote(cli, "routing", "--to", "6%")
    assert (2, True) == (outcome.code, "has the steps shadow, 5%, on, not 6%" in outcome.err)


def test_a_pinned_feature_cannot_be_promoted(cli, compared):
    """A promotion that would change nothing is refused, with what stands in its way."""
    compared("pinned", 300)
    outcome = promote(cli, "pinned", "--force")
    assert 1 == outcome.code
    assert "the rules decide for pinned without its plan, at stage shadow" in outcome.err
    assert [] == states(cli)


def test_a_reason_is_required(cli, compared):
    """A trail without reasons is none."""
    compared("routing", 300)
    assert 2 == cli("promote", "routing").code


def test_nothing_compared_is_nothing_to_promote(cli):
    """No silence is taken for consent."""
    outcome = promote(cli)
    assert (1, True) == (outcome.code, outcome.err.startswith("no comparison of routing in "))


def test_a_rollback_goes_back_to_the_first_step(cli, compared):
    """It waits there for a person."""
    compared("routing", 300)
    promote(cli)
    outcome = cli("rollback", "routing", "--by", "eve", "--reason", "a feeling")
    assert (0, "routing is back at shadow") == (outcome.code, outcome.out.partition(":")[0])
    assert ["step:1 running", "step:0 paused"] == states(cli)


def test_a_waived_class_releases_its_build(cli, compared, evidence):
    """Once no class is left that speaks against it; until then it stays blocked."""
    compared("routing", 5)
    for fingerprint in ("ab" * 16, "cd" * 16):
        evidence.diverge("routing", action="blocked", fingerprint=fingerprint)
    evidence.ledger.flush()
    first = cli("waive", "routing", "abab", "--by", "ada", "--reason", "known", "--for", "2h")
    assert "routing stays blocked: 1 more classes" in first.out
    second = cli("waive", "routing", "cdcd", "--by", "ada", "--reason", "known too")
    assert (0, True) == (second.code, second.out.endswith("routing is released\n"))
    assert None is evidence.ledger.blocked("routing", "1")


def test_a_class_of_another_feature_is_not_waived(cli, compared, evidence):
    """The name guards against a mistyped fingerprint."""
    compared("routing", 1)
    compared("pinned", 1)
    evidence.diverge("routing", fingerprint="ab" * 16)
    evidence.ledger.flush()
    outcome = cli("waive", "pinned", "abab", "--reason", "known")
    assert (2, True) == (outcome.code, "is a class of routing, not of pinned" in outcome.err)


def test_the_trail_is_a_table_and_proves_itself(cli, compared, evidence):
    """A row that was changed behind its back is found."""
    compared("routing", 300)
    promote(cli)
    assert "enough evidence" in cli("audit").out
    with create_engine(f"sqlite:///{evidence.ledger._store.name}").begin() as connection:
        connection.execute(text("UPDATE transition SET actor = 'eve'"))
    outcome = cli("audit")
    assert (1, True) == (outcome.code, "the trail is broken at entry 1" in outcome.err)


def test_an_empty_trail_is_said(cli):
    """There is nothing to print."""
    outcome = cli("audit")
    assert (0, "") == (outcome.code, outcome.out)
    assert outcome.err.startswith("no entry in the audit trail in ")
