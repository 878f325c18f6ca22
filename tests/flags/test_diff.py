"""What a change of rules changes."""

from __future__ import annotations

import pytest

from fast_litellm.flags import FlagManager
from fast_litellm.flags.diff import Change, FlagDifference, Side, compare

UNITS = [f"unit-{number}" for number in range(10_000)]


@pytest.fixture
def manager(tmp_path):
    """Loads flags given as the text under `flags:`."""

    def load(flags):
        path = tmp_path / "rules.yaml"
        path.write_text(f"version: 1\nflags:\n{flags}")
        return FlagManager.from_file(path, scope="process")

    return load


def split(percent):
    return f"{{split: {{rust: {percent}, python: {100 - percent}}}}}"


def test_equal_rules_change_nothing(manager):
    """Also when only the lines have moved."""
    old, new = manager(f"  a:\n    otherwise: {split(10)}\n"), manager(f"\n  a:\n\n    otherwise: {split(10)}\n")

    assert [] == compare(old, new, UNITS, {})


def test_a_raised_percentage_moves_units_to_one_side_only(manager):
    """Ten more percent are a tenth of the units, all from Python to the candidate."""
    old, new = manager(f"  a:\n    otherwise: {split(10)}\n"), manager(f"  a:\n    otherwise: {split(20)}\n")
    ((name, stages, (change,)),) = compare(old, new, UNITS, {})

    assert ("a", ("canary", "canary")) == (name, stages)
    assert (Side("python", None, 4, "SPLIT"), Side("rust", None, 4, "SPLIT")) == (change.before, change.after)
    assert 880 < change.units < 1_120  # four standard deviations


def test_the_line_that_decided_is_named(manager):
    """A rule by its own line, the end of the rules by that of otherwise."""
    old = manager("  a:\n    otherwise: rust\n")
    rule = "      - {name: slow, when: {attr: team, equals: slow}, serve: python}\n"
    new = manager(f"  a:\n    rules:\n{rule}    otherwise: rust\n")
    change = Change(len(UNITS), Side("rust", None, 4, "STATIC"), Side("python", "slow", 5, "TARGETING_MATCH"))

    assert [FlagDifference("a", ("on", "canary"), [change])] == compare(old, new, UNITS, {"team": "slow"})


def test_flags_that_come_and_go_are_told(manager):
    """A flag that is not declared serves Python."""
    old, new = manager("  gone:\n    otherwise: rust\n"), manager("  come: {}\n")
    come, gone = compare(old, new, UNITS[:5], {})

    assert FlagDifference("come", ("absent", "off"), []) == come
    assert ("gone", ("on", "absent")) == gone[:2]
    assert [Change(5, Side("rust", None, 4, "STATIC"), Side("python", None, 0, "ERROR FLAG_NOT_FOUND"))] == gone.changes


@pytest.mark.parametrize("where", ["unit: user, otherwise: {}", "otherwise: {{ramp: {{unit: user, steps: [{}]}}}}"])
def test_units_stand_in_the_attribute_that_is_hashed(manager, where):
    """A flag by user is compared over as many users."""
    shapes = (
        [split(10), split(20)]
        if where.startswith("unit")
        else [f"{{at: 2020-01-01, percent: {percent}}}" for percent in (10, 20)]
    )
    old, new = (manager("  a: {" + where.format(shape) + "}\n") for shape in shapes)
    ((_, _, (change,)),) = compare(old, new, UNITS, {})

    assert 880 < change.units < 1_120


def test_a_kill_switch_is_the_flags_own_line(manager):
    """Not that of rules which are no longer asked."""
    old = manager("  a:\n    enabled: true\n    otherwise: rust\n")
    new = manager("  a:\n    enabled: false\n    otherwise: rust\n")
    ((_, _, (change,)),) = compare(old, new, UNITS[:5], {})

    assert (Side("rust", None, 5, "STATIC"), Side("python", None, 3, "DISABLED killed")) == (
        change.before,
        change.after,
    )
