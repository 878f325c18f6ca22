"""The guard at a seam of the real LiteLLM, from the rule file to the log."""

from __future__ import annotations

import json

import pytest
import structlog.testing

import fast_litellm
from fast_litellm import events
from fast_litellm.accel import installation

core = pytest.importorskip("litellm.litellm_core_utils.token_counter")

UNITS = 2_000
HOLD_S = 300


class Candidate:
    """Answers with what it is told, or fails."""

    build = "test-1"

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.ran = 0

    def prepare(self, args, kwargs):
        return None

    def run(self, plan, args, kwargs):
        self.ran += 1
        if self.error is not None:
            raise self.error
        return 1


class Traffic:
    """LiteLLM with a guarded candidate for half of the units, and the calls of many users."""

    def __init__(self, path, monkeypatch) -> None:
        self.candidate = Candidate()
        self._monkeypatch = monkeypatch
        self._next = 0
        breach = {"serve": "python", "hold": f"{HOLD_S}s", "retry_percent": 1, "scope": "process"}
        guard = {"min_calls": 100, "error_rate": {"max_over_python": "0.5%"}, "on_breach": breach}
        flag = {
            "stage": "canary",
            "otherwise": {"split": {"rust": 50, "python": 50}},
            "shadow": {"percent": 0},
            "guard": guard,
        }
        path.write_text(json.dumps({"version": 1, "flags": {"token_counting": flag}}), encoding="utf-8")
        fast_litellm.install(path, candidates={"token_counting": lambda module, semantics: self.candidate})
        self.manager = installation._current.manager

    def calls(self, count: int) -> None:
        for _ in range(count):
            self._next += 1
            with fast_litellm.context(unit=f"user-{self._next % UNITS}"):
                core.token_counter(model="gpt-4o", text="Hello")

    def decisions(self) -> list:
        return [self.manager.decide("token_counting", unit=f"user-{number}") for number in range(UNITS)]

    def served_units(self) -> int:
        return sum(decision.serve == "rust" for decision in self.decisions())

    def let_hold_pass(self) -> None:
        """What is stopped from here on was stopped so long ago that its time is over."""
        standings = self.manager._standings
        before = standings._clock
        self._monkeypatch.setattr(standings, "_clock", lambda: before() - HOLD_S - 1)


@pytest.fixture
def traffic(tmp_path, monkeypatch):
    """An installation that is taken back."""
    yield Traffic(tmp_path / "rollout.yaml", monkeypatch)
    fast_litellm.uninstall()


@pytest.fixture
def logged():
    """Collects the log."""
    with structlog.testing.capture_logs() as found:
        yield found


def guard_events(logged) -> list[str]:
    return [entry["event"] for entry in logged if entry["event"].startswith("flags.guard")]


def test_a_failing_candidate_is_stopped_once_and_callers_notice_nothing(logged, traffic):
    """Python answers every call; the decision says what happened."""
    traffic.candidate.error = LookupError()
    traffic.calls(1_000)
    ran = traffic.candidate.ran
    traffic.calls(200)

    assert [events.GUARD_TRIPPED] == guard_events(logged)
    assert {("python", "guard_tripped:error_rate")} == {(one.serve, one.detail) for one in traffic.decisions()}
    assert 100 <= ran < 500
    assert ran == traffic.candidate.ran


def test_after_the_hold_a_few_units_try_again_and_then_all(logged, traffic):
    """One percent of the units first; when they were answered well, everybody who was served before."""
    before = traffic.served_units()
    traffic.let_hold_pass()
    traffic.candidate.error = LookupError()
    while not guard_events(logged):
        traffic.calls(1)
    retried = traffic.served_units()
    traffic.candidate.error = None
    for _ in range(40):
        traffic.calls(UNITS)
        if len(guard_events(logged)) == 3:
            break

    assert 0 < retried < before / 25
    assert [events.GUARD_TRIPPED, events.GUARD_RETRYING, events.GUARD_CLOSED] == guard_events(logged)
    assert before == traffic.served_units()


def test_one_early_error_stops_nothing(logged, traffic):
    """The first call of the candidate raises, the others do not."""
    traffic.candidate.error = LookupError()
    while not traffic.candidate.ran:
        traffic.calls(1)
    traffic.candidate.error = None
    traffic.calls(2_000)

    assert [] == guard_events(logged)
    assert traffic.candidate.ran > 500


def test_own_pairs_are_guarded_too(tmp_path, logged):
    """A program's own candidate is stopped by the same rules."""

    def slow(number):
        raise LookupError

    pair = fast_litellm.seam("guarded_pair", candidate=slow)(int)
    path = tmp_path / "rollout.yaml"
    guard = {"min_calls": 50, "error_rate": {"max_over_python": 0.5}, "on_breach": {"scope": "process"}}
    path.write_text(json.dumps({"version": 1, "flags": {"guarded_pair": {"stage": "on", "guard": guard}}}))
    fast_litellm.install(path)
    try:
        answers = [pair("7") for _ in range(100)]
    finally:
        fast_litellm.uninstall()

    assert ([7] * 100, [events.GUARD_TRIPPED]) == (answers, guard_events(logged))
