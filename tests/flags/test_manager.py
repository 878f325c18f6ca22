"""The public face of flags."""

from __future__ import annotations

import json

import pytest

from fast_litellm.errors import UnknownFlagError
from fast_litellm.flags import Decision, FlagManager

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


def test_without_a_rule_file_everything_is_shadowed():
    """Every feature is compared within the budget, and no candidate serves."""
    manager = FlagManager.default(["parser", "router"])
    flag = {"stage": "shadow", "owner": None, "expires": None, "shadow": {"percent": 100.0, "budget": 5.0}}
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
        "shadow": {"percent": 25.0, "budget": 2.5},
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
