"""What the ledger's rollouts mean for a feature."""

from __future__ import annotations

import pytest

from fast_litellm.shadow.rollouts import Rollout, stage_of, step_of

PLAN = ["shadow", "5%", "on"]


@pytest.mark.parametrize(("step", "stage"), [(0, "shadow"), (1, "canary"), (2, "on"), (7, "shadow")])
@pytest.mark.parametrize("told", ["shadow", "canary", "on"])
def test_a_plan_and_its_step_say_the_stage_whatever_a_process_has_told(told, step, stage):
    """Also when no process was there to follow; of a plan that was shortened nothing is served."""
    assert stage == stage_of({"stage": told, "plan": PLAN}, None, step, {})


@pytest.mark.parametrize("told", ["off", "paused", None])
def test_what_is_stronger_than_a_plan_stands(told):
    """Somebody has switched the feature off or stopped it, or nobody has said anything."""
    assert told == stage_of({"stage": told, "plan": PLAN}, None, 2, {})


@pytest.mark.parametrize("told", [{"stage": "on", "plan": None}, {"stage": "on"}])
def test_rules_that_decide_without_a_plan_stand(told):
    """And so does what a process of an earlier version told, which did not say."""
    assert "on" == stage_of(told, None, 0, {})


@pytest.mark.parametrize(
    ("state", "stage"), [("blocked", "blocked"), ("released", "canary"), (None, "blocked"), ("paused", "blocked")]
)
def test_a_block_stands_until_the_ledger_says_that_it_has_ended(state, stage):
    """A process may have blocked what the ledger has not heard of."""
    assert stage == stage_of({"stage": "blocked", "plan": PLAN}, state, 1, {})


@pytest.mark.parametrize(
    ("pause", "said", "stage"),
    [
        (None, {}, "canary"),
        (None, {"host": True, "fleet": False}, "canary"),  # another host's
        (None, {"fleet": True}, "paused"),
        ("host", {}, "paused"),  # nobody could write it down
        ("host", {"host": True}, "paused"),
        ("host", {"host": False}, "canary"),
        ("fleet", {"fleet": False}, "canary"),
        ("host", {"host": False, "fleet": True}, "paused"),
    ],
)
def test_a_pause_lasts_until_the_ledger_says_that_it_has_ended(pause, said, stage):
    """Also when no process was there to follow; what it stopped is told beside it."""
    told = {"stage": "paused" if pause else "canary", "plan": PLAN, "pause": pause, "unpaused": "on"}
    assert stage == stage_of(told, None, 1, said)


@pytest.mark.parametrize("stage", ["off", "blocked"])
def test_nothing_is_paused_that_does_not_run(stage):
    """Resuming it would change nothing."""
    assert stage == stage_of({"stage": stage, "pause": None, "unpaused": stage}, None, 0, {"fleet": True})


@pytest.mark.parametrize(
    ("build", "state", "step"), [("1", "running", 1), ("1", "done", 1), ("1", "paused", 0), ("2", "running", 0)]
)
def test_a_step_is_that_of_its_build_while_it_holds(build, state, step):
    """Another build begins anew."""
    rollout = Rollout("routing", "1", 1, state, 0.0, "ops", "")

    assert (step, 0) == (step_of(rollout, build), step_of(None, build))
