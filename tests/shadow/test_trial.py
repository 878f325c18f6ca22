"""One comparison: run, compare, run again."""

from __future__ import annotations

import asyncio
import random

import pytest

from fast_litellm.errors import Declined
from fast_litellm.shadow import Experiment, FunctionCandidate, Limits, comparators
from fast_litellm.shadow.observation import Observation
from fast_litellm.shadow.trial import Trial, of_error

Panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})
MS = 1_000_000


@pytest.fixture
def rolled():
    """A state of the program's generator; afterwards it is in the one it was in."""
    before = random.getstate()
    yield random.Random(7).getstate()
    random.setstate(before)


class Clock:
    """Nanoseconds, moved by hand."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        return self.now


def run(control, candidate, *args, comparator=comparators.exact, limits=None):
    """Tries a candidate on a call, after the control has answered it."""
    trial = Trial(Experiment("feature", control, FunctionCandidate(candidate), comparator), limits or Limits())
    call = (args, {})
    return trial.run(None, call, trial.observe(control, (list(args), {})))


def script(*values):
    """A function that returns one value after the other."""
    remaining = list(values)
    return lambda: remaining.pop(0)


def summary(finding):
    """What a finding says."""
    kind = finding.difference and finding.difference.kind
    return finding.outcome, kind, finding.confirmed_on_rerun, finding.control_rerun_differs


def test_equal_sides_match_and_run_once():
    """A match needs no second run."""
    finding = run(script(1), script(1))
    assert ("matched", None, False, False) == summary(finding)


def test_a_difference_is_confirmed_by_running_both_again():
    """Two runs that differ in the same way are a confirmed divergence."""
    assert ("diverged", "value", True, False) == summary(run(lambda: 1, lambda: 2))


def test_a_candidate_that_is_right_the_second_time_still_diverged():
    """The control is stable, so a candidate that is only sometimes right is wrong."""
    assert ("diverged", "value", False, False) == summary(run(lambda: 1, script(2, 1)))


def test_a_control_that_disagrees_with_itself_is_noise():
    """When the reference has no stable answer, the difference proves nothing against the candidate."""
    assert ("waived", "value", True, True) == summary(run(script(1, 3), script(2, 2)))


def test_noise_has_a_word_of_its_own():
    """Whoever reads the event is told why it was waived."""
    assert "within_noise" == run(script(1, 3), script(2, 2)).difference.note


@pytest.mark.parametrize("noise", ["none", "paired"])
def test_a_panic_is_never_noise(noise):
    """A control without a stable answer does not excuse native code that panics."""

    def candidate():
        raise Panic("index out of bounds")

    experiment = Experiment("feature", script(1, 3), FunctionCandidate(candidate), comparators.exact, noise=noise)
    finding = Trial(experiment, Limits()).run(None, ((), {}), Observation(2))
    assert ("diverged", "panic", True, True) == summary(finding)


def test_a_comparator_error_is_never_noise():
    """A comparator that raises on everything finds the control to differ from itself, and waives nothing by it."""

    def broken(_control, _candidate):
        raise ValueError

    finding = run(lambda: 1, lambda: 1, comparator=broken)
    assert ("diverged", "comparator_error", True, False) == summary(finding)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("x"), "value_against_exception"),
        (SystemExit(3), "value_against_exception"),
        (KeyboardInterrupt(), "value_against_exception"),
        (GeneratorExit(), "value_against_exception"),
        (asyncio.CancelledError(), "value_against_exception"),
        (RecursionError(), "value_against_exception"),
        (MemoryError(), "value_against_exception"),
        (Panic("index out of bounds"), "panic"),
    ],
)
def test_whatever_a_candidate_raises_is_what_it_did(error, kind):
    """No exception of the candidate leaves the trial, whatever its class."""

    def candidate():
        raise error

    assert ("diverged", kind, True, False) == summary(run(lambda: 1, candidate))


def test_the_same_exception_on_both_sides_matches():
    """Raising the same class with the same text is doing the same."""

    def fail():
        raise ValueError("no such model")

    assert "matched" == run(fail, fail).outcome


def test_a_late_decline_is_no_difference():
    """A candidate that finds only while running that the call is not its own says so."""

    def candidate():
        raise Declined("custom_tokenizer")

    with pytest.raises(Declined):
        run(lambda: 1, candidate)


@pytest.mark.parametrize(
    ("durations", "outcome", "confirmed"), [([11, 11], "diverged", True), ([11, 9], "waived", False)]
)
def test_a_candidate_beyond_its_deadline_timed_out(durations, outcome, confirmed):
    """An equal value that came too late is a timeout; one that is in time when run again is waived."""
    clock = Clock()
    remaining = list(durations)

    def candidate():
        clock.now += remaining.pop(0) * MS
        return 1

    finding = run(lambda: 1, candidate, limits=Limits(deadline_ms=10, clock=clock))
    assert (outcome, "timeout", confirmed, False) == summary(finding)
    assert 11 * MS == finding.candidate.duration_ns


def test_a_candidate_that_changes_its_arguments_diverges():
    """A candidate that leaves its arguments in another state than the control would change the caller's."""

    def candidate(items):
        items.append("added")
        return 1

    finding = run(lambda items: 1, candidate, ["original"])
    assert ("diverged", "mutation", True, False) == summary(finding)


def test_a_candidate_may_change_its_arguments_as_the_control_does():
    """When the control appends to its argument, so must the candidate."""

    def append(items):
        items.append("added")
        return len(items)

    trial = Trial(Experiment("feature", append, FunctionCandidate(append), comparators.exact), Limits())
    assert "matched" == trial.run(None, ((["a"],), {}), Observation(2)).outcome


def test_every_run_gets_its_own_copy():
    """What one run does to its arguments is not seen by the next."""
    seen = []

    def candidate(items):
        seen.append(list(items))
        items.clear()
        return 2

    run(lambda items: 1, candidate, ["original"])
    assert [["original"], ["original"]] == seen


def test_an_exception_without_a_text_has_a_stand_in():
    """An exception whose `__str__` raises is observed all the same."""

    class WordlessError(Exception):
        def __str__(self):
            raise SystemExit

    assert (WordlessError, "str() raised SystemExit") == (
        of_error(WordlessError()).error_type,
        of_error(WordlessError()).error_text,
    )


def without_flaw(value):
    """An experiment's word for a control that says 1 where it should say the value."""
    experiment = Experiment(
        "feature",
        lambda flawed: 1 if flawed else value,
        FunctionCandidate(lambda flawed: 2),
        comparators.exact,
        without_flaw=lambda call: ((False,), {}) if call[0][0] else None,
    )
    return Trial(experiment, Limits()).run(None, ((True,), {}), Observation(1))


def test_a_flaw_of_the_control_is_waived_when_it_is_all_the_sides_differ_in():
    """Without it the control does what the candidate did."""
    finding = without_flaw(2)

    assert ("waived", "value", True, False) == summary(finding)
    assert "flaw_of_the_control" == finding.difference.note


def test_a_flaw_of_the_control_excuses_no_other_answer():
    """A candidate that is as wrong as the control, in another way, is wrong."""
    assert ("diverged", "value", True, False) == summary(without_flaw(3))


def test_a_call_without_the_flaw_is_judged_as_any_other():
    """When the flaw makes no difference to a call, it explains none."""
    experiment = Experiment(
        "feature", lambda: 1, FunctionCandidate(lambda: 2), comparators.exact, without_flaw=lambda call: None
    )

    assert "diverged" == Trial(experiment, Limits()).run(None, ((), {}), Observation(1)).outcome


def test_a_control_that_runs_off_its_callers_path_leaves_the_programs_generator(rolled):
    """It draws from a tape of its own: what the program draws next is what it would have drawn."""

    def draw() -> float:
        return random.random()

    trial = Trial(Experiment("feature", draw, FunctionCandidate(draw), comparators.exact, noise="tape"), Limits())
    random.setstate(rolled)
    drawn = trial.control(None, ((), {})).value

    assert rolled == random.getstate()
    assert isinstance(drawn, float)


def test_without_a_tape_the_control_draws_as_the_program_does(rolled):
    """Only a function that is known to draw is given a tape."""
    trial = Trial(Experiment("feature", random.random, FunctionCandidate(random.random), comparators.exact), Limits())
    random.setstate(rolled)
    expected = random.Random()
    expected.setstate(rolled)

    assert expected.random() == trial.control(None, ((), {})).value
    assert expected.getstate() == random.getstate()
