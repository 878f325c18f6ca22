"""What the environment demands of single flags."""

from __future__ import annotations

import pytest

from fast_litellm.errors import RuleError
from fast_litellm.flags import FlagManager

WANTED = "expected python, rust, shadow or a percentage such as 10%"


@pytest.mark.parametrize(
    ("word", "stage", "serve", "reason"),
    [
        ("python", "off", "python", "DISABLED"),
        ("rust", "on", "rust", "STATIC"),
        (" shadow ", "shadow", "python", "STATIC"),
        ("0%", "canary", "python", "STATIC"),
        ("100%", "on", "rust", "STATIC"),
    ],
)
def test_a_word_wins_over_the_file(with_flag, word, stage, serve, reason):
    """Whatever the flag says, the environment's word holds, and the decision says so."""
    decision = with_flag({"stage": "canary"}, overrides={"parser": word}).decide("parser", unit="u")

    assert (stage, serve, reason, "env_override") == (decision.stage, decision.serve, decision.reason, decision.detail)


def test_a_percentage_is_sticky(with_flag):
    """It hashes the flag's salt as a percentage in the file does."""
    written = with_flag({"otherwise": {"split": {"rust": 12.5, "python": 87.5}}})
    forced = with_flag({}, overrides={"parser": "12.5%"})

    for number in range(100):
        assert written.decide("parser", unit=number).bucket == forced.decide("parser", unit=number).bucket
        assert written.serve("parser", number) == forced.serve("parser", number)


def test_an_override_brings_its_flag_into_being():
    """A flag the file does not declare can still be forced."""
    manager = FlagManager.from_dict({"version": 1, "flags": {}}, overrides={"router": "shadow"})

    assert {"router": "shadow"} == {name: flag["stage"] for name, flag in manager.status()["flags"].items()}
    assert manager.decide("router").shadow


@pytest.mark.parametrize("word", ["", "on", "Rust", "10", "101%", "-1%", "0.00001%", "true", "10 %"])
def test_other_words_are_refused_by_the_name_of_the_variable(word):
    """The problem lies in the environment, and names the variable."""
    with pytest.raises(RuleError) as raised:
        FlagManager.default(["parser"], overrides={"parser": word})

    assert [f'environment: FAST_LITELLM_FLAG_PARSER: {WANTED}, got "{word}"'] == [
        str(problem).splitlines()[0] for problem in raised.value.problems
    ]


@pytest.mark.parametrize(
    ("word", "hint"), [("Rust", 'did you mean "rust"?'), ("10", "write 10%"), ("pyton", 'did you mean "python"?')]
)
def test_a_slip_is_recognised(word, hint):
    """The hint says what was probably meant."""
    with pytest.raises(RuleError) as raised:
        FlagManager.default(["parser"], overrides={"parser": word})

    assert hint == raised.value.problems[0].hint


def test_wrong_words_are_told_together_with_wrong_rules():
    """One start shows everything there is to correct."""
    with pytest.raises(RuleError) as raised:
        FlagManager.from_dict({"version": 2, "flags": {}}, overrides={"parser": "fast", "a-b": "rust"})

    assert ["<dict>", "environment", "environment"] == [problem.file for problem in raised.value.problems]
