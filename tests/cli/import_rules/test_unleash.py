"""Unleash's features as our rules."""

from __future__ import annotations

import pytest

TEAM = {"contextName": "team", "operator": "IN", "values": ["a"]}
OUR_TEAM = {"attr": "team", "in": ["a"]}


def strategy(name, constraints=(), **parameters):
    """A strategy as the client API has it."""
    return {"name": name, "constraints": list(constraints), "parameters": parameters}


def rollout(percent, constraints=(), **parameters):
    """A gradual rollout by user."""
    return strategy("flexibleRollout", constraints, rollout=str(percent), **{"stickiness": "userId", **parameters})


def document(*strategies, **changes):
    """A file with one feature."""
    feature = {"name": "quick", "enabled": True, "strategies": list(strategies), **changes}
    return {"version": 2, "features": [feature], "segments": [{"id": 7, "constraints": [TEAM]}]}


@pytest.fixture
def quick(imported):
    """Imports one feature that is carried over exactly."""

    def run(*strategies, **changes):
        outcome = imported("unleash", document(*strategies, **changes))
        assert [] == outcome.left_out
        return outcome.flags["quick"]

    return run


def test_a_feature_without_strategies_is_on(quick):
    """`enabled` alone decides."""
    assert {"salt": "quick", "otherwise": "rust"} == quick()


def test_a_disabled_feature_is_killed(quick):
    """Its strategies are kept for the day it is enabled."""
    assert {"enabled": False, "salt": "quick", "otherwise": "rust"} == quick(enabled=False)


@pytest.mark.parametrize(
    ("theirs", "salt", "unit"),
    [
        (rollout(25), "quick", "userId"),
        (rollout(25, groupId="g", stickiness="org"), "g", "org"),
        (strategy("gradualRolloutUserId", percentage="25", groupId="g"), "g", "userId"),
        (strategy("gradualRolloutSessionId", percentage=25, groupId="g"), "g", "sessionId"),
    ],
)
def test_a_rollout_keeps_what_it_hashes(quick, theirs, salt, unit):
    """The group is the salt, the stickiness is the unit."""
    flag = quick(theirs)

    assert (salt, unit, {"split": {"rust": 25, "python": 75}}) == (flag["salt"], flag["unit"], flag["otherwise"])


def test_strategies_for_everyone_come_before_the_rollout(quick):
    """A feature is on when any strategy is; a rule that divides units decides for all of them, so it is the last."""
    flag = quick(rollout(10), strategy("userWithId", userIds="ann, bob"), rollout(100, [TEAM]))

    ours = [({"attr": "userId", "in": ["ann", "bob"]}, "rust"), (OUR_TEAM, "rust")]
    assert ours == [(rule["when"], rule["serve"]) for rule in flag["rules"]]
    assert {"split": {"rust": 10, "python": 90}} == flag["otherwise"]


def test_segments_are_constraints_too(quick):
    """Constraints and segments must all hold."""
    theirs = {**strategy("default", [{**TEAM, "operator": "NOT_IN", "values": ["b"]}]), "segments": [7]}

    assert {"all": [{"attr": "team", "not_in": ["b"]}, OUR_TEAM]} == quick(theirs)["rules"][0]["when"]


def test_addresses_are_networks(quick):
    """`remoteAddress` takes single addresses and networks."""
    rule = quick(strategy("remoteAddress", IPs="10.0.0.0/8,192.168.1.1"))["rules"][0]

    assert {"attr": "remoteAddress", "cidr": ["10.0.0.0/8", "192.168.1.1/32"]} == rule["when"]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"operator": "STR_CONTAINS", "values": ["a"]}, {"attr": "x", "contains": "a"}),
        (
            {"operator": "STR_ENDS_WITH", "values": ["a", "b"]},
            {"any": [{"attr": "x", "ends_with": "a"}, {"attr": "x", "ends_with": "b"}]},
        ),
        (
            {"operator": "STR_STARTS_WITH", "values": ["a.b", "c"], "caseInsensitive": True},
            {"attr": "x", "matches": r"(?i)^(?:a\.b|c)"},
        ),
        (
            {"operator": "STR_ENDS_WITH", "values": ["a"], "caseInsensitive": True},
            {"attr": "x", "matches": r"(?i)(?:a)\z"},
        ),
        ({"operator": "REGEX", "value": "^a+$"}, {"attr": "x", "matches": "^a+$"}),
        ({"operator": "REGEX", "value": "a", "caseInsensitive": True}, {"attr": "x", "matches": "(?i)a"}),
        ({"operator": "DATE_AFTER", "value": "2027-01-05T09:00:00Z"}, {"attr": "x", "after": "2027-01-05T09:00:00Z"}),
        ({"operator": "SEMVER_GT", "value": "1.2.3-rc.1"}, {"attr": "x", "semver": ">1.2.3-rc.1"}),
        ({"operator": "CIDR", "values": ["10.0.0.0/8"]}, {"attr": "x", "cidr": ["10.0.0.0/8"]}),
        ({"operator": "IN", "values": ["a"], "inverted": True}, {"not": {"attr": "x", "in": ["a"]}}),
    ],
)
def test_constraints_have_exact_counterparts(quick, theirs, ours):
    """Operators, inverted or not, with or without regard to case."""
    assert ours == quick(strategy("default", [{"contextName": "x", **theirs}]))["rules"][0]["when"]


@pytest.mark.parametrize(
    ("theirs", "ours", "element"),
    [
        ({"operator": "NUM_GTE", "value": "1.5"}, {"attr": "x", "gte": 1.5}, "x in NUM_GTE"),
        ({"operator": "NUM_EQ", "value": "-3"}, {"attr": "x", "equals": -3}, "x in NUM_EQ"),
    ],
)
def test_constraints_that_need_another_kind_are_mentioned(imported, theirs, ours, element):
    """Unleash's context is all text; our numbers are numbers."""
    outcome = imported("unleash", document(strategy("default", [{"contextName": "x", **theirs}])))

    assert ours == outcome.flags["quick"]["rules"][0]["when"]
    assert [("quick", element)] == outcome.elements


def test_variants_are_a_split_in_their_order(quick):
    """The feature's own variants hash its name, in thousandths."""
    variants = [("off", 334), ("on", 333), ("blue", 333)]
    variants = [{"name": name, "weight": weight, "stickiness": "userId"} for name, weight in variants]
    flag = quick(rollout(100, groupId="g"), variants=variants)

    assert ("quick", "userId") == (flag["salt"], flag["unit"])
    assert [("python", 33.4), ("rust", 33.3), ("blue", 33.3)] == list(flag["otherwise"]["split"].items())


def test_a_strategys_variants_hash_its_group(quick):
    """They stand in for those of the feature."""
    variants = [{"name": name, "weight": 500, "stickiness": "org"} for name in ("blue", "on")]
    flag = quick({**rollout(100, groupId="g"), "variants": variants})

    assert ("g", "org", {"split": {"blue": 50, "rust": 50}}) == (flag["salt"], flag["unit"], flag["otherwise"])


def test_a_dependency_is_a_requirement(imported):
    """A parent that is on must serve its candidate."""
    theirs = document(dependencies=[{"feature": "parent"}])
    theirs["features"].append({"name": "parent", "enabled": True, "strategies": []})

    assert [{"flag": "parent", "serves": "rust"}] == imported("unleash", theirs).flags["quick"]["requires"]


def test_default_stickiness_is_the_user(imported):
    """Unleash falls back to the session, then to chance; we hash one attribute, and the list says so."""
    outcome = imported("unleash", document(rollout(50, stickiness="default")))

    assert "userId" == outcome.flags["quick"]["unit"]
    assert [("quick", "default stickiness")] == outcome.elements


HALVES = [{"name": "on", "weight": 500, "stickiness": "userId"}, {"name": "off", "weight": 500}]


@pytest.mark.parametrize(
    ("strategies", "changes"),
    [
        ([rollout(50, stickiness="random")], {}),
        ([strategy("gradualRolloutRandom", percentage="50")], {}),
        ([strategy("applicationHostname", hostNames="a")], {}),
        ([strategy("userWithId", userIds="")], {}),
        ([rollout("12.5")], {}),
        ([{**rollout(100), "disabled": True}], {}),
        ([strategy("remoteAddress", IPs="10.0.0.0/8, nowhere")], {}),
        ([strategy("default", [{**TEAM, "operator": "DATE_AFTER", "value": "2027-01-01T00:00:00"}])], {}),
        ([strategy("default", [{**TEAM, "operator": "NUM_GT", "value": "nan"}])], {}),
        ([strategy("default", [{**TEAM, "contextName": "a..b"}])], {}),
        ([strategy("default", [{**TEAM, "operator": "STR_CONTAINS", "values": [""]}])], {}),
        ([{**strategy("default"), "segments": [8]}], {}),
        ([strategy("default", [{"contextName": "currentTime", "operator": "DATE_AFTER", "value": "2027-01-01"}])], {}),
        ([strategy("default", [{**TEAM, "values": []}])], {}),
        ([strategy("default", [{**TEAM, "operator": "RESEMBLES"}])], {}),
        ([], {"dependencies": [{"feature": "parent", "enabled": False}]}),
        ([], {"variants": HALVES}),
        ([rollout(50)], {"variants": list(reversed(HALVES))}),
        ([], {"variants": HALVES[:1]}),
        ([], {"variants": [{**HALVES[1], "overrides": [{}]}, HALVES[0]]}),
    ],
)
def test_what_has_no_counterpart_is_listed_and_python_answers(imported, strategies, changes):
    """Nothing is guessed."""
    outcome = imported("unleash", document(*strategies, **changes))

    assert ["quick"] == [flag for flag, _ in outcome.elements]
    assert {"salt": "quick", "otherwise": "python"} == outcome.flags["quick"]


def test_a_second_rollout_is_listed(imported):
    """Python answers the units that only the second would have put on."""
    outcome = imported("unleash", document(rollout(10), rollout(20, groupId="g")))

    assert [("quick", "strategy flexibleRollout")] == outcome.elements
    assert {"split": {"rust": 10, "python": 90}} == outcome.flags["quick"]["otherwise"]
