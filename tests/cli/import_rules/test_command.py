"""The words of `fast-litellm import`."""

from __future__ import annotations

import json

import pytest
import yaml

CARRIED = {"flags": {"quick": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"}}}
LISTED = {"flags": {"Quick-Path": CARRIED["flags"]["quick"]}}


@pytest.fixture
def theirs(tmp_path):
    """Writes another engine's file."""

    def write(text):
        file = tmp_path / "flags.txt"
        file.write_text(text if isinstance(text, str) else json.dumps(text, indent="\t"))
        return str(file)

    return write


def test_the_rules_are_data_and_everything_else_is_talk(cli, theirs):
    """Standard output is the rule file; standard error lists what differs."""
    outcome = cli("import", "--from", "flagd", theirs(LISTED))

    assert 0 == outcome.code
    assert {"quick_path": {"salt": "Quick-Path", "otherwise": "rust"}} == yaml.safe_load(outcome.out)["flags"]
    assert outcome.err.startswith('Quick-Path: name "Quick-Path": ')
    assert outcome.err.endswith("1 thing not carried over as before\n")


def test_nothing_is_said_when_everything_was_carried_over(cli, theirs):
    """An exact import is silent."""
    assert "" == cli("import", "--from", "flagd", theirs(CARRIED)).err


@pytest.mark.parametrize(("document", "code"), [(CARRIED, 0), (LISTED, 1)])
def test_strict_fails_when_anything_is_listed(cli, theirs, document, code):
    """`--strict` is for pipelines."""
    assert code == cli("import", "--from", "flagd", "--strict", theirs(document)).code


def test_the_rules_can_go_to_a_file(cli, theirs, tmp_path):
    """`--output` leaves standard output empty, and the file is valid."""
    rules = tmp_path / "rollout.yaml"
    outcome = cli("import", "--from", "flagd", "--output", str(rules), theirs(CARRIED))

    assert (0, "") == (outcome.code, outcome.out)
    assert 0 == cli("validate", str(rules)).code


def test_the_rules_say_where_they_come_from_and_how_units_are_hashed(cli, theirs):
    """The head of the file names the engine, and no path."""
    text = cli("import", "--from", "flagd", theirs(CARRIED)).out

    assert text.startswith("# Imported from flagd, ")
    assert "flags.txt" not in text
    assert {"hash": "flagd2", "python_on_missing_unit": True} == yaml.safe_load(text)["defaults"]


def test_yaml_is_read_as_well_as_json(cli, theirs):
    """flagd's definitions may be either."""
    text = "flags:\n  quick:\n    state: ENABLED\n    variants: {'on': true}\n    defaultVariant: 'on'\n"

    assert "rust" == yaml.safe_load(cli("import", "--from", "flagd", theirs(text)).out)["flags"]["quick"]["otherwise"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "is neither JSON nor YAML"),
        ("a: [", "is neither JSON nor YAML"),
        ("just words", "expected a mapping, got str"),
        ('{"flags": {"quick": {"variants": 1}}}', 'flag "quick" does not have flagd\'s form'),
        ("{}", "the file does not have flagd's form"),
        ('{"flags": [1]}', "the file does not have flagd's form"),
        ("version: 1\nflags: {token_counting: {stage: shadow}}", "the file does not have flagd's form"),  # one of ours
    ],
)
def test_a_file_of_another_kind_is_an_error(cli, theirs, text, expected):
    """Exit status 1, and a sentence instead of a traceback."""
    outcome = cli("import", "--from", "flagd", theirs(text))

    assert (1, "") == (outcome.code, outcome.out)
    assert expected in outcome.err


def test_two_flags_that_would_share_a_name_are_not_mixed(cli, theirs):
    """The first keeps the name, the second is listed."""
    quick = CARRIED["flags"]["quick"]
    document = {"flags": {"a_b": quick, "a-b": {**quick, "defaultVariant": "off"}}}
    answer = json.loads(cli("import", "--from", "flagd", "--json", theirs(document)).out)

    assert {"a_b": {"salt": "a_b", "otherwise": "rust"}} == yaml.safe_load(answer["rules"])["flags"]
    assert "the flag is not in the rules" == answer["left_out"][-1]["meaning"]


def test_rules_that_would_not_load_are_not_written(cli, theirs, tmp_path):
    """A feature that depends on one the file does not have."""
    rules = tmp_path / "rollout.yaml"
    feature = {"name": "quick", "enabled": True, "strategies": [], "dependencies": [{"feature": "parent"}]}
    outcome = cli("import", "--from", "unleash", "--output", str(rules), theirs({"features": [feature]}))

    assert (1, "", False) == (outcome.code, outcome.out, rules.exists())
    assert "parent" in outcome.err
