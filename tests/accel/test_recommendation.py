"""What is recommended, and on which numbers."""

from __future__ import annotations

import pytest

from fast_litellm.accel.promotion import Position
from fast_litellm.accel.recommendation import recommend
from fast_litellm.flags import FlagManager
from fast_litellm.shadow.evidence import Account, Evidence, Latency, Quantiles, Timings
from fast_litellm.shadow.gate import Check, Verdict
from fast_litellm.shadow.observation import Epoch

GATE = FlagManager.default(["routing"]).gate("routing")
PLAN = FlagManager.default(["routing"]).plan("routing")
FAST, SLOW = Timings(1_000, 990, 0, 0.25), Timings(1_000, 100, 0, 2.0)


def counts(**changes):
    """What the ledger's status says of 2,000 compared calls."""
    read = {"stage": "shadow", "served": {"python": 2_000, "rust": 0}, "declined": {}, "shed": {}}
    return {**read, "offered": 2_000, "compared": 2_000, "diverged": 0, **changes}


def position(decision="hold", *checks, timings=FAST, compared=2_000, step=0):
    """A feature at a step of its plan, with a verdict of the gate."""
    account = Account(offered=compared, matched=compared)
    latency = Latency(Quantiles(2_000, 40_000, 50_000, 60_000), Quantiles(2_000, 10_000, 12_000, 15_000), 200_000_000)
    found = Evidence(Epoch("routing", "1"), "plain", 0.0, account, timings=timings, latency=latency)

    class At(Position):
        step = property(lambda _: (len(PLAN.steps) + at) % len(PLAN.steps))

    at = step
    return At("routing", PLAN, found, None, Verdict(decision, tuple(checks), frozenset()))


RATE = Check("rate", False, "0 of 2,000", "below 0.001%", "458,515 more", 3_600.0)
DIVERGED = Check("divergences", False, "1 open", "none", "another build", None, is_terminal=True)


@pytest.mark.parametrize(
    ("changes", "where", "action", "why"),
    [
        ({}, None, "no data", "nothing was compared"),
        ({"compared": 0}, position(compared=0), "no data", "nothing was compared"),
        ({}, position("hold", RATE), "leave", "the gate waits for rate: 458,515 more, in 1 h"),
        ({}, position("promote"), "promote", f"the gate opens for {PLAN.steps[1].name}"),
        ({}, position("promote", step=-1), "leave", "it is at the end of its plan"),
        ({}, position("roll_back", RATE, DIVERGED), "switch off", "divergences: another build and 1 more"),
        (
            {"stage": "blocked"},
            position("promote"),
            "switch off",
            "this build differs from LiteLLM's own and is blocked",
        ),
        ({}, position("promote", timings=SLOW), "switch off", "it is slower than LiteLLM's own"),
        (
            {"declined": {"opaque_value": 2_500, "size": 500}},
            position("promote"),
            "leave",
            "it declines 60% of the calls, mostly as opaque_value",
        ),
        (
            {"served": {"python": 60, "rust": 0, "litellm_rust": 3_000}, "compared": 30, "declined": {"size": 60}},
            position("promote"),
            "promote",
            f"the gate opens for {PLAN.steps[1].name}",
        ),
    ],
)
def test_every_recommendation_has_its_reason(changes, where, action, why):
    """Without data none; what is slower or differs goes, what declines most gains little; the gate says the rest."""
    found = recommend("routing", counts(**changes), where, GATE)

    assert (action, why) == (found.action, found.why)


def test_the_numbers_are_those_of_the_ledger():
    """Both sides' times where they ran, their ratio from pairs, and what a comparison costs."""
    found = recommend("routing", counts(shed={"budget": 7, "nested": 1}), position("promote"), GATE)

    assert [
        "2,000 compared, 0 diverged",
        "8 not compared, mostly as budget",
        "4 times as fast in the median of 1,000 pairs",
        "p50 40 us by Python, 10 us by the candidate",
        "a comparison takes 100 us of processor time",
    ] == list(found.evidence)
    assert 0.25 == found.figures["ratio"]


def test_a_speed_that_nobody_measured_is_not_made_up():
    """Times of different threads are no ratio."""
    found = recommend("routing", counts(), position("hold", RATE, timings=Timings()), GATE)

    assert "speed is not known: no pairs" in found.evidence
    assert None is found.figures["ratio"]


def test_no_recommendation_without_data_has_numbers_of_times():
    """There are none."""
    found = recommend("routing", counts(compared=0), None, GATE)

    assert ["0 compared, 0 diverged"] == list(found.evidence)
    assert not {"ratio", "control_p50_ns"} & found.figures.keys()
