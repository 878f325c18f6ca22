"""Checking the environment."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

# A release that every version of the package is told about, so that LiteLLM itself need not be imported.
RELEASE = "1.106.2"


@pytest.fixture
def doctor(cli):
    """Asks about a release by name."""
    return lambda *words: cli("doctor", "--litellm", RELEASE, *words)


def test_a_healthy_environment_is_fine(doctor):
    """Versions, the compiled part, the seams, the rules and the ledger are all named; exit status 0."""
    outcome = doctor()
    words = ("fast-litellm", "litellm", "tiktoken", "kill switch   off", "no rule file", "sqlite:///", "token_counting")

    assert (0, "") == (outcome.code, outcome.err)
    assert all(word in outcome.out for word in words)
    assert "known" in outcome.out
    assert max(map(len, outcome.out.splitlines()[-3:])) <= 80


def test_the_document_says_the_same(doctor):
    """`--json` has every part, and `ok`."""
    document = json.loads(doctor("--json").out)

    assert document["ok"] is True
    assert {"versions", "disabled", "ledger", "seams", "rules", "problems", "ok"} <= set(document)


def test_a_release_that_is_not_known_is_a_problem(cli):
    """The seam stays Python, which releases are known is said, and the exit status is 1."""
    outcome = cli("doctor", "--litellm", "0.1.0")

    assert outcome.code == 1
    assert "unknown, so Python answers" in outcome.out
    assert outcome.err.startswith("error: token_counting stays Python")
    assert RELEASE in outcome.err


def test_what_is_no_release_is_wrong_usage_and_one_that_is_unheard_of_is_said(cli):
    """The reader may have mistyped it."""
    word, unheard = cli("doctor", "--litellm", "abc"), cli("doctor", "--litellm", "9.9.9")

    assert (2, True) == (word.code, "expected a release such as 1.106.2, got 'abc'" in word.err)
    assert (1, True) == (unheard.code, "note: LiteLLM 9.9.9 is no release that this package knows" in unheard.err)


def test_a_bad_rule_file_is_a_problem(doctor, monkeypatch, tmp_path):
    """Its problems are listed with their places."""
    file = tmp_path / "rollout.yaml"
    file.write_text("version: 2\nflags: {}\n")
    monkeypatch.setenv("FAST_LITELLM_CONFIG", str(file))

    outcome = doctor()

    assert outcome.code == 1
    assert f"error: {file}:1:10: " in outcome.err
    assert "1 problem(s)" in outcome.out


def test_a_good_rule_file_is_named(doctor, monkeypatch, tmp_path):
    """With its path."""
    file = tmp_path / "rollout.yaml"
    file.write_text("version: 1\nflags: {}\n")
    monkeypatch.setenv("FAST_LITELLM_CONFIG", str(file))

    assert f"{file}, ok" in doctor().out


def test_a_ledger_that_cannot_be_read_is_a_problem(doctor):
    """The address is shown beside it."""
    Path(os.environ["FAST_LITELLM_LEDGER"].removeprefix("sqlite:///")).write_text("no database")

    outcome = doctor()

    assert outcome.code == 1
    assert "unreadable" in outcome.out


def test_the_kill_switch_is_shown(doctor, monkeypatch):
    """It is not a problem, but nobody should have to guess."""
    monkeypatch.setenv("FAST_LITELLM_DISABLE", "1")

    outcome = doctor()

    assert outcome.code == 0
    assert "kill switch   on" in outcome.out


def test_a_page_that_cannot_be_shared_is_a_problem(cli, monkeypatch, tmp_path):
    """A pause would not reach the siblings, and the reason says why."""
    (tmp_path / "on.yaml").write_text("version: 1\nflags: {parser: {otherwise: rust}}\n")
    monkeypatch.setenv("FAST_LITELLM_CONFIG", str(tmp_path / "on.yaml"))
    assert "pauses  " in cli("doctor").out
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FAST_LITELLM_STATE", str(tmp_path / "file"))

    outcome = cli("doctor")

    assert outcome.code == 1
    assert "a pause does not reach every process of this host: FileExistsError" in outcome.err


def test_a_blocked_feature_ends_as_it_does_in_status(doctor, evidence):
    """Exit status 3, with what to look at."""
    evidence.attach("token_counting", stage="blocked")
    evidence.diverge("token_counting", action="blocked")
    evidence.ledger.close()
    outcome = doctor("--json")

    assert 3 == outcome.code
    assert outcome.err.startswith("error: token_counting is blocked: Python answers every call\nhint: ")
    assert (False, ["token_counting"]) == (json.loads(outcome.out)["ok"], json.loads(outcome.out)["ledger"]["blocked"])
