"""`fast-litellm diff`."""

from __future__ import annotations

import json

import pytest

RULES = "version: 1\nflags:\n  parser:\n    otherwise: {{split: {{rust: {rust}, python: {python}}}}}\n"


@pytest.fixture
def diff(cli, tmp_path):
    """Compares 10 % with the given percentage."""

    def run(percent, *words):
        for name, rust in (("old.yaml", 10), ("new.yaml", percent)):
            (tmp_path / name).write_text(RULES.format(rust=rust, python=100 - rust))
        return cli("diff", str(tmp_path / "old.yaml"), str(tmp_path / "new.yaml"), *words)

    return run


def test_who_moves_is_shown_with_the_line(diff):
    """The share, both sides and what decided."""
    outcome = diff(100)

    assert 0 == outcome.code
    assert "parser (canary -> on)" in outcome.out
    assert "line 4 otherwise (STATIC)" in outcome.out
    assert "of 20,000 units" in outcome.out


def test_nothing_changes(diff):
    """That is said, and the exit status stays 0 whatever is asked."""
    outcome = diff(10, "--exit-code", "--sample", "50")

    assert 0 == outcome.code
    assert outcome.out.startswith("nothing changes for 50 units; ")


def test_the_exit_status_tells_on_demand(diff):
    """As git does."""
    assert (0, 1) == (diff(50).code, diff(50, "--exit-code").code)


def test_units_come_from_a_file_and_are_not_repeated(diff, tmp_path):
    """They may be people."""
    (tmp_path / "units").write_text("secret-alice\nsecret-bob\n")
    outcome = diff(100, "--units", str(tmp_path / "units"), "--json")
    document = json.loads(outcome.out)

    assert "secret" not in outcome.out
    assert 2 == document["units"]
    assert {"before": "canary", "after": "on"} == document["flags"][0]["stage"]


def test_a_file_that_cannot_be_used_lists_its_problems(cli, tmp_path):
    """As `validate` does."""
    (tmp_path / "old.yaml").write_text("version: 2\nflags: {}\n")
    outcome = cli("diff", str(tmp_path / "old.yaml"), str(tmp_path / "old.yaml"))

    assert 1 == outcome.code
    assert "old.yaml:1:10: " in outcome.err
