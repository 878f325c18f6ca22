"""A whole rule file: rules, or every problem with its place."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.errors import RuleError
from fast_litellm.flags import FlagManager, rule_file

EXAMPLE = Path(__file__).parents[2] / "config" / "rollout.yaml"


def test_the_shipped_example_is_valid():
    """config/rollout.yaml loads, and its stages follow from what the rules serve."""
    stages = {name: flag["stage"] for name, flag in FlagManager.from_file(EXAMPLE).status()["flags"].items()}

    off = dict.fromkeys(("stream_parsing", "request_transform", "secret_redaction", "batch_token_counting"), "off")
    assert {"token_counting": "canary", **off, "routing": "shadow"} == stages


def test_every_problem_is_told_at_once_in_the_order_of_the_file(problems):
    """Problems of different kinds and levels are all in one error, each with line and column."""
    text = """\
version: 2
flags:
  Parser: {}
  router:
    enabled: yes
    stage: onn
    otherwise: {split: {rust: 60, python: 60}}
    gates: {}
"""

    expected = [
        "r.yaml:1:10: version: expected 1, the only version there is, got 2",
        "r.yaml:3:3: flags: expected a name of lower-case letters, digits and _, not beginning with a digit",
        'r.yaml:5:14: flags.router.enabled: expected true or false, got the text "yes"',
        'r.yaml:6:12: flags.router.stage: expected one of off, shadow, canary, on, got the text "onn"',
        "r.yaml:7:24: flags.router.otherwise.split: expected percentages that add up to 100, got 120",
        "r.yaml:8:5: flags.router: expected one of enabled, stage, owner, expires",
    ]
    told = problems(text)

    assert len(expected) == len(told)
    assert expected == [problem[: len(beginning)] for problem, beginning in zip(told, expected)]


@pytest.mark.parametrize("version", ["2", "1.0", "true", '"1"', "", "[1]"])
def test_the_version_is_the_number_one(problems, version):
    """A version of another value or kind is refused."""
    assert ["r.yaml:1:"] == [problem[:9] for problem in problems(f"version: {version}\nflags: {{}}")]


def test_a_version_in_quotes_is_told_what_is_wrong():
    """It looks like the right one."""
    with pytest.raises(RuleError, match='got the text "1"\\n    hint: write it without quotes'):
        rule_file.from_bytes(b'version: "1"\nflags: {}', "r.yaml")


@pytest.mark.parametrize(
    ("text", "missing"), [("flags: {}", ["version"]), ("version: 1", ["flags"]), ("{}", ["version", "flags"])]
)
def test_version_and_flags_are_required(problems, text, missing):
    """What is not there is named."""
    assert [f'r.yaml:1:1: expected the key "{key}", got none' for key in missing] == problems(text)


@pytest.mark.parametrize("text", ["[]", "rules", "5", "null"])
def test_a_file_is_a_mapping(problems, text):
    """Any other document is refused with one problem."""
    (problem,) = problems(text)

    assert problem.startswith("r.yaml:1:1: expected a mapping of version, defaults, segments, layers, flags, got ")


@pytest.mark.parametrize("body", ["{units: user}", "user", "{unit: }", "{unit: org..id}", "{unit: 5}"])
def test_defaults_hold_one_attribute(problems, body):
    """Anything else in defaults is refused."""
    assert 1 == len(problems(f"version: 1\ndefaults: {body}\nflags: {{}}"))


def test_the_default_unit_is_an_attribute(tmp_path):
    """The attribute named in defaults is hashed when the caller names no unit."""
    text = b"version: 1\ndefaults: {unit: org.id}\nflags: {f: {otherwise: {split: {rust: 50, python: 50}}}}"
    path = tmp_path / "r.yaml"
    path.write_bytes(text)

    assert "org.id" == FlagManager.from_file(path).describe("f")["unit"]["attribute"]


def test_the_revision_is_the_digest_of_the_file():
    """Anybody can compute it from the file."""
    text = b"version: 1\nflags: {}\n"

    assert hashlib.sha256(text).hexdigest()[:12] == rule_file.from_bytes(text, "r.yaml").revision


def test_rules_from_memory_have_a_revision_of_their_content():
    """The same rules have the same revision, other rules another one."""
    same = [rule_file.from_objects({"version": 1, "flags": {"f": {}}}).revision for _ in range(2)]

    assert same[0] == same[1] != rule_file.from_objects({"version": 1, "flags": {"g": {}}}).revision


def _outcome(load):
    """Returns what was loaded and no problems, or nothing and the problems; every other exception fails the test."""
    try:
        return load(), ()
    except RuleError as error:
        return None, error.problems


@given(st.one_of(st.binary(), st.text().map(str.encode)))
def test_any_bytes_are_rules_or_an_error(data):
    """Whatever a file holds, the outcome is rules or a RuleError with problems."""
    rules, problems = _outcome(lambda: rule_file.from_bytes(data, "r.yaml"))

    assert (rules is None) == bool(problems)


@given(data=st.data())
def test_a_damaged_file_is_refused_or_usable(data, tmp_path_factory):
    """The shipped example with pieces cut out and put in either loads and decides, or is refused."""
    text = EXAMPLE.read_text(encoding="utf-8")
    cut, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 40))
    piece = data.draw(
        st.sampled_from(["", ": ", "- ", "{", "]", "&a ", "*a", "!!int ", "\t", "\n", "rust", "101", "~"])
    )
    path = tmp_path_factory.getbasetemp() / "damaged.yaml"
    path.write_text(text[:cut] + piece + text[cut + length :], encoding="utf-8")
    manager, problems = _outcome(lambda: FlagManager.from_file(path))

    assert all(problem.line for problem in problems)
    if manager is not None:
        assert manager.decide("token_counting", unit="u", attributes={"team": "research"}).serve in {"python", "rust"}
