"""Accepting a divergence class from the command line."""

from __future__ import annotations

import json
import time

import pytest

from fast_litellm.shadow.rollouts import Rollout

pytestmark = pytest.mark.usefixtures("plan")

FIRST, SECOND = "ab" * 16, "cd" * 16
DAY = 86_400


@pytest.fixture
def blocked(compared, evidence):
    """Has a build of a feature blocked by divergence classes, after some comparisons that matched."""

    def block(*fingerprints, feature="routing"):
        compared(feature, 5)
        for fingerprint in fingerprints:
            evidence.diverge(feature, action="blocked", fingerprint=fingerprint)
        assert evidence.ledger.flush()
        return evidence.ledger

    return block


def waive(cli, fingerprint, *options, feature="routing"):
    return cli("waive", feature, fingerprint, "--by", "ada", "--reason", "known", *options)


def test_the_last_open_class_releases_its_build(cli, blocked):
    """Until then it stays blocked, and it is said what else speaks against it."""
    ledger = blocked(FIRST, SECOND)
    first = waive(cli, FIRST[:6])
    assert (0, True) == (first.code, "routing stays blocked" in first.out)
    assert "divergences: 1 comparison in 1 class" in first.out
    second = waive(cli, SECOND[:6])
    assert (0, True) == (second.code, "routing is released" in second.out)
    assert None is ledger.blocked("routing", "1")
    trail = [(row["to_state"], row["actor"]) for row in ledger.audit("routing")]
    assert [("blocked", "auto"), (f"waived:{FIRST}", "ada"), (f"waived:{SECOND}", "ada"), ("released", "ada")] == [
        entry for number, entry in enumerate(trail) if entry not in trail[:number]
    ]


def test_what_is_accepted_is_open_nowhere(cli, blocked):
    """Every command and picture says what the gate says."""
    blocked(FIRST)
    waive(cli, FIRST)
    report, metrics = cli("report").out, cli("metrics").out
    assert [("waived", "waived")] == [
        (it["state"], json.loads(cli("show", FIRST, "--json").out)["state"])
        for it in json.loads(cli("divergences", "--json").out)["divergences"]
    ]
    assert "differs" not in cli("status").out
    assert "--reason" not in cli("show", FIRST).err
    assert "15/15 0" in " ".join(report.split())  # cells certified, classes open
    assert 'shadow_classes{feature="routing",state="waived"} 1' in metrics
    assert 'shadow_classes{feature="routing",state="confirmed"} 0' in metrics


@pytest.mark.parametrize(("was", "becomes"), [("running", (0, "running")), ("paused", (0, "paused"))])
def test_what_was_promoted_begins_anew(cli, blocked, was, becomes):
    """Its steps rested on evidence with a difference in it. What a person has taken back stays there."""
    ledger = blocked(FIRST)
    step = 2 if was == "running" else 0
    known = Rollout("routing", "1", step, was, 1e9, "ada", "enough", frozenset({"arguments=1"}))
    assert ledger.record_rollout(known, expected=None)
    waive(cli, FIRST)
    found = ledger.rollouts()["routing"]
    assert becomes == (found.step, found.state)
    assert None is ledger.blocked("routing", "1")


def test_another_build_goes_on_where_it_is(cli, blocked):
    """The rollout of one build says nothing of another's."""
    ledger = blocked(FIRST)
    known = Rollout("routing", "another", 2, "done", 1e9, "ada", "enough")
    assert ledger.record_rollout(known, expected=None)
    waive(cli, FIRST)
    assert (known, None) == (ledger.rollouts()["routing"], ledger.blocked("routing", "1"))


@pytest.mark.parametrize(
    ("options", "seconds", "most"),
    [((), 30 * DAY, None), (("--for", "2h"), 7_200, None), (("--expires", "90d", "--most", "7"), 90 * DAY, 7)],
)
def test_an_acceptance_ends(cli, blocked, options, seconds, most):
    """After thirty days unless another time is given, or after so many comparisons."""
    ledger, before = blocked(FIRST), time.time()
    waive(cli, FIRST, *options)
    (waiver,) = ledger.waivers()
    assert before + seconds <= waiver.expires_at <= time.time() + seconds
    assert (FIRST, "routing", "ada", "known", most) == (
        waiver.fingerprint, waiver.feature, waiver.actor, waiver.reason, waiver.max_count,
    )  # fmt: skip


def test_an_acceptance_is_replaced_by_a_later_one(cli, blocked):
    """So that it can be drawn out, or cut short."""
    ledger = blocked(FIRST)
    for time_left in ("90d", "1s"):
        waive(cli, FIRST, "--for", time_left)
    (waiver,) = ledger.waivers()
    assert waiver.expires_at < time.time() + 2
    assert 2 == sum(row["scope"] == "class" for row in ledger.audit())


@pytest.mark.parametrize("time_left", ["0d", "soon", "36501d", "999999999d"])
def test_a_time_that_is_none_is_wrong_usage(cli, blocked, time_left):
    """Nothing is noted."""
    ledger = blocked(FIRST)
    assert (2, []) == (waive(cli, FIRST, "--for", time_left).code, ledger.waivers())


def test_a_reason_is_required(cli, blocked):
    """Whoever finds the class again will ask."""
    ledger = blocked(FIRST)
    assert (2, []) == (cli("waive", "routing", FIRST).code, ledger.waivers())


def test_a_class_of_another_feature_is_not_accepted(cli, blocked):
    """The name guards against a mistyped fingerprint."""
    blocked(FIRST)
    ledger = blocked(feature="pinned")
    outcome = waive(cli, FIRST, feature="pinned")
    assert (2, True) == (outcome.code, "is a class of routing, not of pinned" in outcome.err)
    assert [] == ledger.waivers()


def test_an_unknown_class_is_an_error(cli, blocked):
    """As is a beginning that several have."""
    ledger = blocked(FIRST, SECOND)
    assert "0 divergence classes begin with '00'" in waive(cli, "00").err
    assert "2 divergence classes begin with ''" in waive(cli, "").err
    assert [] == ledger.waivers()


@pytest.mark.parametrize("fingerprint", ["undescribed", "overflow"])
def test_what_has_no_class_of_its_own_cannot_be_accepted(cli, blocked, fingerprint):
    """It may be anything."""
    ledger = blocked(fingerprint)
    outcome = waive(cli, fingerprint)
    assert (2, True) == (outcome.code, "without a class of their own" in outcome.err)
    assert [] == ledger.waivers()


def test_a_class_may_be_accepted_before_it_blocks(cli, compared, evidence):
    """Nothing is released then, for nothing is blocked."""
    compared("routing", 5)
    evidence.diverge("routing", fingerprint=FIRST)
    assert evidence.ledger.flush()
    outcome = waive(cli, FIRST)
    assert (0, False) == (outcome.code, "released" in outcome.out)
    assert [f"waived:{FIRST}"] == [row["to_state"] for row in evidence.ledger.audit()]
