"""What an installation learns from the ledger while it runs."""

from __future__ import annotations

import functools
import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from fast_litellm.accel.evidence import Evidence
from fast_litellm.accel.feature import Feature, Pair
from fast_litellm.flags import FlagManager
from fast_litellm.shadow import FunctionCandidate, Ledger, Pause, comparators
from fast_litellm.shadow.rollouts import Rollout

DEADLINE_S = 60

WORKER = """
    import sys
    import fast_litellm
    from fast_litellm.accel import installation

    fast_litellm.install(config=sys.argv[1])
    handle = installation._current.manager.bind("parser")
    print(handle(), flush=True)
    while handle() == sys.argv[2]:
        pass
    print(handle(), flush=True)
    fast_litellm.uninstall()
"""


@pytest.fixture
def worker(tmp_path):
    """Starts processes that say who serves, and say it again when that changes."""
    rules = tmp_path / "on.yaml"
    rules.write_text("version: 1\nflags: {parser: {otherwise: rust}}\n")
    started = []

    def start(before):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WORKER), str(rules), before], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def say(state):
    """Ada's word to the fleet."""
    ledger = Ledger.open(os.environ["FAST_LITELLM_LEDGER"], flush_seconds=None)
    ledger.record_pause(Pause("parser", state, "fleet", "ada", ""))


def test_every_process_of_the_ledger_follows_the_fleet(worker):
    """Those that run when it is said, those that start later, and back."""
    running = worker("rust")
    assert "rust\n" == running.stdout.readline()
    say("paused")
    assert "python\n" == running.communicate(timeout=DEADLINE_S)[0]
    later = worker("python")
    assert "python\n" == later.stdout.readline()
    say("running")
    assert "rust\n" == later.communicate(timeout=DEADLINE_S)[0]


def test_a_guard_with_the_fleets_scope_stops_other_hosts(tmp_path):
    """It tells the ledger, from a thread of its own; another manager with another rule file learns of it there."""
    rules = {"version": 1, "flags": {"parser": {"otherwise": "rust"}}}
    here, there = FlagManager.from_dict(rules), FlagManager.from_dict(rules)
    evidence = Evidence(os.environ["FAST_LITELLM_LEDGER"])
    evidence.obey_fleet(here)
    here.guard("parser").conclude("guard_tripped:latency", 300_000, 10_000, "fleet", (1, 0, 1), (1, 0, 1))
    for thread in threading.enumerate():
        if thread.name == "fast-litellm-guard":
            thread.join(DEADLINE_S)
    other = Evidence(os.environ["FAST_LITELLM_LEDGER"])
    other.obey_fleet(there)

    assert ("paused", "fleet") == (there.standing("parser")["state"], there.standing("parser")["scope"])
    assert "guard_tripped:latency" == here.decide("parser").detail
    for one in (evidence, other):
        one.close()


def test_a_ledger_that_was_locked_is_asked_again(monkeypatch, tmp_path):
    """Whether a candidate is blocked is heard with everything else that the fleet decides."""
    monkeypatch.setattr("fast_litellm.shadow.fleet._PATIENCE_SECONDS", 0.0)
    Ledger.open(os.environ["FAST_LITELLM_LEDGER"], flush_seconds=None).close()
    manager = FlagManager.from_dict({"version": 1, "flags": {"one": {"stage": "shadow"}}})
    evidence, told = Evidence(os.environ["FAST_LITELLM_LEDGER"]), []
    feature = Feature("one", Pair(abs, FunctionCandidate(abs), comparators.exact, "reference", effect_free=True))
    lock = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    lock.executescript("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE")
    evidence.obey_fleet(manager)
    runner = evidence.runner(feature, manager, dict)
    told.append(evidence.unasked)
    lock.close()
    deadline = time.monotonic() + DEADLINE_S  # the ledger's own thread writes meanwhile, and nobody waits for it here
    while evidence.unasked and time.monotonic() < deadline:
        evidence._ledger.look()
    told.append(evidence.unasked)
    runner.close()
    evidence.close()

    assert [["one"], []] == told


def test_features_that_say_nothing_of_a_budget_share_one():
    """However many they are; one that is given another share has it for itself."""
    rules = {"version": 1, "flags": {"own": {"shadow": {"budget": "20%"}}, "named": {"shadow": {"budget": "5%"}}}}
    manager, evidence = FlagManager.from_dict(rules), Evidence(os.environ["FAST_LITELLM_LEDGER"])
    pair = Pair(abs, FunctionCandidate(abs), comparators.exact, "reference", effect_free=True)
    runners = [evidence.runner(Feature(name, pair), manager, dict) for name in ("one", "two", "named", "own")]
    budgets = [runner._budget for runner in runners]
    for runner in runners:
        runner.close()
    evidence.close()

    assert budgets[0] is budgets[1] is budgets[2]
    assert budgets[3] is not budgets[0]


def test_features_that_say_nothing_of_memory_share_one():
    """However many they are; one that is given another amount has it for itself."""
    rules = {"version": 1, "flags": {"own": {"shadow": {"memory": "1MiB"}}, "named": {"shadow": {"memory": "16MiB"}}}}
    manager, evidence = FlagManager.from_dict(rules), Evidence(os.environ["FAST_LITELLM_LEDGER"])
    pair = Pair(abs, FunctionCandidate(abs), comparators.exact, "reference", effect_free=True)
    runners = [evidence.runner(Feature(name, pair), manager, dict) for name in ("one", "named", "own")]
    limits = [runner._limits for runner in runners]
    for runner in runners:
        runner.close()
    evidence.close()

    assert limits[0].memory is limits[1].memory is not None
    assert [6 << 20, 6 << 20, 1 << 20] == [it.max_bytes for it in limits]
    assert None is limits[2].memory


def test_a_move_shows_where_no_process_is_there_to_follow(tmp_path):
    """The ledger was told which plan decides, and so knows what its step means."""
    rules = tmp_path / "plan.yaml"
    rules.write_text('version: 1\nflags: {parser: {plan: {steps: [shadow, 5%, "on"]}}, pinned: {stage: shadow}}\n')
    manager, ledger = FlagManager.from_file(rules), os.environ["FAST_LITELLM_LEDGER"]
    kept = Evidence(ledger)
    for name in ("parser", "pinned"):
        feature = Feature(name, Pair(len, FunctionCandidate(len, build="b1"), comparators.exact, "r", effect_free=True))
        kept.runner(feature, manager, functools.partial(dict, stage=manager.stage(name)))
    kept.close()
    own = Ledger.open(ledger, flush_seconds=None)
    stages = [{name: it["stage"] for name, it in own.status()["features"].items()}]
    for name in ("parser", "pinned"):
        own.record_rollout(Rollout(name, "b1", 1, "running", 0.0, "ada", ""), expected=None)
    stages.append({name: it["stage"] for name, it in own.status()["features"].items()})

    assert [{"parser": "shadow", "pinned": "shadow"}, {"parser": "canary", "pinned": "shadow"}] == stages
