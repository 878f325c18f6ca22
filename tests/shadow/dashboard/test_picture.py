"""Pictures of ledgers as they are: full, empty, missing, broken."""

from __future__ import annotations

import os

import pytest

from fast_litellm.accel.native import Tally
from fast_litellm.shadow import Epoch, Ledger
from fast_litellm.shadow.dashboard.judgement import Judgement
from fast_litellm.shadow.dashboard.picture import place, take
from fast_litellm.shadow.evidence import Evidence
from fast_litellm.shadow.observation import Comparison, Description, Summary
from fast_litellm.shadow.rollouts import Rollout

NOW = 1_764_158_400.0


@pytest.fixture
def ledger():
    """A ledger of the test's own."""
    opened = Ledger.open(os.environ["FAST_LITELLM_LEDGER"], flush_seconds=None)
    yield opened
    opened.close()


def attach(ledger, feature, stage, build="b1"):
    """Starts a feature, and returns its counters."""
    tally = Tally()
    ledger.attach(Epoch(feature, build, "reference", "exact/1", "revision"), tally, lambda: {"stage": stage})
    return tally


def diverge(ledger, tally, feature, build="b1", action="none"):
    """Compares a call that differs."""
    tally.accept().compare("diverged")
    sides = {"control": Summary("value", "int", None, "a1", 13), "candidate": Summary("value", "str", 2, "b2")}
    description = Description("type", "$.n", "$.n", "5eed" * 8, **sides)
    ledger.record(
        Comparison(feature, build, "exact/1", "diverged", description, confirmed_on_rerun=True, action=action)
    )


def picture(ledger, plans=None):
    """What is seen of it."""
    ledger.flush()
    return take(ledger, os.environ["FAST_LITELLM_LEDGER"], NOW, plans or {})


def test_what_matters_most_comes_first(ledger):
    """Blocked, then canary, shadow and on, each by name."""
    for name, stage in (("d", "on"), ("c", "shadow"), ("b", "shadow"), ("a", "canary")):
        attach(ledger, name, stage)
    tally = attach(ledger, "e", "shadow")
    diverge(ledger, tally, "e", action="blocked")

    assert ["e", "a", "b", "c", "d"] == [one.name for one in picture(ledger).features]


def test_the_account_is_the_ledgers(ledger):
    """Every counter arrives, and the identity holds."""
    tally = attach(ledger, "a", "shadow")
    for _ in range(7):
        tally.accept().compare("matched")
    diverge(ledger, tally, "a")
    [found] = picture(ledger).features

    assert (8, 7, 1, 8) == (found.account.offered, found.account.matched, found.diverged, found.compared)
    assert found.account.offered == found.accounted


def test_a_class_of_an_earlier_build_is_not_open(ledger):
    """It is shown, and not held against the present candidate."""
    diverge(ledger, attach(ledger, "a", "shadow"), "a")
    before = picture(ledger).features[0]
    attach(ledger, "a", "shadow", build="b2")
    [found] = picture(ledger).features

    assert (1, "confirmed") == (before.open_classes, before.classes[0].state)
    assert (0, "earlier build") == (found.open_classes, found.classes[0].state)
    assert ("type", "$.n", "int", "str") == tuple(
        getattr(found.classes[0], name) for name in ("kind", "pattern", "control", "candidate")
    )


def test_the_audit_is_told_backwards(ledger):
    """The latest line first, with who and why."""
    attach(ledger, "a", "shadow")
    ledger.record_transition("a", "b1", "blocked", actor="ops", reason="too early")
    ledger.record_transition("a", "b1", "released", actor="ops", reason="it was not")

    assert [("ops", "it was not"), ("ops", "too early")] == [
        (one.actor, one.reason) for one in picture(ledger).features[0].audit
    ]


def test_an_empty_ledger_has_nothing_to_show(ledger):
    """A file that does not exist is not made, and is no problem."""
    found = take(ledger, os.environ["FAST_LITELLM_LEDGER"], NOW, {})

    assert ((), "") == (found.features, found.problem)
    assert not os.path.exists("ledger.db")  # noqa: PTH110 - the ledger's own directory is the current one


def test_a_broken_ledger_is_a_problem(ledger, tmp_path):
    """It is said, not raised."""
    (tmp_path / "ledger.db").write_bytes(b"not a database" * 100)

    found = take(ledger, os.environ["FAST_LITELLM_LEDGER"], NOW, {})

    assert "ledger.db cannot be read: file is not a database" == found.problem


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("sqlite:////srv/secret/evidence.db", "evidence.db"),
        ("sqlite:///evidence.db", "evidence.db"),
        ("postgresql://user:secret@db.example:5432/evidence?password=secret", "db.example/evidence"),
        ("", "the ledger"),
    ],
)
def test_an_address_is_shown_without_secrets(address, shown):
    """Neither a password nor a user nor a directory."""
    assert shown == place(address)


def test_the_gate_is_asked_of_every_feature(ledger):
    """What it knows replaces what was counted; of what it does not know, the counters are shown."""
    for name in ("a", "b"):
        attach(ledger, name, "shadow")
    ledger.flush()
    evidence = Evidence(Epoch("a", "b1"), "plain", 0.0, hosts=2, processes=3, silent=1, heard_at=NOW)
    known = {"a": Judgement(evidence, "promote", (), frozenset(), 1.0, 1e-5, 0.01, (1, 1))}
    found = take(ledger, "sqlite:///ledger.db", NOW, {}, known.get)

    assert {"a": "promote", "b": ""} == {one.name: one.decision for one in found.features}
    assert (2, 3, 1, NOW) == (found.hosts, found.processes, found.silent, found.heard_at)


def test_what_was_taken_back_is_counted_by_cause(ledger):
    """By a divergence, by the guard, or by a person; a release and a person's pause are none."""
    attach(ledger, "a", "shadow")
    for actor, state in (("auto", "blocked"), ("guard", "paused"), ("ops", "paused"), ("ops", "released")):
        ledger.record_transition("a", "b1", state, actor=actor, reason="")
    ledger.record_rollout(Rollout("a", "b1", 0, "paused", NOW, "ops", ""), expected=None)

    assert {"divergence": 1, "guard": 1, "manual": 1} == picture(ledger).features[0].rollbacks
