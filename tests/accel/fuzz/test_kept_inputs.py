"""The inputs that a fuzzer has led to new ground with: on each, candidate and reference still agree."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("litellm.litellm_core_utils.secret_redaction")

HERE = Path(__file__).parent
spec = importlib.util.spec_from_file_location("fuzz_targets", HERE / "targets.py")
targets = importlib.util.module_from_spec(spec)
spec.loader.exec_module(targets)


@pytest.mark.parametrize("name", targets.TARGETS)
def test_kept_inputs_are_answered_alike(name):
    """A target raises where the sides differ; that most inputs are answered shows that it compares."""
    if targets.TARGETS[name] is None:
        pytest.skip("it stays Python on this release")
    kept = sorted((HERE / "corpus" / name).iterdir())
    asked = [answered for path in kept if (answered := targets.TARGETS[name](path.read_bytes())) is not None]

    assert len(asked) / 3 < sum(asked)


def test_every_kept_input_belongs_to_a_target():
    """An input of a target that is gone would never be read."""
    assert set(targets.TARGETS) == {path.name for path in (HERE / "corpus").iterdir()}


def test_every_choice_is_read_from_the_bytes():
    """Who changes a byte changes a choice, and after the last one there is an end to it."""
    throws = [[dice.random(), dice.randrange(8), dice.choice("abcd"), dice.sample("abcd", 2)] for dice in DICE]

    assert [[0.5, 3, "c", ["d", "a"]], [255 / 256, 0, "a", ["a", "b"]]] == throws


DICE = [targets.Dice(bytes([128, 3, 2, 3])), targets.Dice(b"")]
