"""GrowthBook's features as our rules."""

from __future__ import annotations

import pytest

ADULT = {"age": {"$gte": 18}}
OUR_ADULT = {"attr": "age", "gte": 18}


def document(*rules, default=False, **payload):
    """A payload with one feature."""
    return {"features": {"quick": {"defaultValue": default, "rules": list(rules)}}, **payload}


@pytest.fixture
def quick(imported):
    """Imports one feature that is carried over exactly."""

    def run(*rules, **changes):
        outcome = imported("growthbook", document(*rules, **changes))
        assert [] == outcome.left_out
        return outcome.flags["quick"]

    return run


@pytest.mark.parametrize(
    ("value", "serve"),
    [
        (True, "rust"),
        ("on", "rust"),
        ("Treatment", "rust"),
        (False, "python"),
        ("off", "python"),
        ("control", "python"),
        ("", "python"),
        (None, "python"),
        ("blue", "blue"),
    ],
)
def test_values_name_implementations(quick, value, serve):
    """The default value answers when no rule does."""
    assert {"salt": "quick", "otherwise": serve} == quick(default=value)


def test_a_forced_value_is_a_rule(quick):
    """A condition with `force` serves one implementation."""
    flag = quick({"condition": ADULT, "force": True, "id": "fr_1"})

    assert [(OUR_ADULT, "rust")] == [(rule["when"], rule["serve"]) for rule in flag["rules"]]
    assert "python" == flag["otherwise"]


def test_coverage_is_a_percentage_of_the_hashed_attribute(quick):
    """Seed and attribute go with it; the rest gets the default value."""
    flag = quick({"force": True, "coverage": 0.2019, "seed": "s", "hashAttribute": "user", "hashVersion": 2})

    assert ("s", "user") == (flag["salt"], flag["unit"])
    assert {"split": {"rust": 20.19, "python": 79.81}} == flag["otherwise"]


@pytest.mark.parametrize(
    ("coverage", "percent"), [(0.00005, 0.01), (0.1, 10), (0.33333, 33.34), (0.57, 57), (0.999999, None)]
)
def test_coverage_counts_the_buckets_below_it(quick, coverage, percent):
    """GrowthBook compares k / 10000 with the coverage; finer ones take in the bucket they begin."""
    otherwise = quick({"force": True, "coverage": coverage, "hashVersion": 2})["otherwise"]

    assert otherwise == "rust" if percent is None else otherwise["split"]["rust"] == percent


@pytest.mark.parametrize(("coverage", "serve"), [(0, "python"), (1, "rust"), (1.5, "rust"), (-1, "python")])
def test_all_and_nothing_need_no_hash(quick, coverage, serve):
    """Also in hash version 1, which we do not have."""
    assert serve == quick({"force": True, "coverage": coverage})["otherwise"]


def test_variations_keep_their_order_and_ranges(quick):
    """The key is what is hashed; weights are laid out as they are written."""
    weights = [0.2, 0.3, 0.5]
    flag = quick({"variations": ["control", "treatment", "blue"], "weights": weights, "key": "exp", "hashVersion": 2})

    assert ("exp", "id") == (flag["salt"], flag["unit"])
    assert [("python", 20), ("rust", 30), ("blue", 50)] == list(flag["otherwise"]["split"].items())


@pytest.mark.parametrize("weights", [None, [0.2], [0.2, 0.2, 0.2]])
def test_unusable_weights_mean_equal_ones(quick, weights):
    """As in GrowthBook: a third each, up to the bucket that a third ends in."""
    flag = quick({"variations": ["off", "on", "blue"], "weights": weights, "hashVersion": 2})

    assert {"python": 33.34, "rust": 33.33, "blue": 33.33} == flag["otherwise"]["split"]


def test_a_gap_that_serves_its_neighbour_is_carried_over(quick):
    """Half of the first variation's range, and all after it goes to Python."""
    flag = quick({"variations": [True, False], "coverage": 0.5, "hashVersion": 2})

    assert {"rust": 25, "python": 75} == flag["otherwise"]["split"]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"team": "a"}, {"attr": "team", "equals": "a"}),
        ({"team": None}, {"attr": "team", "exists": False}),
        ({"team": {"$ne": "a"}}, {"attr": "team", "not_equals": "a"}),
        ({"team": {"$in": ["a"]}}, {"attr": "team", "in": ["a"]}),
        ({"team": {"$nin": ["a"]}}, {"attr": "team", "not_in": ["a"]}),
        ({"team": {"$exists": True}}, {"attr": "team", "exists": True}),
        ({"team": {"$regex": "^a"}}, {"attr": "team", "matches": "^a"}),
        ({"team": {"$notRegexi": "^a"}}, {"attr": "team", "not_matches": "(?i)^a"}),
        ({"team": {"$not": {"$eq": "a"}}}, {"not": {"attr": "team", "equals": "a"}}),
        ({"team": {"$inGroup": "g"}}, {"attr": "team", "in": ["x"]}),
        ({"age": {"$gt": 1, "$lte": 2}}, {"all": [{"attr": "age", "gt": 1}, {"attr": "age", "lte": 2}]}),
        ({"$and": [ADULT]}, OUR_ADULT),
        ({"$or": [ADULT, {"a": 1}]}, {"any": [OUR_ADULT, {"attr": "a", "equals": 1}]}),
        ({"$nor": [ADULT]}, {"not": OUR_ADULT}),
        ({"$not": ADULT}, {"not": OUR_ADULT}),
    ],
)
def test_conditions_have_exact_counterparts(quick, theirs, ours):
    """Operators on one attribute, and their combinations."""
    rules = quick({"condition": theirs, "force": True}, savedGroups={"g": ["x"]})["rules"]

    assert [ours] == [rule["when"] for rule in rules]


@pytest.mark.parametrize(
    "rule",
    [
        {"force": True, "coverage": 0.5},
        {"force": True, "coverage": 0.5, "hashVersion": 1},
        {"force": 7},
        {"force": True, "namespace": ["n", 0, 0.5]},
        {"force": True, "parentConditions": []},
        {"condition": {"tags": {"$elemMatch": {"$eq": "a"}}}, "force": True},
        {"condition": {"age": {"$gt": "18"}}, "force": True},
        {"condition": {"team": {"$regex": "(?=a)"}}, "force": True},
        {"condition": {"team": {"$regex": "("}}, "force": True},
        {"condition": {"team": {"$in": []}}, "force": True},
        {"condition": {"team": {"$inGroup": "nobody"}}, "force": True},
        {"condition": {"team": ["a"]}, "force": True},
        {"condition": {"$or": []}, "force": True},
        {"condition": {"$savedGroup": {}}, "force": True},
        {"variations": ["off", "on"], "coverage": 0.5, "hashVersion": 2},
        {"variations": ["off", "on", "off"], "hashVersion": 2},
        {"key": "nothing"},
    ],
)
def test_what_has_no_counterpart_is_listed_and_python_answers(imported, rule):
    """Nothing is guessed, not even the default value."""
    outcome = imported("growthbook", document(rule, default="blue"))

    assert ["quick"] == [flag for flag, _ in outcome.elements]
    assert {"salt": "quick", "otherwise": "python"} == outcome.flags["quick"]


def test_rules_after_a_percentage_are_listed(imported):
    """There, units outside the percentage go on to the next rule; here Python answers them."""
    percentage = {"condition": ADULT, "force": True, "coverage": 0.1, "hashVersion": 2}
    outcome = imported("growthbook", document(percentage, {"force": True}, default=True))

    assert [("quick", "rules after a percentage")] == outcome.elements
    assert {"rust": 10, "python": 90} == outcome.flags["quick"]["rules"][0]["split"]
    assert "python" == outcome.flags["quick"]["otherwise"]


def test_one_flag_hashes_one_thing(imported):
    """A second percentage with another seed is listed."""
    first = {"condition": ADULT, "variations": [True, False], "seed": "a", "hashVersion": 2}
    outcome = imported("growthbook", document(first, {**first, "seed": "b"}))

    assert [("quick", "percentage")] == outcome.elements
    assert 1 == len(outcome.flags["quick"]["rules"])
