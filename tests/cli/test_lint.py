"""`fast-litellm lint`."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def lint(cli, tmp_path):
    """Looks through a file with one flag, given as the text between its braces."""

    def run(flag, *words):
        (tmp_path / "rules.yaml").write_text(f"version: 1\nflags:\n  a: {{{flag}}}\n")
        return cli("lint", str(tmp_path / "rules.yaml"), "--at", "2027-03-01", *words)

    return run


def test_a_finding_has_its_place_its_level_and_a_hint(lint):
    """An expired flag ends with 1."""
    outcome = lint("owner: team, expires: 2027-02-01, stage: off")

    assert 1 == outcome.code
    assert "rules.yaml:3: error[expired] a: expired 28 day(s) ago, on 2027-02-01\n    hint: " in outcome.out


def test_what_is_only_worth_knowing_ends_with_0_unless_strict(lint):
    """A flag without a date."""
    assert (0, 1) == (lint("owner: team, stage: off").code, lint("owner: team, stage: off", "--strict").code)


def test_a_tidy_file_is_told_so(lint):
    """In words and as an empty list."""
    tidy = "owner: team, expires: 2028-01-01, stage: off"

    assert lint(tidy).out.startswith("nothing to say about ")
    assert {"findings": []} == json.loads(lint(tidy, "--json").out)


@pytest.mark.parametrize(
    ("flag", "code"),
    [
        ("token_countin: {stage: shadow, ", "misspelt"),
        ("stream_wrapping: {stage: shadow, ", "never_compared"),
        ("connection_pooling: {plan: {steps: [shadow, 'on']}, ", "never_compared"),
        ("connection_pooling: {stage: canary, otherwise: rust, ", None),
        ("rate_limiting: {stage: shadow, ", None),
        ("checkout: {stage: shadow, ", None),
    ],
)
def test_a_flag_that_does_nothing_is_found(cli, tmp_path, flag, code):
    """By its name alone, with its line; names of a program's own are left alone."""
    (tmp_path / "rules.yaml").write_text(f"version: 1\nflags:\n  {flag} owner: a, expires: 2028-01-01}}\n")
    outcome = cli("lint", str(tmp_path / "rules.yaml"), "--at", "2027-03-01", "--json")

    found = [(each["line"], each["level"], each["code"]) for each in json.loads(outcome.out)["findings"]]
    assert ([(3, "warning", code)] if code else []) == found


def test_a_day_that_is_none_is_wrong_usage(cli):
    """It says what a day looks like."""
    outcome = cli("lint", "rules.yaml", "--at", "tomorrow")

    assert 2 == outcome.code
    assert "expected a date such as 2027-03-31" in outcome.err
