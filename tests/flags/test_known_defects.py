"""
Twelve defects measured in an earlier package of this name, in the order in which they were written down.

Each docstring says what must hold, then what happened instead.
"""

from __future__ import annotations

import os
import threading

import litellm
import pytest
from litellm.litellm_core_utils import token_counter as counting

import fast_litellm
from fast_litellm.flags import FlagManager

from .conftest import ON

IDS = [f"user-{number}" for number in range(20_000)]
MESSAGES = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def installed(tmp_path):
    """Installs a candidate for token counting under rules, and takes it away again."""

    def install(candidate=None, **flag) -> FlagManager:
        path = tmp_path / "rollout.yaml"
        path.write_text(f"version: 1\nflags: {{token_counting: {flag!r}}}\n")
        candidates = {} if candidate is None else {"token_counting": candidate}
        fast_litellm.install(path, candidates=candidates)
        return fast_litellm.accel.installation._current.manager

    yield install
    fast_litellm.uninstall()


class Candidate:
    """Counts as the control does, unless it is told to fail or to dawdle; remembers how often it ran."""

    build = "double"

    def __init__(self, module, semantics) -> None:
        self.control = module.token_counter
        Candidate.ran = 0
        Candidate.accidents = []

    def prepare(self, args, kwargs):
        return None

    def run(self, plan, args, kwargs):
        Candidate.ran += 1
        if Candidate.accidents:
            Candidate.accidents.pop()()
        return getattr(self.control, "__wrapped__", self.control)(*args, **kwargs)


def _count() -> int:
    return litellm.token_counter(model="gpt-4o", messages=MESSAGES)


def _split(rust: float) -> dict:
    return {"otherwise": {"split": {"rust": rust, "python": 100 - rust}}}


def _served(manager: FlagManager, flag: str = "parser") -> set[str]:
    serve = manager.bind(flag).serve
    return {unit for unit in IDS if serve(unit) == "rust"}


@pytest.mark.parametrize("percent", [5, 10, 25])
def test_01_a_canary_serves_its_percentage_as_shipped(with_flag, percent):
    """The configured share is served at once; it was 0.0 % until the error counters had been reset."""
    manager = with_flag(_split(percent))
    served = len(_served(manager))

    assert 0.85 * percent < 100 * served / len(IDS) < 1.15 * percent
    assert served == sum(manager.decide("parser", unit=unit).serve == "rust" for unit in IDS)


def test_02_no_secret_is_needed_to_decide(with_flag, monkeypatch):
    """A sticky decision needs nothing from the environment; it raised AttributeError unless a secret was set."""
    monkeypatch.setattr(os, "environ", {})
    manager = with_flag(_split(10))
    decision = manager.decide("parser", unit="request-1")

    assert ("SPLIT", decision.serve) == (decision.reason, manager.serve("parser", "request-1"))


def test_03_a_call_with_an_id_under_a_canary_reaches_its_caller(installed):
    """Every call is answered, by either side; calls that brought their id raised the flag system's own error."""
    expected = counting.token_counter(model="gpt-4o", messages=MESSAGES)
    installed(Candidate, **_split(50))
    answers, before = [], fast_litellm.status()["features"]["token_counting"]["served"]
    for unit in IDS[:100]:
        with fast_litellm.context(unit):
            answers.append(_count())
    after = fast_litellm.status()["features"]["token_counting"]["served"]
    served = {name: after[name] - before[name] for name in after}

    assert [expected] * 100 == answers
    assert (100, True) == (served["python"] + served["rust"], 20 < served["rust"] < 80)


def test_04_stopping_a_feature_reaches_calls_that_were_wrapped_before(installed):
    """After a stop the candidate never runs again; a threshold of 5 errors let it fail 2,000 calls out of 2,000."""
    manager = installed(Candidate, otherwise="rust", shadow={"percent": 0})
    count = litellm.token_counter
    for _ in range(5):
        count(model="gpt-4o", messages=MESSAGES)
    before = Candidate.ran
    manager.block("token_counting", "diverged")
    for _ in range(2000):
        count(model="gpt-4o", messages=MESSAGES)

    assert (5, 5, "blocked") == (before, Candidate.ran, manager.stage("token_counting"))


def test_05_one_accident_stops_nothing_and_a_stop_is_not_for_ever(installed):
    """One slow call and one error change nothing, and a stop can be taken back; one slow call disabled for ever."""
    manager = installed(Candidate, otherwise="rust", shadow={"percent": 0})
    Candidate.accidents = [_fail, lambda: threading.Event().wait(0.15)]
    served = [_count() for _ in range(10)]
    after_accidents = (Candidate.ran, Candidate.accidents)
    manager.block("token_counting")
    manager.unblock("token_counting")
    served.append(_count())

    assert ((10, []), 11) == (after_accidents, Candidate.ran)
    assert 1 == len(set(served))


def _fail() -> None:
    raise LookupError


@pytest.mark.parametrize(("percent", "threshold"), [(0.5, 5_000), (0.9, 9_000), (1.9, 19_000), (10.9, 109_000)])
def test_06_fractions_of_a_percent_are_not_truncated(with_flag, percent, threshold):
    """A percentage becomes exactly its threshold in a million; 0.9 was 0 and 1.9 was 1."""
    manager = with_flag(_split(percent))

    assert threshold == manager.decide("parser", unit="user-1").threshold
    assert 0.7 * percent < 100 * len(_served(manager)) / len(IDS) < 1.3 * percent


def test_07_a_diamond_is_not_a_circle():
    """Two requirements may share a third, and two segments too; the shared one was taken for a cycle and served off."""
    on = {"otherwise": "rust"}
    flags = {
        "top": {"requires": ["left", "right"], **on},
        "left": {"requires": ["bottom"], **on},
        "right": {"requires": ["bottom"], **on},
        "bottom": on,
        "parser": {
            "rules": [{"name": "r", "when": {"all": [{"segment": "left"}, {"segment": "right"}]}, "serve": "rust"}]
        },
    }
    segments = {
        "bottom": {"attr": "team", "equals": "a"},
        "left": {"segment": "bottom"},
        "right": {"segment": "bottom"},
    }
    manager = FlagManager.from_dict({"version": 1, "segments": segments, "flags": flags})

    assert ("rust", "rust") == (manager.serve("top", "u"), manager.serve("parser", "u", {"team": "a"}))


def test_08_rules_may_lie_anywhere_and_may_change(rules, replace):
    """A YAML file in any directory is read, and read again; it was JSON in the package's own directory, read once."""
    manager = FlagManager.from_file(rules)
    changed = threading.Event()
    manager.subscribe(changed.set)
    manager.watch()
    before = manager.stage("parser")
    replace(rules, ON)

    assert changed.wait(30)
    assert ("canary", "on") == (before, manager.stage("parser"))
    manager.close()


def test_09_the_kill_switch_reaches_every_flag(installed, monkeypatch):
    """Disabled is disabled, by name, through handles and in LiteLLM itself; the native half of the flags stayed on."""
    declared = {"version": 1, "flags": {"parser": {"otherwise": "rust"}}}
    manager = FlagManager.from_dict(declared, overrides={"router": "rust"}, disabled=True)
    monkeypatch.setenv("FAST_LITELLM_DISABLE", "1")
    before = counting.token_counter
    fast_litellm.install()

    for flag in ("parser", "router"):
        decision = manager.decide(flag, unit="user-1")
        assert ("python", "DISABLED", "killed") == (decision.serve, decision.reason, decision.detail)
        assert ("python", "python") == (manager.serve(flag, "user-1"), manager.bind(flag)("user-1"))
    assert before is counting.token_counter


def test_10_shadow_runs_both_and_serves_python(installed, with_flag):
    """No unit is answered by the candidate, and both run; shadow switched the feature on for its share."""
    rules = {"stage": "shadow", "otherwise": "rust", "shadow": {"percent": 100, "budget": "100%"}}
    manager = with_flag(rules)
    installed(Candidate, **rules)
    before = fast_litellm.status()["features"]["token_counting"]
    _count()
    assert fast_litellm.accel.installation._current.attachments[0].feature.runner.drain(10)
    found = fast_litellm.status()["features"]["token_counting"]
    served = {name: found["served"][name] - before["served"][name] for name in ("python", "rust")}

    assert set() == _served(manager)
    assert manager.decide("parser", unit="user-1").shadow
    assert ({"python": 1, "rust": 0}, 1, 1) == (served, found["compared"] - before["compared"], Candidate.ran)


def test_11_small_percentages_are_not_always_the_same_units():
    """Two 10 % flags share 1 % of all units, and 5 % is no part of 25 %; the same users were always first."""
    manager = FlagManager.from_dict(
        {"version": 1, "flags": {"small": _split(5), "one": _split(10), "two": _split(10), "large": _split(25)}}
    )
    small, one, two, large = (_served(manager, flag) for flag in ("small", "one", "two", "large"))

    assert 0.007 * len(IDS) < len(one & two) < 0.013 * len(IDS)
    assert 0.5 * len(small) > len(small & large)


def test_12_calls_without_an_id_are_not_a_lottery(with_flag):
    """Without a unit every call is Python's, and the decision says why; each call drew lots anew."""
    manager = with_flag(_split(50))
    decisions = {manager.decide("parser") for _ in range(100)}
    (decision,) = decisions

    assert ("python", "DEFAULT", "missing_unit") == (decision.serve, decision.reason, decision.detail)
    assert {"python"} == {manager.serve("parser") for _ in range(100)} | {manager.bind("parser")() for _ in range(100)}
