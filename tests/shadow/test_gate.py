"""The judge."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.accel.native import Shaper
from fast_litellm.shadow.certification import Certification
from fast_litellm.shadow.evidence import Account, ClassEvidence, Evidence, ShapeEvidence, Timings
from fast_litellm.shadow.gate import Gate, Step
from fast_litellm.shadow.observation import Epoch
from fast_litellm.shadow.policy import Policy

DAY = 86_400.0
NOW = 10 * DAY
STEP = Step("shadow", NOW - 2 * DAY)
ENOUGH = 500_000
SHAPER = Shaper("plain")
WORD, NUMBER = SHAPER.shape(("word",), {}), SHAPER.shape((1, 2), {})


def clean(count):
    """The account of so many calls that all matched."""
    return Account(offered=count, matched=count)


def shape(number, account, distinct=None):
    """A shape's evidence; by default every comparison had an input of its own."""
    return ShapeEvidence(number, {}, account, account.compared if distinct is None else distinct)


def evidence(*shapes, **parts):
    """Evidence for which nothing speaks against a promotion, unless it is said."""
    totals = [one.account for one in shapes]
    parts = {
        "account": Account(
            *(sum(getattr(one, name) for one in totals) for name in ("offered", "sampled_out", "matched", "waived")),
            diverged=sum(one.diverged for one in totals),
            in_flight=sum(one.in_flight for one in totals),
            shed={"budget": sum(sum(one.shed.values()) for one in totals)},
        ),
        "timings": Timings(pairs=1_000, faster=990, ratio=0.2),
        "hosts": 1,
        "processes": 1,
        "heard_at": NOW - 1,
        "per_second": 10.0,
        **parts,
    }
    return Evidence(Epoch("feature", "build"), "plain", NOW - 3 * DAY, shapes=shapes, **parts)


def proven(**parts):
    """As much as a promotion takes."""
    return evidence(shape(WORD, clean(ENOUGH)), **parts)


def judge(found, policy=None, step=STEP):
    """The verdict."""
    return Gate(policy or Policy()).judge(found, step, NOW)


def unmet(verdict):
    """The checks that do not hold, by name."""
    return {check.name: check for check in verdict.checks if not check.holds}


def test_enough_of_everything_promotes():
    """All checks hold, and the cells of what was seen are certified."""
    verdict = judge(proven())

    assert ("promote", {}) == (verdict.decision, unmet(verdict))
    assert "arguments=1" in verdict.certified
    assert not any("outcome" in cell for cell in verdict.certified)
    assert all(not check.missing and check.seconds_left == 0 for check in verdict.checks)


def test_no_data_never_promotes():
    """Nothing compared is nothing proven, however much was offered and however lax the policy."""
    lax = Policy.of(
        {
            "divergence": {"rate": 0.99, "alpha": 0.99},
            "cells": {"rate": 0.99, "alpha": 0.99},
            "latency": "none",
            "bake": 0,
        }
    )
    for found in (evidence(), evidence(shape(WORD, Account(offered=10**9, sampled_out=10**9), distinct=10**9))):
        verdict = judge(found, lax)
        assert "hold" == verdict.decision
        assert {"data", "rate", "cells"} <= set(unmet(verdict))
        assert frozenset() == verdict.certified


def test_what_is_missing_is_named_and_timed():
    """At ten distinct inputs a second, half of them of a shape."""
    found = evidence(shape(WORD, clean(1_000)), shape(NUMBER, clean(1_000)))
    missing = unmet(judge(found))

    assert {"rate", "cells", "timeouts", "panics", "crashes"} == set(missing)
    assert ("464,116 distinct inputs", 46_411.6) == (missing["rate"].missing, missing["rate"].seconds_left)
    assert missing["cells"].missing.startswith("2,041 distinct inputs in cell ")
    assert 2_041 / 5 == missing["cells"].seconds_left


def test_repeated_inputs_prove_nothing():
    """A million calls of three prompts are three inputs."""
    verdict = judge(evidence(shape(WORD, clean(10**6), distinct=3)))

    assert "hold" == verdict.decision
    assert "466,113 distinct inputs" == unmet(verdict)["rate"].missing


def test_a_divergence_is_terminal():
    """No number of clean comparisons outweighs one that nobody has accepted."""
    account = replace(clean(ENOUGH), offered=ENOUGH + 1, diverged=1)
    with_class = (ClassEvidence("f", "value", "confirmed", 1),)
    for classes in ((), with_class):
        verdict = judge(evidence(shape(WORD, account), classes=classes))
        assert "roll_back" == verdict.decision
        assert unmet(verdict)["divergences"].is_terminal


def test_an_accepted_divergence_still_counts():
    """A waiver lets the evidence live on; it takes more of it, and a cell full of such differences is not certified."""
    waived = (ClassEvidence("f", "value", "confirmed", 1, is_waived=True),)
    account = replace(clean(ENOUGH), offered=ENOUGH + 1, diverged=1)
    verdict = judge(evidence(shape(WORD, account), classes=waived))
    assert ("hold", {"rate"}) == (verdict.decision, set(unmet(verdict)))

    account = replace(clean(3 * ENOUGH), offered=3 * ENOUGH + 1, diverged=1)
    assert "promote" == judge(evidence(shape(WORD, account), classes=waived)).decision

    many = replace(clean(10_000), offered=11_000, waived=1_000)
    verdict = judge(evidence(shape(WORD, clean(3 * ENOUGH)), shape(NUMBER, many)))
    assert "arguments=2" not in verdict.certified


def test_a_divergence_whose_class_is_not_known_yet_is_waited_for():
    """The counter is written a moment before the class, which may be an accepted one."""
    waived = (ClassEvidence("f", "value", "confirmed", 1, is_waived=True),)
    account = replace(clean(5 * ENOUGH), offered=5 * ENOUGH + 2, diverged=2)
    verdict = judge(evidence(shape(WORD, account), classes=waived))

    assert ("hold", {"divergences"}) == (verdict.decision, set(unmet(verdict)))


def test_noise_of_the_control_is_no_divergence():
    """A class that exists because the control disagrees with itself does not end anything."""
    noise = (ClassEvidence("f", "value", "noise", 1),)
    account = replace(clean(3 * ENOUGH), offered=3 * ENOUGH + 1, waived=1)

    assert "promote" == judge(evidence(shape(WORD, account), classes=noise)).decision


def test_a_cell_that_is_not_certified_holds_nothing_up():
    """Its calls stay with Python, and the share of the others is said."""
    verdict = judge(evidence(shape(WORD, clean(ENOUGH)), shape(NUMBER, clean(100))))
    cells = next(check for check in verdict.checks if check.name == "cells")

    assert "promote" == verdict.decision
    assert "arguments=2" not in verdict.certified
    assert "100.0% of the calls" in cells.saw


def test_a_cell_that_loses_calls_is_not_certified():
    """What was given up may be what would have differed; what the sample left out may not."""
    lost = Account(offered=5_200, matched=5_000, shed={"memory": 200})
    sampled = Account(offered=10**6, sampled_out=10**6 - 5_000, matched=5_000)

    assert "arguments=2" not in judge(evidence(shape(WORD, clean(ENOUGH)), shape(NUMBER, lost))).certified
    assert "arguments=2" in judge(evidence(shape(WORD, clean(ENOUGH)), shape(NUMBER, sampled))).certified


def test_calls_without_a_shape_are_never_certified():
    """Their divergences count for the feature, and nothing more can be told of them."""
    verdict = judge(evidence(shape(2**64 - 1, clean(ENOUGH)), shape(0, clean(ENOUGH))))

    assert ("hold", {"cells"}) == (verdict.decision, set(unmet(verdict)))
    assert "calls whose shape is known" == unmet(verdict)["cells"].missing


@pytest.mark.parametrize(
    ("parts", "name", "missing"),
    [
        ({"account": replace(clean(ENOUGH), offered=ENOUGH + 7)}, "accounting", "counters that add up"),
        (
            {"timings": Timings()},
            "latency",
            "10 inline pairs; they need shadow: {mode: inline}, or gate: {latency: none}",
        ),
        ({"timings": Timings(1_000, 400, 0, 1.4)}, "latency", "a faster candidate"),
        ({"hosts": 0}, "hosts", "1 more"),
        ({"silent": 1}, "heartbeats", "a sign of life"),
        ({"heard_at": NOW - 61}, "heartbeats", "a sign of life"),
        ({"processes": 0}, "heartbeats", "a sign of life"),
    ],
)
def test_each_check_can_hold_a_promotion_back(parts, name, missing):
    """And says what it misses."""
    verdict = judge(proven(**parts))

    assert "hold" == verdict.decision
    assert missing == unmet(verdict)[name].missing


def test_lost_calls_hold():
    """More than a hundredth, and the reason that took most."""
    verdict = judge(evidence(shape(WORD, replace(clean(ENOUGH), offered=ENOUGH + 6_000, shed={"budget": 6_000}))))

    assert "fewer lost calls, most of them for budget" == unmet(verdict)["completeness"].missing


def test_a_step_lasts_its_time_under_the_same_evidence():
    """An older step does not count for evidence that began later, and a step may have a time of its own."""
    young = replace(proven(), opened_at=NOW - DAY / 2)
    assert ("12 h more", DAY / 2) == (unmet(judge(young))["bake"].missing, unmet(judge(young))["bake"].seconds_left)
    assert "promote" == judge(young, step=replace(STEP, bake=3_600.0)).decision


def test_too_many_timeouts_take_the_candidate_back():
    """A few are noise; a share that is proven to exceed its bound is not."""
    few = evidence(shape(WORD, replace(clean(ENOUGH), offered=ENOUGH + 2, waived=2)), kinds={"timeout": 2})
    many = evidence(shape(WORD, replace(clean(ENOUGH), offered=ENOUGH + 500, waived=500)), kinds={"timeout": 500})

    assert "promote" == judge(few).decision
    assert "roll_back" == judge(many).decision
    assert ["timeouts"] == [check.name for check in judge(many).checks if check.is_terminal]


def test_timeouts_of_another_epoch_are_not_this_ones():
    """A build's classes outlive an epoch: they neither excuse the differences of a later one nor end it."""
    older = {"timeout": 500}
    account = replace(clean(ENOUGH), offered=ENOUGH + 2, waived=2)

    verdict = judge(evidence(shape(WORD, account), kinds=older))
    assert ("hold", {"rate", "timeouts"}) == (verdict.decision, set(unmet(verdict)))


def test_a_slow_tail_takes_the_candidate_back():
    """However fast the median is."""
    verdict = judge(proven(timings=Timings(1_000, 900, 50, 0.2)))

    assert "roll_back" == verdict.decision
    assert unmet(verdict)["tail"].is_terminal


def test_latency_may_be_left_out():
    """A policy that does not ask for speed needs no pairs."""
    assert "promote" == judge(proven(timings=Timings()), Policy(latency=None)).decision


def test_calls_of_one_shape_are_certified_by_all_of_its_cells():
    """The share that the candidate may answer is that of shapes without an open cell."""
    certification = Certification(Policy(), evidence(shape(WORD, clean(9_000)), shape(NUMBER, clean(1_000))))

    assert 0.9 == certification.share
    assert 2_041 == certification.standings["arguments=2"].further
    assert not certification.is_empty


COUNTS = st.integers(0, 2**40)
SECONDS = st.floats()
REASONS = st.dictionaries(st.sampled_from(["budget", "memory", "process_died"]), COUNTS, max_size=3)
ACCOUNTS = st.builds(Account, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, REASONS)
NUMBERS = st.sampled_from([0, 2**64 - 1, WORD, NUMBER, SHAPER.shape((None,), {"a": [1.5]})])
CLASSES = st.builds(
    ClassEvidence, st.just("f"), st.just("value"), st.sampled_from(["noise", "new", "confirmed"]), COUNTS, st.booleans()
)
ANY_EVIDENCE = st.builds(
    Evidence,
    epoch=st.just(Epoch("feature", "build")),
    profile=st.sampled_from(["plain", "chat"]),
    opened_at=SECONDS,
    account=ACCOUNTS,
    shapes=st.lists(st.builds(ShapeEvidence, NUMBERS, st.just({}), ACCOUNTS, COUNTS), max_size=4).map(tuple),
    classes=st.lists(CLASSES, max_size=2).map(tuple),
    kinds=st.dictionaries(st.sampled_from(["timeout", "panic", "crash", "value"]), COUNTS),
    timings=st.builds(Timings, COUNTS, COUNTS, COUNTS, st.none() | SECONDS),
    hosts=st.integers(-1, 9),
    processes=st.integers(-1, 9),
    silent=st.integers(-1, 9),
    heard_at=SECONDS,
    per_second=st.none() | SECONDS,
)


@given(ANY_EVIDENCE, SECONDS, SECONDS)
def test_any_evidence_is_judged(found, since, now):
    """The verdict is total, and consistent with its checks."""
    verdict = Gate().judge(found, Step("shadow", since), now)

    assert verdict.decision in {"promote", "hold", "roll_back"}
    assert (verdict.decision == "promote") == all(check.holds for check in verdict.checks)
    assert all(check.holds != bool(check.missing) for check in verdict.checks)
    assert all(check.saw and check.needs for check in verdict.checks)


@given(ANY_EVIDENCE, SECONDS, SECONDS)
def test_no_evidence_promotes_what_diverged_or_what_was_never_compared(found, since, now):
    """Whatever else there is."""
    refused = [replace(found, classes=(ClassEvidence("f", "value", "new", 1),)), replace(found, account=Account())]

    for one in refused:
        assert "promote" != Gate().judge(one, Step("shadow", since), now).decision


@given(st.integers(0, 3_000), st.integers(0, 2), st.integers(0, 100), st.integers(0, 2 * ENOUGH))
def test_more_clean_inputs_never_turn_a_promotion_down(words, differing, lost, more):
    """All else being equal, evidence can only help."""
    account = Account(ENOUGH + words + differing + lost, 0, ENOUGH + words, differing, shed={"budget": lost})
    grown = replace(account, offered=account.offered + more, matched=account.matched + more)
    before, after = (judge(evidence(shape(WORD, one))) for one in (account, grown))

    assert before.decision != "promote" or after.decision == "promote"
    assert before.certified <= after.certified
