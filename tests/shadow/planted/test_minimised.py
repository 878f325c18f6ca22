"""
What is found of a wrong token counter is enough to write a failing test for it, without a word of what was counted.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from fast_litellm.shadow import Experiment, FunctionCandidate, comparators, engine, literal, replay
from fast_litellm.shadow.replay import Replay, Wanted

TRIES = 500
HANGS_ON_CONTENT = {"is_wrong_once_in_500"}
"""A shape does not say which texts these are: made-up calls find one by chance only."""


def sibling(name):
    """A file beside this one."""
    path = Path(__file__).with_name(f"{name}.py")
    specification = importlib.util.spec_from_file_location(f"minimised_{name}", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


planted, corpus = sibling("test_planted"), sibling("token_counting")


@pytest.fixture(scope="module")
def token_counter():
    """LiteLLM's own."""
    from litellm.litellm_core_utils.token_counter import token_counter

    return token_counter


@pytest.fixture
def make(token_counter):
    """Makes what runs the reference beside a wrong candidate."""
    made = []

    def of(candidate):
        experiment = Experiment(
            "token_counting", token_counter, FunctionCandidate(candidate, "1"), comparators.exact, profile="chat"
        )
        made.append(Replay(experiment))
        return made[-1]

    yield of
    for each in made:
        each.close()


def seen_by(run):
    """What a ledger holds of the first call that differs."""
    shaper = run.experiment.shaper()
    for args, kwargs in planted.calls(planted.chat_call):
        found = run((args, kwargs))
        if found.word == "other":
            raised = run._trial.control(None, (args, kwargs)).error_type is not None
            shape = engine.current().shape_with_outcome("chat", shaper.shape(args, kwargs), raised=raised)
            sample = {"shape": engine.current().shape_values("chat", shape), "exec_path": "off_path"}
            sides = (found.description.control.type, found.description.candidate.type)
            return {
                "kind": found.description.kind,
                "pattern": found.description.pattern,
                **dict(zip(("control_type", "candidate_type"), sides)),
                "samples": [sample],
            }
    return None


@pytest.mark.parametrize("name", sorted(set(corpus.MUTANTS) - HANGS_ON_CONTENT))
def test_a_wrong_token_counter_becomes_a_small_failing_test(name, make, token_counter):
    """The call is found from a sample's shape alone, is small, and tells the wrong candidate from the right one."""
    run = make(corpus.MUTANTS[name](token_counter))
    record = seen_by(run)
    wanted = Wanted.of(record)
    call = replay.first(run, replay.made_up("chat", record, TRIES), wanted)
    assert call is not None
    smallest = replay.smallest(run, call, wanted)
    assert len(literal.write(smallest)) <= min(len(literal.write(call)), 1_300)
    assert ("same", "matched") == (run(smallest, wanted).word, make(token_counter)(smallest, wanted).word)
