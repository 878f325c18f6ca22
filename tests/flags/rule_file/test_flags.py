"""One flag of a rule file."""

from __future__ import annotations

import pytest

from fast_litellm.flags import FlagManager

STEP = "shadow, a percentage such as 5%, on, or a mapping of to, bake"
NAME = "a name of lower-case letters, digits and _, not beginning with a digit"
ANY = "python, rust or another implementation's name"
KEYS = (
    "enabled, stage, owner, expires, candidate, salt, unit, hash, layer, requires, rules, otherwise, shadow, guard,"
    " gate, plan"
)
FORMS = "serve, split, ramp"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", f": expected a mapping of {KEYS}, got nothing"),
        ("[]", f": expected a mapping of {KEYS}, got a list"),
        ("{enabled: no}", '.enabled: expected true or false, got the text "no"'),
        ("{stage: blocked}", '.stage: expected one of off, shadow, canary, on, got the text "blocked"'),
        ("{owner: 5}", ".owner: expected a text that is not empty, got 5"),
        ("{expires: 2027-02-30}", '.expires: expected a date such as 2027-03-31, got the text "2027-02-30"'),
        ("{expires: 2027-W01-1}", '.expires: expected a date such as 2027-03-31, got the text "2027-W01-1"'),
        ("{candidate: Rust}", f'.candidate: expected {ANY}, got the text "Rust"'),
        (
            "{candidate: python}",
            ".candidate: expected a candidate, got python, which is what candidates are compared with",
        ),
        ("{salt: ''}", '.salt: expected a text that is not empty, got the text ""'),
        ("{unit: [user]}", ".unit: expected a text that is not empty, got a list"),
        ("{rules: {}}", ".rules: expected a list, got a mapping"),
        ("{rules: []}", ".rules: expected at least one item, got an empty list"),
        ("{rules: [r]}", '.rules[0]: expected a mapping of name, when, serve, split, ramp, got the text "r"'),
        ("{otherwise: Rust}", f'.otherwise: expected {ANY}, got the text "Rust"'),
        ("{otherwise: {}}", f".otherwise: expected exactly one of {FORMS}, got none of them"),
        (
            "{otherwise: {serve: rust, split: {rust: 100}}}",
            f".otherwise: expected exactly one of {FORMS}, got serve and split",
        ),
        ("{otherwise: {split: {}}}", ".otherwise.split: expected percentages that add up to 100, got 0"),
        (
            "{otherwise: {split: {rust: 10, python: 80.5}}}",
            ".otherwise.split: expected percentages that add up to 100, got 90.5",
        ),
        ("{otherwise: {split: {Rust: 100}}}", f'.otherwise.split: expected {NAME}, got the text "Rust"'),
        ("{shadow: true}", ".shadow: expected a mapping of percent, budget, mode, deadline, memory, got true"),
        ("{shadow: {mode: fast}}", '.shadow.mode: expected one of off_path, inline, isolated, got the text "fast"'),
        ("{shadow: {deadline: 5}}", ".shadow.deadline: expected a duration such as 500ms, 60s, 5m, 1h or 2d, got 5"),
        (
            "{shadow: {memory: 16MB}}",
            '.shadow.memory: expected an amount of memory such as 512KiB, 16MiB or 1GiB, got the text "16MB"',
        ),
        (
            "{gate: {cells: {rate: 0%}}}",
            '.gate.cells.rate: expected a percentage above 0 and below 100, got the text "0%"',
        ),
        (
            "{gate: {latency: {median_ratio: 1.5}}}",
            ".gate.latency.median_ratio: expected a ratio above 0 and at most 1, such as 0.9, got 1.5",
        ),
        ("{gate: {hosts: 0}}", ".gate.hosts: expected a whole number from 1 to 4294967295, got 0"),
        ("{plan: {advance: self}}", '.plan.advance: expected one of manual, auto, got the text "self"'),
        ("{plan: {steps: []}}", ".plan.steps: expected at least one item, got an empty list"),
        (
            "{plan: {steps: [5%, on]}}",
            '.plan.steps[0]: expected shadow as the first step, got the text "5%"',
        ),
        (
            "{plan: {steps: [shadow, 5%, {to: 5%}]}}",
            ".plan.steps[2]: expected a larger share than that of the step before, got a mapping",
        ),
        (
            "{plan: {steps: [shadow, 5]}}",
            f".plan.steps[1]: expected {STEP}, got 5",
        ),
        ("{plan: {}, otherwise: python}", ".plan: expected a plan or otherwise, got both"),
        ("{plan: {}, stage: shadow}", ".plan: expected a plan or stage, got both"),
        ("{shadow: {budget: 0%}}", '.shadow.budget: expected a share of one core above 0%, got the text "0%"'),
        (
            "{stage: on, otherwise: python}",
            ".otherwise: expected an implementation that stage: on can serve, got only python",
        ),
        (
            "{stage: shadow, shadow: {percent: 0}}",
            ".shadow: expected something for stage: shadow to compare, got 0 percent",
        ),
    ],
)
def test_each_key_is_checked(flag_problems, body, problem):
    """What is wrong is one problem that names the key and what it takes."""
    assert [f"flags.a{problem}"] == flag_problems(body)


@pytest.mark.parametrize("missing", ["name", "when"])
def test_a_rule_has_a_name_and_a_condition(flag_problems, missing):
    """Both are required."""
    rule = {"name": "name: r", "when": "when: {attr: x, exists: true}"}
    del rule[missing]

    assert [f'flags.a.rules[0]: expected the key "{missing}", got none'] == flag_problems(
        f"{{rules: [{{{', '.join(rule.values())}, serve: rust}}]}}"
    )


def test_two_rules_of_one_flag_have_two_names(flag_problems):
    """Decisions name the rule, so the name must be clear."""
    rule = "{name: r, when: {attr: x, exists: true}, serve: rust}"

    assert [
        'flags.a.rules[1]: expected each rule\'s name once, got "r" again (first: flags.a.rules[0])'
    ] == flag_problems(f"{{rules: [{rule}, {rule}]}}")


@pytest.mark.parametrize(
    ("flag", "stage"),
    [
        ({}, "off"),
        ({"otherwise": "python"}, "off"),
        ({"shadow": {}}, "shadow"),
        ({"shadow": {"percent": 0}}, "off"),
        ({"otherwise": {"split": {"rust": 0.0001, "python": 99.9999}}}, "canary"),
        ({"otherwise": "rust"}, "on"),
        ({"otherwise": {"split": {"rust": 40, "other": 60}}}, "on"),
        ({"otherwise": "rust", "enabled": False}, "off"),
        ({"stage": "canary", "otherwise": "rust"}, "canary"),
        (
            {"rules": [{"name": "r", "when": {"attr": "x", "exists": True}, "serve": "python"}], "otherwise": "rust"},
            "canary",
        ),
    ],
)
def test_the_stage_follows_from_what_is_served(with_flag, flag, stage):
    """Without a pin the stage says how far the outcomes reach."""
    assert stage == with_flag(flag).stage("parser")


def test_any_implementation_may_be_named(with_flag):
    """Further candidates have names of their own."""
    assert "litellm_rust" == with_flag({"otherwise": "litellm_rust"}).serve("parser")


def test_renaming_a_flag_with_its_salt_keeps_every_side():
    """The salt, not the name, decides who is where."""
    split = {"otherwise": {"split": {"rust": 50, "python": 50}}}
    manager = FlagManager.from_dict({"version": 1, "flags": {"old": split, "renamed": {"salt": "old", **split}}})

    assert [manager.serve("old", f"u{number}") for number in range(100)] == [
        manager.serve("renamed", f"u{number}") for number in range(100)
    ]
