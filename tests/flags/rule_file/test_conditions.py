"""The `when` of rules."""

from __future__ import annotations

import pytest

from fast_litellm.flags import FlagManager


def _rule(when: str) -> str:
    return f"{{rules: [{{name: r, when: {when}, serve: rust}}]}}"


TESTS = "equals, in, contains, starts_with, ends_with, matches, gt, gte, lt, lte, semver, before, after, exists, cidr"
FORMS = "attr, segment, all, any, not"


@pytest.mark.parametrize(
    ("when", "problem"),
    [
        ("{}", f"expected exactly one of {FORMS}, got none of them"),
        ("{all: [{attr: a, exists: true}], any: []}", f"expected exactly one of {FORMS}, got all and any"),
        ("{attr: team}", f"expected a test ({TESTS}), got none"),
        ("[]", f"expected a mapping of {FORMS}, {TESTS}, got a list"),
    ],
)
def test_a_condition_has_one_form(flag_problems, when, problem):
    """It says which there are."""
    assert [f"flags.a.rules[0].when: {problem}"] == flag_problems(_rule(when))


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        ("equals: ", "equals: expected a text, a number, true or false, got nothing"),
        ("equals: [a]", "equals: expected a text, a number, true or false, got a list"),
        ("equals: .nan", "equals: expected a text, a number, true or false, got .nan"),
        ("equals: 9223372036854775808", "equals: expected a whole number within 64 bits, got 9223372036854775808"),
        ("in: a", 'in: expected a list, got the text "a"'),
        ("in: []", "in: expected at least one item, got an empty list"),
        ("in: [a, ~]", "in[1]: expected a text, a number, true or false, got nothing"),
        ("starts_with: 5", "starts_with: expected a text that is not empty, got 5"),
        ("ends_with: ''", 'ends_with: expected a text that is not empty, got the text ""'),
        ("matches: '('", "matches: expected a regular expression, got an invalid one: unclosed group"),
        ("gt: '5'", 'gt: expected a number, got the text "5"'),
        ("lte: true", "lte: expected a number, got true"),
        ("exists: 1", "exists: expected true or false, got 1"),
        ("semver: '>=2.x.y.z'", "semver: expected a version range such as"),
        ("before: soon", 'before: expected a time such as 2027-01-05T09:00:00Z, got the text "soon"'),
        ("not_after: 5", "not_after: expected a time such as 2027-01-05T09:00:00Z, got 5"),
        (
            "cidr: 10.0.0.0/33",
            'cidr: expected a network such as 10.0.0.0/8 or 2001:db8::/32, got the text "10.0.0.0/33"',
        ),
        ("not_cidr: [10.0.0.1, 5]", "not_cidr[1]: expected a network such as 10.0.0.0/8 or 2001:db8::/32, got 5"),
        ("not_in: []", "not_in: expected at least one item, got an empty list"),
    ],
)
def test_tests_are_checked(flag_problems, test, problem):
    """Each test says what it takes."""
    wanted = f"flags.a.rules[0].when.{problem}"

    assert [wanted] == [told[: len(wanted)] for told in flag_problems(_rule(f"{{attr: x, {test}}}"))]


def test_a_misspelt_test_is_recognised(flag_problems):
    """It is one problem, not two."""
    (problem,) = flag_problems(_rule("{attr: x, equal: 5}"))

    assert problem.endswith('got the key "equal"')


def test_a_pattern_that_needs_too_much_memory_is_refused(flag_problems):
    """Linear time is promised, so patterns that explode are refused when they are read."""
    (problem,) = flag_problems(_rule("{attr: x, matches: '(a{1000}){1000}'}"))

    assert "expected a regular expression, got an invalid one" in problem


@pytest.mark.parametrize("name", ["''", "5", "[a]", "a..b", ".a", "a."])
def test_an_attribute_is_named(flag_problems, name):
    """Names that could never be found are refused."""
    assert 1 == len(flag_problems(_rule(f"{{attr: {name}, exists: true}}")))


def test_only_one_form_stands_in_a_condition(flag_problems):
    """A test beside `not` is not silently ignored."""
    assert ['flags.a.rules[0].when.exists: expected "not" alone, got "exists" beside it'] == flag_problems(
        _rule("{not: {attr: a, exists: true}, exists: true}")
    )


def test_several_tests_of_one_attribute_must_all_pass(with_flag):
    """A range is one condition."""
    rule = {"name": "teens", "when": {"attr": "age", "gte": 13, "lt": 20}, "serve": "rust"}
    manager: FlagManager = with_flag({"rules": [rule]})

    assert ["python", "rust", "python"] == [manager.serve("parser", None, {"age": age}) for age in (12, 13, 20)]


def test_a_slow_pattern_is_linear(with_flag):
    """A pattern that takes a backtracking engine for ever is answered on a long text."""
    rule = {"name": "r", "when": {"attr": "x", "matches": "^(a+)+$"}, "serve": "rust"}

    assert "python" == with_flag({"rules": [rule]}).serve("parser", None, {"x": "a" * 100_000 + "b"})


@pytest.mark.parametrize(
    "test",
    [
        "equals: a", "in: [a]", "contains: a", "starts_with: a", "ends_with: a", "matches: a", "gt: 1", "gte: 1",
        "lt: 1", "lte: 1", 'semver: "1"', "before: 2027-01-01", "after: 2027-01-01", "exists: true", "cidr: 10.0.0.0/8",
    ],
)  # fmt: skip
def test_every_test_has_an_opposite(flag_problems, test):
    """It is the same test with not_ before its name."""
    assert [] == flag_problems(_rule(f"{{attr: x, {test}}}")) + flag_problems(_rule(f"{{attr: x, not_{test}}}"))


def test_an_opposite_holds_for_a_missing_attribute(with_flag):
    """not_equals is exactly not equals."""
    rule = {"name": "r", "when": {"attr": "team", "not_equals": "a"}, "serve": "rust"}
    manager: FlagManager = with_flag({"rules": [rule]})

    assert ["python", "rust", "rust"] == [
        manager.serve("parser", None, attributes) for attributes in ({"team": "a"}, {"team": "b"}, {})
    ]


@pytest.mark.parametrize("network", ["10.0.0.0/8", "::ffff:10.0.0.0/104"])
@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3"])
def test_addresses_of_ipv4_may_be_written_as_ipv6(with_flag, network, address):
    """On either side; an address of IPv6 is in no network of IPv4, nor the other way round."""
    rule = {"name": "r", "when": {"attr": "ip", "cidr": network}, "serve": "rust"}
    manager: FlagManager = with_flag({"rules": [rule]})

    assert ["rust", "python", "python"] == [
        manager.serve("parser", None, {"ip": it}) for it in (address, "11.1.2.3", "::a01:203")
    ]
