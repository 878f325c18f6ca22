"""An accepted call, off its caller's path."""

from __future__ import annotations

from types import SimpleNamespace
from unittest import mock

import pytest

from fast_litellm import events
from fast_litellm.accel.native import Job
from fast_litellm.errors import Declined
from fast_litellm.shadow import Budget, Experiment, FunctionCandidate, Limits, comparators, machinery
from fast_litellm.shadow.candidate import Withheld
from fast_litellm.shadow.judge import Judge
from fast_litellm.shadow.observation import Observation
from fast_litellm.shadow.reporter import Reporter
from fast_litellm.shadow.trial import Trial


class Purse(Budget):
    """A budget that remembers what was settled; every look at the processor's clock costs 5 ns."""

    def __init__(self):
        self.settled = []
        self._now = 0

    def cpu_clock(self):
        self._now += 5
        return self._now

    def pass_by(self, nanos):
        self._now += nanos

    def settle(self, reserved, spent):
        self.settled.append((reserved, spent))


@pytest.fixture
def purse():
    return Purse()


@pytest.fixture
def make_judge(tally, sink, purse):
    """Makes judges of a control that returns 1."""

    def make(candidate, control=lambda: 1, premises=None):
        sides = (control, FunctionCandidate(candidate), comparators.exact)
        experiment = Experiment("feature", *sides, premises=premises)
        limits = Limits(clock=lambda: 0)
        return Judge(Trial(experiment, limits), Reporter(experiment, sink, None), tally, purse, limits)

    return make


def accepted(tally):
    """A call that was accepted and that the control has answered with 1."""
    job = Job(0, None, ((), {}), size=1, reserved=7.0, generation=0)
    job.ticket = tally.accept(0)
    job.control = Observation(1)
    return job


@pytest.fixture
def job(tally):
    return accepted(tally)


def raising(error):
    def function():
        raise error

    return function


@pytest.mark.parametrize(
    ("candidate", "word"),
    [
        (lambda: 1, "matched"),
        (lambda: 2, "diverged"),
        (raising(Declined("x")), "declined"),
        (raising(Withheld("starting")), "starting"),
    ],
)
def test_a_call_ends_once_and_is_paid_for(make_judge, job, balanced, purse, candidate, word):
    """Whatever became of it."""
    make_judge(candidate).judge(job, lambda _job: True)
    reading = balanced()
    assert 1 == {**reading, **reading["shed"]}[word]
    assert (0, 1, 7.0) == (reading["in_flight"], len(purse.settled), purse.settled[0][0])
    assert purse.settled[0][1] > 0
    assert {} == machinery.failures()


def served(tally, value):
    """A call that the candidate has answered; its control is yet to be run."""
    kept = {"shape": 0, "plan": None, "call": ((), {}), "reserved": 7.0, "queued_at": 0}
    return SimpleNamespace(**kept, served=Observation(value), control=Observation(), ticket=tally.accept(0))


@pytest.mark.parametrize(
    ("answered", "premises", "word"),
    [
        (1, [5, 5], "matched"),
        (2, [5, 5], "diverged"),
        (2, [5, 6], "premises_changed"),
        (1, [5, 6], "matched"),
        (2, [Declined("reference_patched")], "premises_changed"),
        (1, [Declined("reference_patched")], "premises_changed"),
        (2, [5, Declined("reference_patched")], "premises_changed"),
    ],
)
def test_a_control_that_runs_later_speaks_only_for_what_it_depended_on_then(
    make_judge, tally, balanced, answered, premises, word
):
    """A difference is none when what the control depends on was another, or has changed meanwhile."""
    asked = mock.Mock(side_effect=premises)
    make_judge(lambda: 1, premises=asked).judge(served(tally, answered), lambda _job: True)
    reading = balanced()
    found = {**reading, **reading["shed"]}
    assert (1, 0, {}) == (found[word], found["in_flight"], found["declined"])


def test_a_control_that_has_answered_is_doubted_only_where_it_differs(make_judge, tally, balanced):
    """It ran with the call. What it depended on then is gone, but what is replaced now can be told."""
    asked = mock.Mock(side_effect=Declined("reference_patched"))
    judge = make_judge(lambda: 1, premises=asked)
    judge.judge(accepted(tally), lambda _job: True)
    unasked = asked.call_count
    make_judge(lambda: 2, premises=asked).judge(accepted(tally), lambda _job: True)
    reading = balanced()
    assert (0, 1, 1, 0) == (unasked, reading["matched"], reading["shed"]["premises_changed"], reading["diverged"])


@pytest.mark.parametrize("candidate", [lambda: 1, lambda: 2, raising(Declined("x")), raising(Withheld("x"))])
def test_what_is_not_claimed_is_not_told(make_judge, job, balanced, sink, purse, candidate):
    """It has ended already; only what it cost is still paid."""
    judge = make_judge(candidate)
    judge.hung(job)
    told = list(sink.comparisons)
    judge.judge(job, lambda _job: False)
    assert told == sink.comparisons
    assert (1, 0, {}) == (balanced()["waived"], balanced()["in_flight"], balanced()["declined"])
    assert 1 == len(purse.settled)


def test_what_a_thread_does_between_two_calls_is_paid_for(make_judge, tally, purse):
    """All that the thread of comparisons takes is the budget's; before its first call it has done nothing."""
    judge = make_judge(lambda: 1)
    judge.judge(accepted(tally), lambda _job: True)
    purse.pass_by(1_000)
    judge.judge(accepted(tally), lambda _job: True)
    (_, first), (_, second) = purse.settled
    assert (True, True) == (first < 1_000, 1_000 < second < 2_000)


def test_a_call_that_hangs_is_an_unconfirmed_timeout(make_judge, job, balanced, sink):
    """Nobody knows more of it."""
    make_judge(lambda: 1).hung(job)
    (comparison,) = sink.comparisons
    assert ("waived", "timeout", False) == (
        comparison.outcome,
        comparison.description.kind,
        comparison.confirmed_on_rerun,
    )
    assert (1, 0) == (balanced()["waived"], balanced()["in_flight"])


def test_a_call_that_is_not_tried_costs_nothing(make_judge, job, balanced, purse):
    """Its reservation is given back."""
    make_judge(lambda: 1).give_up(job, "shutdown")
    assert ({"shutdown": 1}, [(7.0, 0)]) == (balanced()["shed"], purse.settled)


@pytest.mark.parametrize(
    ("error", "told"),
    [(Withheld("restarting"), []), (Withheld("not_importable", is_final=True), ["not_importable"])],
)
def test_that_nothing_is_compared_any_more_is_told_once(make_judge, tally, log, error, told):
    """With the word under which the calls are counted; what passes is not told."""
    judge = make_judge(raising(error))
    for _ in range(2):
        judge.judge(accepted(tally), lambda _job: True)
    assert told == [it["reason"] for it in log if it["event"] == events.COMPARING_STOPPED]


def test_the_second_hang_is_told(make_judge, tally, log):
    """It is the last."""
    judge, told = make_judge(lambda: 1), []
    for _ in range(2):
        judge.hung(accepted(tally))
        told.append([(it["feature"], it["reason"]) for it in log if it["event"] == events.COMPARING_STOPPED])
    assert [[], [("feature", "hung")]] == told
