"""flagd's flag definitions as our rules."""

from __future__ import annotations

import pytest

VARIANTS = {"on": True, "off": False}
IN_TEAM = {"==": [{"var": "team"}, "a"]}
TEAM = {"attr": "team", "equals": "a"}


def document(targeting, **changes):
    """A file with one flag."""
    flag = {"state": "ENABLED", "variants": VARIANTS, "defaultVariant": "off", "targeting": targeting, **changes}
    return {"flags": {"quick": flag}, "$evaluators": {"in_team": IN_TEAM}}


@pytest.fixture
def quick(imported):
    """Imports one flag that is carried over exactly."""

    def run(targeting, *words, **changes):
        outcome = imported("flagd", document(targeting, **changes), *words)
        assert [] == outcome.left_out
        return outcome.flags["quick"]

    return run


@pytest.mark.parametrize("targeting", [{}, None, "off", {"if": [IN_TEAM, "off"]}])
def test_the_default_variant_answers_what_targeting_leaves_open(quick, targeting):
    """Without a result, and for `null`, flagd serves the default variant."""
    assert "python" == quick(targeting)["otherwise"]


def test_a_disabled_flag_is_killed(quick):
    """DISABLED is `enabled: false`."""
    assert quick({}, state="DISABLED")["enabled"] is False


def test_if_becomes_rules_in_its_order(quick):
    """Each condition with its result, and the last result for everyone else; `$ref` is filled in."""
    flag = quick({"if": [{"$ref": "in_team"}, "on", {"!": [IN_TEAM]}, "blue", "off"]}, variants={**VARIANTS, "blue": 1})

    assert [(TEAM, "rust"), ({"not": TEAM}, "blue")] == [(rule["when"], rule["serve"]) for rule in flag["rules"]]
    assert "python" == flag["otherwise"]


def test_an_if_within_a_result_asks_for_both(quick):
    """Inner conditions come after the outer one, and the outer one's rest does not fall through."""
    plan = {"==": [{"var": "plan"}, "pro"]}
    flag = quick({"if": [IN_TEAM, {"if": [plan, "on", "off"]}, "on"]})

    both = {"all": [TEAM, {"attr": "plan", "equals": "pro"}]}
    assert [(both, "rust"), (TEAM, "python")] == [(rule["when"], rule["serve"]) for rule in flag["rules"]]
    assert "rust" == flag["otherwise"]


@pytest.mark.parametrize(
    ("words", "targeting", "salt", "unit"),
    [
        ((), [["on", 1], ["off", 3]], "quick", "targetingKey"),
        ((), [{"var": "user.name"}, ["on", 1], ["off", 3]], "cat:", "user.name"),
        ((), [{"cat": [{"var": "$flagd.flagKey"}, {"var": "email"}]}, ["on", 25], ["off", 75]], "cat:quick", "email"),
        ((), [{"cat": ["seed", {"var": "email"}]}, ["on", 25], ["off", 75]], "cat:seed", "email"),
        (["--flagd-text"], [["on", 1], ["off", 3]], "text:quick", "targetingKey"),
        (["--flagd-text"], [{"var": "email"}, ["on", 1], ["off", 3]], "text:", "email"),
    ],
)
def test_fractional_keeps_what_it_hashes(quick, words, targeting, salt, unit):
    """The salt says how flagd joins the key with the unit, and the unit is the attribute it names."""
    flag = quick({"fractional": targeting}, *words)

    assert (salt, unit) == (flag["salt"], flag["unit"])
    assert [("rust", 25), ("python", 75)] == list(flag["otherwise"]["split"].items())


def test_fractional_keeps_the_order_of_the_file(quick):
    """flagd lays variants out as they are written, the control in its place."""
    flag = quick({"fractional": [["off", 1], ["on", 1], ["on"], ["blue"]]}, variants={**VARIANTS, "blue": 1})

    assert [("python", 25), ("rust", 50), ("blue", 25)] == list(flag["otherwise"]["split"].items())


@pytest.mark.parametrize(
    ("logic", "condition"),
    [
        ({"!=": [{"var": "team"}, "a"]}, {"attr": "team", "not_equals": "a"}),
        ({"===": ["a", {"var": ["team"]}]}, TEAM),
        ({"==": [{"var": "team"}, None]}, {"attr": "team", "exists": False}),
        ({"!=": [{"var": "team"}, None]}, {"attr": "team", "exists": True}),
        ({"<": [{"var": "age"}, 18]}, {"attr": "age", "lt": 18}),
        ({"<": [18, {"var": "age"}]}, {"attr": "age", "gt": 18}),
        ({"in": [{"var": "team"}, ["a", "b"]]}, {"attr": "team", "in": ["a", "b"]}),
        ({"in": ["@x", {"var": "email"}]}, {"attr": "email", "contains": "@x"}),
        ({"starts_with": [{"var": "id"}, "ab"]}, {"attr": "id", "starts_with": "ab"}),
        ({"ends_with": [{"var": "id"}, "yz"]}, {"attr": "id", "ends_with": "yz"}),
        ({"and": [IN_TEAM, {"!!": [IN_TEAM]}]}, {"all": [TEAM, TEAM]}),
        ({"or": [IN_TEAM, {"!": IN_TEAM}]}, {"any": [TEAM, {"not": TEAM}]}),
    ],
)
def test_conditions_have_exact_counterparts(quick, logic, condition):
    """Comparisons of one attribute with one value, and their combinations."""
    assert condition == quick({"if": [logic, "on", "off"]})["rules"][0]["when"]


@pytest.mark.parametrize(
    ("comparison", "condition"),
    [
        ([">=", "2.4.0"], {"attr": "version", "semver": ">=2.4.0"}),
        (["!=", "2.4.0"], {"not": {"attr": "version", "semver": "=2.4.0"}}),
        (["^", "2.4.0"], {"attr": "version", "semver": ">=2.0.0-0, <3.0.0-0"}),
        (["~", "v2.4.0"], {"attr": "version", "semver": ">=2.4.0-0, <2.5.0-0"}),
    ],
)
def test_versions_are_compared_by_precedence(quick, comparison, condition):
    """The tests ^ and ~ of flagd are wider than Cargo's: they hold lower versions and pre-releases too."""
    flag = quick({"if": [{"sem_ver": [{"var": "version"}, *comparison]}, "on", "off"]})

    assert condition == flag["rules"][0]["when"]


@pytest.mark.parametrize(
    "targeting",
    [
        {"fractional": [["on", 1], ["off", 2]]},
        {"fractional": [["on", 1], ["off", 1], ["on", 2]]},
        {"fractional": [["on", {"if": [IN_TEAM, 1, 2]}], ["off", 1]]},
        {"fractional": [{"cat": [{"var": "a"}, {"var": "b"}]}, ["on", 1], ["off", 1]]},
        {"var": "variant"},
        {"if": [{"var": "truthy"}, "on"]},
        {"if": [{"<": [1, {"var": "age"}, 9]}, "on"]},
        {"if": [{"==": [{"var": ["team", "x"]}, "a"]}, "on"]},
        {"if": [{">": [{"var": "$flagd.timestamp"}, 5]}, "on"]},
        {"if": [{"in": [{"var": "team"}, "text"]}, "on"]},
        {"if": [{"$ref": "nobody"}, "on"]},
        {"if": [{"sem_ver": [{"var": "v"}, ">", "1"]}, "on"]},
    ],
)
def test_what_has_no_counterpart_is_listed_and_python_answers(imported, targeting):
    """Nothing is guessed, not even the default variant."""
    outcome = imported("flagd", document(targeting, defaultVariant="on"))

    assert ["quick"] == [flag for flag, _ in outcome.elements]
    assert {"salt": "quick", "otherwise": "python"} == outcome.flags["quick"]


def test_rules_before_one_without_a_counterpart_are_kept(imported):
    """What comes first still decides first; what comes after could have been meant for others."""
    outcome = imported("flagd", document({"if": [IN_TEAM, "on", {"var": "truthy"}, "off", "on"]}))

    assert [TEAM] == [rule["when"] for rule in outcome.flags["quick"]["rules"]]
    assert "python" == outcome.flags["quick"]["otherwise"]
