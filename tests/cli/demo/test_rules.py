"""The rule files of the demo's acts."""

from __future__ import annotations

import pytest

from fast_litellm.cli.demo import rules
from fast_litellm.flags import FlagManager


@pytest.mark.parametrize("stage", ["off", "shadow", "canary", "on"])
def test_every_acts_rules_are_valid_and_say_its_stage(stage, tmp_path):
    """They go through the same reader as everybody's."""
    file = tmp_path / "rollout.yaml"
    file.write_text(rules.at(stage))

    assert stage == FlagManager.from_file(file).stage("token_counting")


def test_the_canary_serves_rust_to_a_tenth_of_the_users():
    """Ten percent, sticky by user."""
    text = rules.at("canary")

    assert "{rust: 10, python: 90}" in text
