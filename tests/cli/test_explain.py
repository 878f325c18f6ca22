"""Who would serve a call, and why."""

from __future__ import annotations

import json

import pytest

RULES = """\
version: 1
flags:
  token_counting:
    rules:
      - name: staff-first
        when: {attr: user, ends_with: "@example.com"}
        serve: rust
      - name: grown-ups
        when: {attr: age, gte: 18}
        split: {rust: 50, python: 50}
    otherwise: {split: {rust: 10, python: 90}}
"""


@pytest.fixture
def explain(cli, tmp_path):
    """Explains a decision by the rules above."""
    file = tmp_path / "rollout.yaml"
    file.write_text(RULES)
    return lambda *words: cli("explain", *words, "--config", str(file))


def test_the_rule_that_matched_is_named_with_its_line(explain):
    """And the rules after it were not reached."""
    outcome = explain("token_counting", "--attr", "user=me@example.com")

    assert outcome.code == 0
    assert outcome.out.startswith("token_counting is served by rust\n")
    assert "rule      staff-first (line 5)\n" in outcome.out
    assert "not reached" in outcome.out


def test_a_percentage_is_explained_with_bucket_and_threshold(explain):
    """The bucket of the unit stands beside the threshold it was compared with."""
    outcome = explain("token_counting", "--unit", "user-1")
    decision = json.loads(explain("token_counting", "--unit", "user-1", "--json").out)["decision"]

    assert f"bucket    {decision['bucket']:,} of 1,000,000, not below the threshold 100,000\n" in outcome.out
    assert decision["serve"] == "python"


def test_rules_that_did_not_match_say_which_condition_failed(explain):
    """So that nobody has to guess why a rule was passed over."""
    outcome = explain("token_counting", "--unit", "user-1", "--attr", "age=17")

    assert "age >= 18" in outcome.out
    assert "not matched" in outcome.out
    assert "reached" in outcome.out


def test_values_that_read_as_json_are_that_value(explain):
    """A number is a number, and quoted it is text."""
    number = json.loads(explain("token_counting", "--attr", "age=18", "--json").out)
    text = json.loads(explain("token_counting", "--attr", 'age="18"', "--json").out)

    assert ("grown-ups", None) == (number["decision"]["rule"], text["decision"]["rule"])


def test_a_missing_unit_is_python_and_says_so(explain):
    """Never random."""
    outcome = explain("token_counting")

    assert outcome.out.startswith("token_counting is served by python\n")
    assert "missing_unit" in outcome.out
    assert "bucket    none, because the call has no unit\n" in outcome.out


def test_shares_are_shown_for_every_side(explain):
    """Also for Python, which takes what the candidates leave."""
    assert "rust 10%, python 90%" in explain("token_counting", "--unit", "user-1").out


def test_the_environment_counts(explain, monkeypatch):
    """What the environment demands is what a running program would do."""
    monkeypatch.setenv("FAST_LITELLM_FLAG_TOKEN_COUNTING", "rust")

    outcome = explain("token_counting", "--unit", "user-1")

    assert outcome.out.startswith("token_counting is served by rust\n")
    assert "env_override" in outcome.out


def test_without_a_rule_file_the_built_in_defaults_are_explained(cli):
    """Everything in shadow."""
    outcome = cli("explain", "token_counting", "--unit", "user-1")

    assert outcome.out.startswith("token_counting is served by python\n")
    assert "stage     shadow\n" in outcome.out
    assert "built-in defaults" in outcome.out


def test_an_unknown_feature_is_wrong_usage(explain):
    """The nearest name is offered, and all that are declared."""
    outcome = explain("token_countin")

    assert (2, "") == (outcome.code, outcome.out)
    assert 'did you mean "token_counting"' in outcome.err
    assert "hint: declared are: token_counting\n" in outcome.err


@pytest.mark.parametrize("word", ["age", "=18"])
def test_an_attribute_without_name_or_value_is_wrong_usage(explain, word):
    """It is named."""
    outcome = explain("token_counting", "--attr", word)

    assert outcome.code == 2
    assert "expected NAME=VALUE" in outcome.err


def test_a_bad_rule_file_lists_its_problems(cli, tmp_path):
    """As `validate` does, on standard error."""
    file = tmp_path / "rollout.yaml"
    file.write_text("version: 2\nflags: {}\n")

    outcome = cli("explain", "token_counting", "--config", str(file))

    assert (1, "") == (outcome.code, outcome.out)
    assert outcome.err.startswith(f"error: {file}:1:10: ")


def test_what_looks_like_markup_is_printed_as_it_is(cli, tmp_path):
    """Names from the rule file are data to the terminal, not instructions."""
    file = tmp_path / "rollout.yaml"
    file.write_text(RULES.replace("staff-first", '"[bold]staff"'))

    assert "[bold]staff" in cli("explain", "token_counting", "--config", str(file)).out


FULL = """\
version: 1
layers: {group: {slots: {token_counting: 0%-50%}}}
flags:
  base: {otherwise: rust}
  token_counting:
    requires: [base]
    otherwise: {ramp: {steps: [{at: 2027-01-05T09:00:00Z, percent: 10}, {at: 2027-01-09T09:00:00Z, percent: 100}]}}
"""


@pytest.fixture
def explain_full(cli, tmp_path):
    """Explains a decision by rules with a layer, a requirement and a ramp."""
    file = tmp_path / "full.yaml"
    file.write_text(FULL)
    return lambda *words: cli("explain", "token_counting", "--config", str(file), *words)


def test_a_ramp_is_explained_at_a_moment(explain_full):
    """With all its steps, that in force in brackets."""
    early = explain_full("--unit", "user-2", "--at", "2027-01-05T08:59:59Z")
    late = explain_full("--unit", "user-2", "--at", "2027-01-09T09:00:00Z")

    assert "served by python" in early.out
    assert "rust 10% from" in early.out
    assert "[100% from" in late.out


def test_what_stands_before_the_rules_is_shown(explain_full):
    """The requirement with what was found, and the layer with the unit's bucket."""
    outcome = explain_full("--unit", "user-1")

    assert "requires  base serving rust: met, it serves rust (STATIC)\n" in outcome.out
    assert "layer     group, buckets 0 to 499,999; the unit's is " in outcome.out


def test_a_block_in_the_ledger_counts(explain, evidence):
    """As it would in a running program."""
    evidence.attach("token_counting", stage="blocked")
    evidence.diverge("token_counting", action="blocked")
    evidence.ledger.close()
    outcome = explain("token_counting", "--attr", "user=me@example.com")

    assert outcome.out.startswith("token_counting is served by python\n")
    assert "stage     blocked\n" in outcome.out


def test_a_moment_that_is_none_is_wrong_usage(explain_full):
    """It says what a moment looks like."""
    outcome = explain_full("--at", "soon")

    assert 2 == outcome.code
    assert "expected a time such as 2027-01-05T09:00:00Z" in outcome.err
