"""Features as commands name them."""

from __future__ import annotations

import pytest

WHY = ("--reason", "a test")
COMMANDS = [
    ("gate", "{}"),
    ("divergences", "{}"),
    ("audit", "{}"),
    ("report", "{}"),
    ("promote", "{}", *WHY),
    ("rollback", "{}", *WHY),
    ("waive", "{}", "abc", *WHY),
    ("pause", "{}", "--scope", "fleet"),
    ("resume", "{}", "--scope", "fleet"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("name", "hint"),
    [("tokn_counting", 'did you mean "token_counting"?'), ("shuot", 'did you mean "shout"?'), ("x", "there are ")],
)
def test_what_nobody_knows_is_wrong_usage(cli, evidence, words, name, hint):
    """No false all-clear; the nearest name of the package, the rules or the ledger is offered."""
    evidence.attach("shout")
    evidence.ledger.flush()
    outcome = cli(*(word.format(name) for word in words))

    assert (2, "") == (outcome.code, outcome.out)
    assert outcome.err.startswith(f'error: no feature is called "{name}"\nhint: {hint}')


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_pair_that_the_ledger_alone_knows_has_a_name(cli, evidence, words):
    """Its module is the program's, which no command imports."""
    evidence.attach("shout")
    evidence.ledger.flush()

    assert "no feature is called" not in cli(*(word.format("shout") for word in words)).err


def test_a_flag_of_the_rule_file_has_a_name(cli, evidence, plan):
    """Before anybody has called it."""
    evidence.attach("shout")
    evidence.ledger.flush()

    assert (0, "no divergence of pinned") == (cli("divergences", "pinned").code, cli("divergences", "pinned").err[:23])


def test_rules_or_a_ledger_that_cannot_be_read_are_not_in_the_way(cli, tmp_path):
    """Then nobody can say that a name is wrong: what follows says what is."""
    (tmp_path / "ledger.db").write_text("no database")
    outcome = cli("rollback", "shout", *WHY)

    assert 1 == outcome.code
    assert "error: nothing was changed: " in outcome.err
