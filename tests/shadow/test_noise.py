"""Candidates of functions that do not always give the same answer."""

from __future__ import annotations

import random

import pytest

from fast_litellm.shadow import Experiment, FunctionCandidate, Limits, comparators, noise
from fast_litellm.shadow.trial import Trial

NOISE = 0.1
CALLS = 2_000
Panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})


class Side:
    """Answers 0, or now and then something else."""

    def __init__(self, share, seed):
        self.runs = 0
        self._share = share
        self._draw = random.Random(seed)

    def __call__(self):
        self.runs += 1
        return self._draw.randrange(1, 9) if self._draw.random() < self._share else 0


def pair(control, candidate):
    """Tries a candidate on one call after the other, for ever."""
    experiment = Experiment("feature", control, FunctionCandidate(candidate), comparators.exact, noise="paired")
    trial = Trial(experiment, Limits())
    while True:
        yield trial.run(None, ((), {}), trial.observe(control, ((), {})))


def first_divergence(candidate, control=None):
    """After how many calls the candidate is found out, and the finding; None when it is not."""
    findings = pair(control or Side(NOISE, 1), candidate)
    return next(((number, it) for number, it in zip(range(CALLS), findings) if it.outcome == "diverged"), None)


def test_a_candidate_that_is_as_noisy_as_the_control_is_not_blocked():
    """One difference in ten on both sides, and no verdict in two thousand calls."""
    candidate = Side(NOISE, 2)
    assert first_divergence(candidate) is None
    assert CALLS == candidate.runs


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_a_candidate_that_differs_more_often_is_blocked(share):
    """What it does beyond the control's own noise is proven, and the finding says so."""
    _, finding = first_divergence(Side(share, 2))
    assert (noise.BEYOND, True, False) == (
        finding.difference.note,
        finding.confirmed_on_rerun,
        finding.control_rerun_differs,
    )


def test_a_difference_within_the_noise_is_waived_under_its_own_word():
    """It is no acceptance by a person, and no confirmed difference."""
    findings = list(zip(range(100), pair(Side(NOISE, 1), Side(NOISE, 2))))
    notes = {it.difference.note for _, it in findings if it.outcome == "waived"}
    assert {noise.WITHIN} == notes
    assert {"matched", "waived"} == {it.outcome for _, it in findings}


def test_a_panic_is_never_noise():
    """The control has never panicked: one is enough."""

    def candidate():
        raise Panic("index out of bounds")

    number, finding = first_divergence(candidate)
    assert (0, "panic") == (number, finding.difference.kind)


@pytest.mark.parametrize(("candidate", "control", "is_excess"), [(0, 0, False), (5, 0, False), (20, 0, True)])
def test_the_sign_test_needs_evidence(candidate, control, is_excess):
    """Five differences of the candidate alone could be chance, twenty could not."""
    signs = noise.Signs()
    for _ in range(candidate):
        signs.add(candidate=True, control=False)
    for _ in range(control):
        signs.add(candidate=False, control=True)
    assert is_excess == signs.is_excess


def test_calls_on_which_both_or_none_differ_say_nothing():
    """Only discordant calls are counted."""
    signs = noise.Signs()
    signs.add(candidate=True, control=True)
    signs.add(candidate=False, control=False)
    assert (0, 0) == (signs.candidate, signs.control)


def test_false_alarms_are_as_rare_as_promised():
    """A thousand right candidates, each looked at after every one of 200 discordant calls."""
    draw, alarms = random.Random(7), 0
    for _ in range(1_000):
        signs = noise.Signs()
        for _ in range(200):
            is_candidate = draw.random() < 0.5
            signs.add(candidate=is_candidate, control=not is_candidate)
            if signs.is_excess:
                alarms += 1
                break
    assert alarms <= 1_000 * noise.ALPHA + 3


def test_evidence_belongs_to_what_is_done_about_noise():
    """A function that is compared in another way begins anew."""
    names = {noise.name("exact/1", kind) for kind in noise.KINDS}
    assert len(noise.KINDS) == len(names)
    assert "exact/1" in names
