"""Checking a rule file."""

from __future__ import annotations

import json

import pytest

GOOD = "version: 1\nflags:\n  token_counting:\n    stage: shadow\n"
BAD = "version: 1\nflags:\n  token_counting:\n    stagge: shadow\n    otherwise: {split: {rust: 101}}\n"


@pytest.fixture
def rules(tmp_path):
    """Writes a rule file."""

    def write(text):
        file = tmp_path / "rollout.yaml"
        file.write_text(text)
        return str(file)

    return write


def test_a_good_file_is_ok_and_says_its_stages(cli, rules):
    """One line, exit status 0."""
    file = rules(GOOD)
    outcome = cli("validate", file)

    assert (0, f"{file}: ok, token_counting shadow\n", "") == (outcome.code, outcome.out, outcome.err)


def test_a_path_that_leads_nowhere_is_told_what_it_is(cli, tmp_path):
    """Permissions have nothing to do with it."""
    (tmp_path / "loop").symlink_to("loop")
    loop, empty = cli("validate", "loop"), cli("validate", "")

    assert (1, True) == (loop.code, "hint: name the file that the links were to lead to" in loop.out)
    assert (2, True) == (empty.code, "expected a path, got nothing" in empty.err)


def test_every_problem_is_listed_with_its_place_and_a_hint(cli, rules):
    """All at once, as file:line:column, which editors understand."""
    file = rules(BAD)
    outcome = cli("validate", file)
    lines = outcome.out.splitlines()

    assert outcome.code == 1
    assert lines[0].startswith(f"{file}:4:5: ")
    assert lines[1].strip() == 'hint: did you mean "stage"?'
    assert lines[2].startswith(f"{file}:5:")
    assert outcome.err == f"error: 2 problems in {file}\n"


def test_the_document_has_the_same_problems(cli, rules):
    """`--json` gives file, line, column, message and hint of each."""
    outcome = cli("validate", "--json", rules(BAD))
    document = json.loads(outcome.out)

    assert outcome.code == 1
    assert document["ok"] is False
    assert [(4, 5)] == [(problem["line"], problem["column"]) for problem in document["problems"][:1]]
    assert {"file", "line", "column", "message", "hint"} == set(document["problems"][0])


def test_a_good_file_is_a_document_too(cli, rules):
    """`--json` gives each flag's stage."""
    document = json.loads(cli("validate", "--json", rules(GOOD)).out)

    assert (True, {"token_counting": "shadow"}, []) == (document["ok"], document["flags"], document["problems"])


@pytest.mark.parametrize("text", ["version: 1\nflags: [\n", "", "\x00"])
def test_a_file_that_is_no_yaml_is_a_problem_like_any_other(cli, rules, text):
    """Broken YAML gives a place and no traceback."""
    outcome = cli("validate", rules(text))

    assert outcome.code == 1
    assert "rollout.yaml" in outcome.out
    assert "Traceback" not in outcome.err


def test_a_file_that_is_not_there_is_named(cli, tmp_path):
    """So is one that cannot be read."""
    outcome = cli("validate", str(tmp_path / "missing.yaml"))

    assert outcome.code == 1
    assert "missing.yaml" in outcome.out
