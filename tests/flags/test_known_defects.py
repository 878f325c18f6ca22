"""
Defects measured in an earlier package of this name, each of which must stay impossible.

One whose subject is the speed of a hash or a latency threshold has no counterpart here.
"""

from __future__ import annotations

import os

import pytest

from fast_litellm.flags import FlagManager

from .conftest import ON

TENTH = {"otherwise": {"split": {"rust": 10, "python": 90}}}
IDS = [f"user-{number}" for number in range(20_000)]


def _served(manager: FlagManager, flag: str = "parser") -> set[str]:
    serve = manager.bind(flag).serve
    return {unit for unit in IDS if serve(unit) == "rust"}


def test_a_canary_serves_its_percentage_as_shipped(with_flag):
    """A 10 percent flag serves about 10 percent without anything being reset first."""
    assert 0.09 * len(IDS) < len(_served(with_flag(TENTH))) < 0.11 * len(IDS)


def test_no_secret_is_needed_to_decide(with_flag, monkeypatch):
    """A sticky decision asks the environment for nothing and does not raise."""
    monkeypatch.setattr(os, "environ", {})

    assert "SPLIT" == with_flag(TENTH).decide("parser", unit="request-1").reason


def test_a_block_reaches_handles_that_were_bound_before(with_flag):
    """Stopping a feature stops the very next call, also through a handle made earlier."""
    manager = with_flag({"otherwise": "rust"})
    handle = manager.bind("parser")
    before = handle("user-1")
    manager.block("parser", "diverged")

    assert ("rust", "python") == (before, handle("user-1"))


def test_a_block_can_be_taken_back(with_flag):
    """Stopping a feature is not for ever."""
    manager = with_flag({"otherwise": "rust"})
    manager.block("parser")
    manager.unblock("parser")

    assert ("rust", "on") == (manager.serve("parser"), manager.stage("parser"))


@pytest.mark.parametrize(("percent", "threshold"), [(0.5, 5_000), (0.9, 9_000), (1.9, 19_000), (10.9, 109_000)])
def test_fractions_of_a_percent_are_not_truncated(with_flag, percent, threshold):
    """A percentage becomes exactly its threshold."""
    manager = with_flag({"otherwise": {"split": {"rust": percent, "python": 100 - percent}}})

    assert threshold == manager.decide("parser", unit="user-1").threshold


def test_a_diamond_is_not_a_circle(with_flag):
    """Two segments may name a third one, and a rule may name both."""
    segments = {
        "bottom": {"attr": "team", "equals": "a"},
        "left": {"segment": "bottom"},
        "right": {"segment": "bottom"},
    }
    rule = {"name": "r", "when": {"all": [{"segment": "left"}, {"segment": "right"}]}, "serve": "rust"}

    assert "rust" == with_flag({"rules": [rule]}, segments=segments).serve("parser", None, {"team": "a"})


def test_rules_may_lie_anywhere_and_may_change(rules, replace):
    """A file outside the package is read, and read again when it changes."""
    manager = FlagManager.from_file(rules)
    before = manager.stage("parser")
    replace(rules, ON)
    manager.poll()

    assert ("canary", "on") == (before, manager.stage("parser"))


def test_the_kill_switch_reaches_every_flag():
    """Disabled means disabled: for declared flags, for overridden ones, by name and through handles."""
    manager = FlagManager.from_dict(
        {"version": 1, "flags": {"parser": {"otherwise": "rust"}}}, overrides={"router": "rust"}, disabled=True
    )

    for flag in ("parser", "router"):
        decision = manager.decide(flag, unit="user-1")
        assert ("python", "DISABLED", "killed") == (decision.serve, decision.reason, decision.detail)
        assert "python" == manager.bind(flag)("user-1")


def test_shadow_never_serves_the_candidate(with_flag):
    """At stage shadow no unit is answered by the candidate, at whatever share calls are compared."""
    manager = with_flag({"stage": "shadow", "otherwise": "rust", "shadow": {"percent": 5}})

    assert set() == _served(manager)
    assert manager.decide("parser", unit="user-1").shadow


def test_small_percentages_are_not_always_the_same_units():
    """The units of a 5 percent flag are not a part of those of another flag at 25 percent."""
    flags = {
        "small": {"otherwise": {"split": {"rust": 5, "python": 95}}},
        "large": {"otherwise": {"split": {"rust": 25, "python": 75}}},
    }
    manager = FlagManager.from_dict({"version": 1, "flags": flags})
    small, large = _served(manager, "small"), _served(manager, "large")

    assert 0.5 * len(small) > len(small & large)


def test_calls_without_an_id_are_not_a_lottery(with_flag):
    """Without a unit every call gets the same answer."""
    manager = with_flag({"otherwise": {"split": {"rust": 50, "python": 50}}})

    assert {"python"} == {manager.serve("parser") for _ in range(100)}
