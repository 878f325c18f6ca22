"""Rules from memory are checked as files are."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from fast_litellm.errors import RuleError
from fast_litellm.flags import FlagManager


def _problems(rules: Any) -> list[str]:
    with pytest.raises(RuleError) as raised:
        FlagManager.from_dict(rules)
    return [str(problem).splitlines()[0] for problem in raised.value.problems]


def _nested() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


def test_problems_name_the_path_instead_of_a_line():
    """Objects have no lines, so the place is the path."""
    assert ['<dict>: flags.f.stage: expected one of off, shadow, canary, on, got the text "onn"'] == _problems(
        {"version": 1, "flags": {"f": {"stage": "onn"}}}
    )


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({1, 2}, "<dict>: flags.f.owner: expected a plain value, got an object of the type set"),
        (b"x", "<dict>: flags.f.owner: expected a plain value, got an object of the type bytes"),
        ({1: 2}, "<dict>: flags.f.owner: expected a name as key, got an object of the type int"),
        (_nested(), "<dict>: flags.f.owner" + "[0]" * 30 + ": expected at most 32 levels and 500000 values, got more"),
    ],
    ids=["set", "bytes", "key", "circle"],
)
def test_what_no_rule_file_could_hold_is_refused(value, problem):
    """Sets, bytes, keys that are no text and lists that contain themselves."""
    assert problem == _problems({"version": 1, "flags": {"f": {"owner": value}}})[0]


def test_lists_that_multiply_are_refused_early():
    """Thirty lists that each contain the one before twice would be a billion values."""
    value: list[Any] = ["x"]
    for _ in range(28):
        value = [value, value]

    assert 2 >= sum("got more" in problem for problem in _problems({"version": 1, "flags": {"f": {"rules": value}}}))


def test_a_date_may_come_as_a_date():
    """Whoever builds rules in Python need not write dates as text."""
    manager = FlagManager.from_dict({"version": 1, "flags": {"f": {"expires": dt.date(2027, 3, 31)}}})

    assert "2027-03-31" == manager.describe("f")["expires"]


def test_a_true_from_another_yaml_reader_is_not_a_stage():
    """YAML 1.1 readers turn `on` into True; that is said, not guessed."""
    assert ["<dict>: flags.f.stage: expected one of off, shadow, canary, on, got true"] == _problems(
        {"version": 1, "flags": {"f": {"stage": True}}}
    )


def test_text_that_is_not_unicode_is_refused():
    """A lone surrogate cannot leave the process."""
    assert 1 == len(_problems({"version": 1, "flags": {"f": {"salt": "\ud800"}}}))
