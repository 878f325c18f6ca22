"""What is allowed in a rule file and still deserves a second look."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.errors import RuleError
from fast_litellm.flags import FlagManager, lint

TODAY = date(2027, 3, 1)
CLEAN = "owner: team, expires: 2028-01-01"


@pytest.fixture
def found(tmp_path):
    """Returns line, level and code of each finding about one flag, given as the text between its braces."""

    def look(flag, segments="{}"):
        path = tmp_path / "rules.yaml"
        path.write_text(f"version: 1\nsegments: {segments}\nflags:\n  a: {{{flag}}}\n")
        return [(finding.line, finding.level, finding.code) for finding in lint.check(path, TODAY)]

    return look


def rule(when, name="r"):
    return f"{{name: {name}, when: {when}, serve: rust}}"


@pytest.mark.parametrize(
    ("flag", "finding"),
    [
        ("owner: team, expires: 2027-02-28, stage: off", ("error", "expired")),
        ("owner: team, expires: 2027-03-01, stage: off", ("info", "expires_soon")),
        ("owner: team, expires: 2027-03-15, stage: off", ("info", "expires_soon")),
        ("owner: team, stage: off", ("info", "no_expiry")),
        ("expires: 2028-01-01, stage: off", ("warning", "unowned")),
        (CLEAN, ("warning", "does_nothing")),
        (f"{CLEAN}, enabled: true, guard: {{error_rate: {{max_over_python: 3%}}}}", ("warning", "does_nothing")),
        (f"{CLEAN}, stage: canary", ("warning", "serves_nobody")),
        (f"{CLEAN}, stage: canary, otherwise: python", ("warning", "serves_nobody")),
        (f"{CLEAN}, rules: [{rule('{attr: x, gt: 5, lt: 3}')}]", ("warning", "never_matches")),
        (
            f"{CLEAN}, rules: [{rule('{attr: x, exists: true}')}, {rule('{attr: x, exists: true}', 's')}]",
            ("warning", "never_matches"),
        ),
        (f"{CLEAN}, stage: shadow, rules: [{rule('{attr: x, exists: true}')}]", ("warning", "rules_not_asked")),
        (f"{CLEAN}, enabled: false, rules: [{rule('{attr: x, exists: true}')}]", ("warning", "rules_not_asked")),
        (f"{CLEAN}, otherwise: {{ramp: {{steps: [{{at: 2027-02-28, percent: 5}}]}}}}", ("info", "ramp_finished")),
    ],
)
def test_each_kind_is_found_with_its_line(found, flag, finding):
    """And nothing else is."""
    assert [(4, *finding)] == found(flag)


@pytest.mark.parametrize(
    "flag",
    [
        f"{CLEAN}, stage: off",
        f"{CLEAN}, enabled: false",
        f"{CLEAN}, stage: canary, otherwise: {{split: {{rust: 5, python: 95}}}}",
        f"{CLEAN}, plan: {{steps: [shadow, on]}}",
        "owner: team, expires: 2027-03-16, stage: off",
        f"{CLEAN}, rules: [{rule('{attr: x, gt: 3, lt: 5}')}]",
        f"{CLEAN}, otherwise: {{ramp: {{steps: [{{at: 2027-03-02, percent: 5}}]}}}}",
    ],
)
def test_a_tidy_flag_is_left_alone(found, flag):
    """No false alarms."""
    assert [] == found(flag)


def test_a_segment_that_nobody_names_is_found(found):
    """One that another segment names is in use."""
    segments = "{used: {segment: inner}, inner: {attr: x, exists: true}, unused: {attr: y, exists: true}}"

    assert [(2, "warning", "unused_segment")] == found(f"{CLEAN}, rules: [{rule('{segment: used}')}]", segments)


def test_a_file_that_cannot_be_used_is_an_error(found):
    """As everywhere, with all its problems."""
    with pytest.raises(RuleError):
        found("stage: onn")


SCALARS = st.sampled_from(["a", "b", "ab", 1, 2, 2.5, True])
TESTS = st.one_of(
    st.tuples(st.sampled_from(["equals", "contains", "not_equals"]), SCALARS),
    st.tuples(st.sampled_from(["in", "not_in"]), st.lists(SCALARS, min_size=1, max_size=3)),
    st.tuples(st.sampled_from(["gt", "gte", "lt", "lte", "not_gt"]), st.integers(0, 3)),
    st.tuples(st.sampled_from(["starts_with", "ends_with", "matches"]), st.sampled_from(["a", "b"])),
    st.tuples(st.sampled_from(["exists", "not_exists"]), st.booleans()),
)
CONDITIONS = st.recursive(
    st.builds(lambda attr, tests: {"attr": attr, **dict(tests)}, st.sampled_from("xy"), st.lists(TESTS, min_size=1)),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=6,
)
CALLS = st.dictionaries(st.sampled_from("xy"), st.one_of(SCALARS, st.none(), st.lists(SCALARS), st.integers(0, 3)))


@given(CONDITIONS, st.lists(CALLS, min_size=20, max_size=20))
def test_what_is_said_never_to_match_never_does(condition, calls):
    """Whatever a call carries."""
    rules = [{"name": "r", "when": condition, "serve": "rust"}]
    manager = FlagManager.from_dict({"version": 1, "flags": {"a": {"rules": rules}}})
    said_never = manager.describe("a")["rules"][0].get("never", False)

    assert not (said_never and any(manager.serve("a", None, call) == "rust" for call in calls))
