"""The life of a feature along its plan: evidence, gate, steps, proven shapes, rollback; on a real ledger."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import fast_litellm
from fast_litellm.accel import own_pairs, promotion
from fast_litellm.accel.advance import Advance
from fast_litellm.accel.feature import Feature, Pair
from fast_litellm.accel.promotion import Order
from fast_litellm.accel.rollout import Rollouts
from fast_litellm.errors import PromotionError
from fast_litellm.flags import FlagManager
from fast_litellm.shadow import (
    Budget,
    Epoch,
    Experiment,
    FunctionCandidate,
    Ledger,
    ShadowRunner,
    comparators,
)
from fast_litellm.shadow.waivers import Waiver

DEADLINE_S = 30
GATE = {
    "divergence": {"rate": "2%", "alpha": "10%"},
    "cells": {"rate": "10%", "alpha": "20%"},
    "pairs": {"rate": "10%", "alpha": "20%"},
    "timeouts": {"rate": "5%", "alpha": "10%"},
    "latency": "none",
    "bake": "1h",
}
STEPS = ["shadow", "10%", {"to": "50%", "bake": "2h"}, "on"]


def rules(advance="manual"):
    shadow = {"percent": 100, "budget": "100%"}
    flag = {"shadow": shadow, "gate": GATE, "plan": {"advance": advance, "steps": STEPS}}
    return {"version": 1, "defaults": {"unit": "call_id"}, "flags": {"doubling": flag}}


def double(value):
    return value + value


@dataclass
class Clock:
    """A time that moves when it is told to."""

    now: float = 1e9

    def __call__(self):
        return self.now

    def pass_hours(self, hours):
        self.now += 3600 * hours


@dataclass
class Member:
    """One process of a fleet, in miniature."""

    ledger: Ledger
    manager: FlagManager
    feature: Feature
    runner: ShadowRunner
    rollouts: Rollouts
    clock: Clock
    units: itertools.count = field(default_factory=itertools.count)

    def call(self, *values):
        for value in values:
            with fast_litellm.context(unit=f"unit-{next(self.units)}"):
                assert double(value) == self.feature.dispatcher(value)

    def settle(self):
        """What was compared is in the ledger, and what the ledger says holds here."""
        assert self.runner.drain(DEADLINE_S)
        assert self.ledger.flush()
        self.ledger.look()

    def position(self):
        plan, gate = self.manager.plan("doubling"), self.manager.gate("doubling")
        return promotion.assess(self.ledger, "doubling", plan, gate, self.clock())

    def promote(self, step, **options):
        order = Order("ada", "enough evidence", self.clock())
        return promotion.promote(self.ledger, self.position(), step, order, **options)

    def served(self):
        return self.feature.tally.reading()["served"]


@pytest.fixture
def join(tmp_path, monkeypatch):
    """Makes members of one fleet: processes with a ledger in common."""
    monkeypatch.setattr(own_pairs, "_declared", {})
    members, clock = [], Clock()

    def make(candidate=double, build="build-1", advance="manual"):
        from fast_litellm.shadow.store import Store

        ledger = Ledger(Store(tmp_path / "ledger.db"), flush_seconds=None, clock=clock)
        manager = FlagManager.from_dict(rules(advance))
        pair = Pair(double, FunctionCandidate(candidate, build), comparators.exact, "reference", effect_free=True)
        feature = Feature("doubling", pair)
        feature.tally.reset()
        rollouts = Rollouts(manager)
        ledger.attach(Epoch("doubling", build, "reference", "exact/1", "rules-1"), feature.tally)
        experiment = Experiment("doubling", double, pair.candidate, comparators.exact)
        on_block = functools.partial(rollouts.diverged, build)
        runner = ShadowRunner(experiment, tally=feature.tally, sink=ledger, budget=Budget(1), on_block=on_block)
        feature.connect(manager, runner)
        rollouts.add(feature)
        ledger.follow_fleet(
            pauses_changed=manager.apply_fleet,
            rollouts_changed=rollouts.take_rollouts,
            blocks_changed=rollouts.take_blocks,
        )
        members.append(Member(ledger, manager, feature, runner, rollouts, clock))
        return members[-1]

    yield make
    for member in members:
        member.feature.disconnect()
        member.ledger.close()


def test_without_data_nothing_is_promoted(join):
    """Neither without a comparison nor after a few; the error says what is missing."""
    member = join()
    member.settle()
    assert "hold" == member.position().verdict.decision
    member.call(*range(20))
    member.settle()
    with pytest.raises(PromotionError, match=r"does not open: .*rate: .* more"):
        member.promote(1)
    assert ({}, []) == (member.ledger.rollouts(), member.ledger.audit())


def test_a_feature_goes_from_shadow_to_on_by_evidence_and_time(join):
    """Each step waits for the gate, serves its share, and is on the trail with what it rested on."""
    member = join()
    member.call(*range(500))
    member.settle()
    assert {"python": 500, "rust": 0} == member.served()
    with pytest.raises(PromotionError, match="bake"):
        member.promote(1)
    for step, hours in ((1, 1), (2, 1), (3, 2)):
        member.clock.pass_hours(hours)
        member.call(*range(500))
        member.settle()
        member.promote(step)
        member.settle()
    before = member.served()
    member.call(*range(1_000))
    assert ("on", 1_000) == (member.manager.stage("doubling"), member.served()["rust"] - before["rust"])
    trail = [(row["to_state"], row["actor"], row["evaluation"]["decision"]) for row in member.ledger.audit()]
    assert [(step.name, "ada", "promote") for step in member.manager.plan("doubling").steps[1:]] == trail
    assert member.ledger.first_break() is None


def test_only_the_next_step_is_open(join):
    """Past it, or against the gate, needs force, which the trail shows."""
    member = join()
    member.call(*range(500))
    member.settle()
    member.clock.pass_hours(1)
    member.call(1)
    member.settle()
    with pytest.raises(PromotionError, match="the next step alone"):
        member.promote(3)
    member.promote(3, is_forced=True)
    assert [True] == [row["evaluation"]["forced"] for row in member.ledger.audit()]


def test_the_candidate_answers_calls_of_proven_shapes_alone(join):
    """A shape that was never compared stays Python's at every step, and all of it is compared."""
    member = join()
    member.call(*range(500))
    member.settle()
    member.clock.pass_hours(1)
    member.call(0)
    member.settle()
    member.promote(3, is_forced=True)
    member.settle()
    before = member.feature.tally.reading()
    member.call(*range(50), *[f"text {n}" for n in range(50)])
    assert member.runner.drain(DEADLINE_S)
    after = member.feature.tally.reading()
    gained = {name: after["served"][name] - before["served"][name] for name in ("python", "rust")}
    assert ({"python": 50, "rust": 50}, {"unproven_shape": 50}) == (gained, after["declined"])
    assert 50 <= after["compared"] - before["compared"]


def test_what_the_candidate_answers_goes_on_being_compared(join):
    """At on one call of a hundred, by the control, against what the caller was given."""
    member = join()
    member.call(*range(500))
    member.settle()
    member.promote(3, is_forced=True)
    member.settle()
    before = member.feature.tally.reading()
    member.call(*[n % 500 for n in range(3_000)])
    assert member.runner.drain(DEADLINE_S)
    after = member.feature.tally.reading()
    assert 3_000 == after["served"]["rust"] - before["served"]["rust"]
    assert 5 < after["matched"] - before["matched"] < 90
    assert 0 == after["diverged"]


@pytest.fixture
def turning():
    """A candidate that is right until it is told to turn."""
    turned = []

    def candidate(value):
        return value + value + bool(turned)

    return candidate, lambda: turned.append(True)


def test_a_divergence_takes_the_candidate_back_everywhere(join, turning):
    """In its process with the next call, in the fleet with the next look; another build begins anew."""
    candidate, turn = turning
    first, second = join(candidate), join(candidate)
    first.call(*range(500))
    first.settle()
    first.promote(3, is_forced=True)
    first.settle()
    second.settle()
    assert ("on", "on") == (first.manager.stage("doubling"), second.manager.stage("doubling"))
    turn()
    second.feature.trust(frozenset(), 0)
    second.feature.dispatcher.compare_served(0)
    first.feature.dispatcher.compare_served(1_000_000)
    first.feature.dispatcher(7)
    assert first.runner.drain(DEADLINE_S)
    assert ("blocked", 14) == (first.manager.stage("doubling"), first.feature.dispatcher(7))
    first.settle()
    second.settle()
    assert ("blocked", 14) == (second.manager.stage("doubling"), second.feature.dispatcher(7))
    other = join(double, "build-2")
    other.settle()
    assert "shadow" == other.manager.stage("doubling")


def test_a_block_that_the_ledger_lifts_is_lifted_here(join):
    """Once every class is accepted and the build released, it goes on from where the ledger says."""
    member = join(lambda value: value + value + (value == 3))
    member.call(1, 2, 3)
    member.settle()
    assert "blocked" == member.manager.stage("doubling")
    (found,) = member.ledger.divergences()
    member.ledger.record_waiver(Waiver(found["fingerprint"], "doubling", "ada", "known", member.clock() + 60))
    member.ledger.record_transition("doubling", "build-1", "released", actor="ada", reason="known")
    member.settle()
    assert "shadow" == member.manager.stage("doubling")


def test_an_accepted_class_goes_on_and_another_one_stops_the_candidate_again(join):
    """In the process that was blocked as in one that begins while it is; what was promoted begins anew."""
    wrong = {3: 1, 4: 1.0}
    member = join(lambda value: value + value + wrong.get(value, 0))
    member.call(*range(5, 500))
    member.settle()
    member.promote(3, is_forced=True)
    member.settle()
    member.feature.dispatcher.compare_served(1_000_000)
    member.feature.dispatcher(3)
    member.settle()
    late = join(lambda value: value + value + wrong.get(value, 0))
    late.settle()
    assert ["blocked"] * 2 == [it.manager.stage("doubling") for it in (member, late)]
    (found,) = member.ledger.divergences()
    member.ledger.record_waiver(Waiver(found["fingerprint"], "doubling", "ada", "known", member.clock() + 60))
    promotion.release(member.ledger, member.position(), Order("ada", "known", member.clock()))
    for waived, each in enumerate((member, late), 1):  # they share their counters
        each.settle()
        each.call(3)
        each.settle()
        assert ("shadow", waived) == (each.manager.stage("doubling"), each.feature.tally.reading()["waived"])
    member.call(4)
    member.settle()
    assert "blocked" == member.manager.stage("doubling")
    assert ["blocked", "released", "blocked"] == [
        row["to_state"] for row in member.ledger.audit() if row["scope"] == "build"
    ]


def test_a_rolled_back_feature_waits_for_a_person(join):
    """Automatic advance leaves it alone, whatever the gate says."""
    member = join(advance="auto")
    member.call(*range(500))
    member.settle()
    member.promote(2, is_forced=True)
    member.settle()
    order = Order("ada", "a feeling", member.clock())
    assert "paused" == promotion.roll_back(member.ledger, member.position(), order).state
    member.settle()
    assert "shadow" == member.manager.stage("doubling")
    member.clock.pass_hours(100)
    member.call(0)
    member.settle()
    Advance(member.ledger, member.manager, member.clock).look()
    assert ("paused", 0) == (member.ledger.rollouts()["doubling"].state, member.position().step)


def test_an_automatic_plan_advances_by_itself(join):
    """One step at a time, when the gate opens; the evaluation is kept."""
    member = join(advance="auto")
    advance = Advance(member.ledger, member.manager, member.clock)
    member.call(*range(500))
    member.settle()
    advance.look()
    assert {} == member.ledger.rollouts()
    steps = []
    for _ in range(5):
        member.clock.pass_hours(2)
        member.call(0)
        member.settle()
        advance.look()
        member.settle()
        steps.append(member.manager.plan("doubling").step.name)
    assert ["10%", "50%", "on", "on", "on"] == steps
    assert ["promote"] * 3 == [it["decision"] for it in member.ledger.gate_evaluations("doubling")]


@pytest.mark.parametrize("advance", ["manual", "auto"])
def test_a_blocked_build_is_back_at_the_first_step(join, turning, advance):
    """Whoever moves the plan; from there nobody moves it, not by force either, for as long as it is blocked."""
    candidate, turn = turning
    member = join(candidate, advance=advance)
    member.call(*range(500))
    member.settle()
    member.promote(2, is_forced=True)
    member.settle()
    turn()
    member.call(1)
    member.settle()
    Advance(member.ledger, member.manager, member.clock).look()
    rollout = member.ledger.rollouts()["doubling"]
    assert (0, "blocked", "auto", frozenset()) == (rollout.step, rollout.state, rollout.actor, rollout.certified)
    assert ["50%", "blocked"] == [row["to_state"] for row in member.ledger.audit()]
    with pytest.raises(PromotionError, match="is blocked by"):
        member.promote(1, is_forced=True)


def test_the_gate_takes_a_build_back_once(join):
    """Here because an acceptance has ended; what it said is kept."""
    member = join(lambda value: value + value + (value == 3), advance="auto")
    advance = Advance(member.ledger, member.manager, member.clock)
    member.call(*range(500))
    member.settle()
    (found,) = member.ledger.divergences()
    member.ledger.record_waiver(Waiver(found["fingerprint"], "doubling", "ada", "known", member.clock() + 60))
    promotion.release(member.ledger, member.position(), Order("ada", "known", member.clock()))
    member.settle()
    advance.look()
    assert "shadow" == member.manager.stage("doubling")
    member.clock.pass_hours(1)
    for _ in range(2):
        advance.look()
    member.settle()
    assert "blocked" == member.manager.stage("doubling")
    assert ["blocked", "released", "blocked"] == [
        row["to_state"] for row in member.ledger.audit() if row["scope"] == "build"
    ]
    assert ["roll_back"] == [it["decision"] for it in member.ledger.gate_evaluations("doubling")]


def test_of_two_that_promote_at_once_one_does(join):
    """The other is told, and nothing is on the trail twice."""
    one, other = join(), join()
    one.call(*range(500))
    one.settle()
    other.settle()
    one.clock.pass_hours(1)
    one.call(0)
    one.settle()
    other.settle()
    seen = other.position()
    one.promote(1)
    with pytest.raises(PromotionError, match="somebody else"):
        promotion.promote(other.ledger, seen, 1, Order("eve", "me too", other.clock()))
    assert ["ada"] == [row["actor"] for row in one.ledger.audit()]


def test_one_process_of_a_fleet_asks_the_gate(join):
    """The one that began first of those that have the feature, for as long as it lives."""
    one = join(advance="auto")
    one.call(0)
    one.settle()
    one.clock.pass_hours(0.001)
    other = join(advance="auto")
    other.call(0)
    other.settle()
    assert (True, False) == (one.ledger.leads("doubling"), other.ledger.leads("doubling"))
    assert not one.ledger.leads("another")
    one.ledger.close()
    assert other.ledger.leads("doubling")


def test_a_rollback_needs_no_database(join, turning, tmp_path):
    """With the ledger gone the next call in the process is Python's all the same."""
    candidate, turn = turning
    member = join(candidate)
    member.call(*range(500))
    member.settle()
    member.promote(3, is_forced=True)
    member.settle()
    for file in filter(Path.is_file, tmp_path.glob("ledger.db*")):
        file.unlink()
    (tmp_path / "ledger.db").mkdir()
    turn()
    member.feature.dispatcher.compare_served(1_000_000)
    member.feature.dispatcher(7)
    assert member.runner.drain(DEADLINE_S)
    assert not member.ledger.flush()
    assert ("blocked", 14) == (member.manager.stage("doubling"), member.feature.dispatcher(7))


def test_rules_that_compare_nothing_compare_nothing_that_is_served(join):
    """`percent: 0` is for both ways."""
    member = join()
    flag = {"stage": "on", "shadow": {"percent": 0}}
    manager = FlagManager.from_dict({"version": 1, "defaults": {"unit": "call_id"}, "flags": {"doubling": flag}})
    rollouts = Rollouts(manager)
    member.feature.connect(manager, member.runner)
    rollouts.add(member.feature)
    before = member.feature.tally.reading()
    member.call(*range(500))
    after = member.feature.tally.reading()
    assert 500 == after["served"]["rust"] - before["served"]["rust"]
    assert before["offered"] == after["offered"]
