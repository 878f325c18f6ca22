"""The public face of flags."""

from __future__ import annotations

import json

import pytest

from fast_litellm.errors import UnknownFlagError
from fast_litellm.flags import Decision, FlagManager
from fast_litellm.flags.plan import Plan, PlanStep

RULES = """\
version: 1
segments:
  beta: {attr: team, in: [a, b]}
flags:
  parser:
    owner: parsing team
    expires: 2027-03-31
    unit: user
    rules:
      - name: staff
        when: {attr: user, ends_with: "@example.com"}
        serve: rust
      - name: beta
        when: {segment: beta}
        split: {rust: 10, other: 20, python: 70}
      - name: late
        when: {attr: age, gt: 5}
        serve: python
    otherwise: {split: {rust: 0.5, python: 99.5}}
    shadow: {percent: 25, budget: 2.5%}
"""


@pytest.fixture
def manager(rules):
    """A manager of a flag with three rules."""
    rules.write_text(RULES)
    return FlagManager.from_file(rules)


SHADOW = {"percent": 100.0, "budget": 5.0, "mode": "off_path", "deadline_ms": 1_000, "memory": 16 * 1024 * 1024}


def test_without_a_rule_file_everything_is_shadowed():
    """Every feature is compared within the budget, and no candidate serves."""
    manager = FlagManager.default(["parser", "router"])
    flag = {"stage": "shadow", "owner": None, "expires": None, "candidate": "rust", "shadow": SHADOW}
    flag["standing"] = {"state": "running", "until": None, "scope": None}

    assert {"parser": flag, "router": flag} == manager.status()["flags"]
    decision = manager.decide("parser", unit="u")
    assert ("python", True, "STATIC", "") == (decision.serve, decision.shadow, decision.reason, decision.detail)


def test_decide_and_serve_and_bind_agree(manager):
    """Three ways to ask, one answer."""
    attributes = {"user": "u@example.com", "team": "a"}
    decision = manager.decide("parser", attributes=attributes)

    assert isinstance(decision, Decision)
    assert ("rust", "TARGETING_MATCH", "staff") == (decision.serve, decision.reason, decision.rule)
    assert decision.serve == manager.serve("parser", None, attributes) == manager.bind("parser")(None, attributes)
    assert "parser" == manager.bind("parser").name


def test_an_undeclared_flag_is_answered(manager):
    """It is an error in the decision, never an exception."""
    decision = manager.decide("router", unit="u")

    assert (
        Decision("router", "off", "python", False, "ERROR", "FLAG_NOT_FOUND", None, None, None, manager.cell.revision)
        == decision
    )
    assert ("python", "off") == (manager.bind("router")("u"), manager.stage("router"))


def test_a_description_tells_rules_lines_and_thresholds(manager, rules):
    """Everything `explain` needs is there without a call."""
    assert {
        "flag": "parser",
        "file": str(rules),
        "line": 5,
        "stage": "canary",
        "salt": "parser",
        "unit": {"attribute": "user", "explicit_first": False},
        "consults_rules": True,
        "requires": [],
        "layer": None,
        "rules": [
            {"name": "staff", "line": 10, "when": 'user ends with "@example.com"', "serve": "rust"},
            {"name": "beta", "line": 13, "when": "segment beta", "thresholds": [["rust", 100_000], ["other", 300_000]]},
            {"name": "late", "line": 16, "when": "age > 5", "serve": "python"},
        ],
        "otherwise": {"thresholds": [["rust", 5_000]]},
        "otherwise_line": 19,
        "owner": "parsing team",
        "expires": "2027-03-31",
        "candidate": "rust",
        "shadow": {**SHADOW, "percent": 25.0, "budget": 2.5},
    } == manager.describe("parser")


def test_an_explanation_says_why_and_why_not(manager):
    """The decision is the one `decide` makes; each rule has a verdict, and those that do not match their obstacle."""
    call = {"unit": "ignored", "attributes": {"user": "u-1", "team": "b", "age": 9}}
    explanation = manager.explain("parser", **call)
    decision = manager.decide("parser", **call)

    assert decision._asdict() == {**explanation["decision"], "flag": "parser", "revision": explanation["revision"]}
    assert decision.bucket == explanation["bucket"]
    assert [("not_matched", 'user ends with "@example.com"'), ("matched", None), ("not_reached", None)] == [
        (rule["verdict"], rule.get("because")) for rule in explanation["rules"]
    ]


@pytest.mark.parametrize("ask", ["describe", "explain"])
def test_only_declared_flags_can_be_explained(manager, ask):
    """The nearest name is suggested."""
    with pytest.raises(UnknownFlagError, match='no rule file declares the flag "parsr"; did you mean "parser"'):
        getattr(manager, ask)("parsr")


def test_status_tells_which_rules_are_in_force(manager, rules):
    """Path, revision and flags; it can be written as JSON."""
    status = json.loads(json.dumps(manager.status()))

    assert {
        "path": str(rules),
        "revision": manager.decide("parser").revision,
        "stale": False,
        "problems": [],
    }.items() <= status.items()
    assert {"stage": "canary", "owner": "parsing team"}.items() <= status["flags"]["parser"].items()
    assert status["loaded_at"].endswith("+00:00")


def test_rules_from_memory_are_not_watched():
    """There is no file to look at."""
    manager = FlagManager.from_dict({"version": 1, "flags": {}})
    manager.watch()

    assert (None, None) == (manager.status()["watching"], manager.status()["path"])
    assert manager.reload()


PLANNED = {
    "version": 1,
    "flags": {
        "planned": {
            "gate": {
                "divergence": {"rate": "0.01%"},
                "latency": "none",
                "bake": "6h",
                "hosts": 2,
                "not_compared": "5%",
            },
            "plan": {"advance": "auto", "steps": ["shadow", {"to": "10%", "bake": "2h"}, "on"]},
        },
        "pinned": {"stage": "shadow"},
        "unplanned": {},
    },
}


def test_a_plan_and_a_gate_are_told_as_they_are_written():
    """Shares are fractions and times seconds; what is not written is left to the judge."""
    manager = FlagManager.from_dict(PLANNED)
    steps = (PlanStep("shadow", 0.0), PlanStep("10%", 0.1, 7_200.0), PlanStep("on", 1.0))
    assert Plan(True, steps) == manager.plan("planned")
    assert {
        "divergence": {"rate": 0.0001},
        "latency": None,
        "bake": 21_600.0,
        "hosts": 2,
        "not_compared": 0.05,
    } == manager.gate("planned")


def test_a_flag_that_names_no_plan_has_the_default_one():
    """So has one that is not declared; its gate has nothing written."""
    manager = FlagManager.from_dict(PLANNED)
    for flag in ("unplanned", "nowhere"):
        assert ["shadow", "1%", "5%", "25%", "50%", "on"] == [step.name for step in manager.plan(flag).steps]
        assert not manager.plan(flag).is_automatic
        assert {} == manager.gate(flag)


def test_the_steps_that_flags_have_reached_take_effect_at_once():
    """Those who have subscribed are told once, and a flag that is pinned stays where it is."""
    manager, told = FlagManager.from_dict(PLANNED), []
    manager.subscribe(lambda: told.append(manager.stage("planned")))
    for _ in range(2):
        manager.apply_rollouts({"planned": 2, "pinned": 2, "unplanned": 5})
    assert ["on"] == told
    stages = {flag: manager.stage(flag) for flag in PLANNED["flags"]}
    assert {"planned": "on", "pinned": "shadow", "unplanned": "on"} == stages
    follows = {flag: manager.follows_plan(flag) for flag in PLANNED["flags"]}
    assert {"planned": True, "pinned": False, "unplanned": True} == follows
    assert ("on", 2) == (manager.plan("planned").step.name, manager.plan("planned").reached)
    assert ("rust", "step:2") == (manager.decide("planned").serve, manager.decide("planned").detail)


def test_a_step_beyond_a_shortened_plan_serves_nothing():
    """It is as if the feature were at the first one."""
    manager = FlagManager.from_dict(PLANNED)
    manager.apply_rollouts({"planned": 4})
    assert ("shadow", "shadow") == (manager.plan("planned").step.name, manager.stage("planned"))


@pytest.mark.parametrize(
    ("flag", "word", "expected"),
    [
        ({"stage": "on"}, None, "other"),
        ({"plan": {"steps": ["shadow", "on"]}}, None, "other"),
        ({"stage": "off"}, "100%", "other"),
        ({"stage": "off"}, "rust", "rust"),
        ({"otherwise": {"split": {"rust": 100}}}, None, "rust"),
    ],
)
def test_what_names_no_implementation_means_the_candidate(flag, word, expected):
    """Stages, plans and percentages from the environment; a name means what it says."""
    overrides = {} if word is None else {"f": word}
    manager = FlagManager.from_dict({"version": 1, "flags": {"f": {"candidate": "other", **flag}}}, overrides=overrides)
    manager.apply_rollouts({"f": 1})

    assert ("other", expected) == (manager.candidate("f"), manager.serve("f", "u"))
    assert "rust" == manager.candidate("undeclared")
