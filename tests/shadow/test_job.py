"""A call on its way, as the worker sees it."""

from __future__ import annotations

import pytest

from fast_litellm.accel.native import Job
from fast_litellm.shadow import Outcome
from fast_litellm.shadow.observation import Observation


@pytest.fixture
def runner(make_runner):
    """A runner whose jobs are looked at before they are submitted."""
    return make_runner(lambda *_args: 1, lambda *_args: 1)


def test_what_is_asked_for_twice_is_one_object(runner):
    """The copy is made when the worker first looks at it."""
    given = ([1, {"a": {2}}], bytearray(b"b"))
    job = runner.prepare(given, {"key": [3]})

    assert (given, {"key": [3]}) == job.call
    assert job.call is job.call
    assert not {id(it) for it in (given[0], given[0][1], given[1])} & {
        id(it) for it in (*job.call[0], job.call[0][0][1])
    }
    runner.abandon(job, "control_interrupted")


def test_a_call_without_keywords_has_none(runner):
    """The dict is there all the same."""
    job = runner.observer.prepare((1,), None)
    assert ((1,), {}) == job.call
    runner.abandon(job, "control_interrupted")


def test_a_copy_keeps_what_is_in_the_tuple_of_arguments_and_not_the_tuple(runner):
    """One that lived on would bring the next turn of the collector of cycles nearer."""
    given = ("word", 1.5)
    job = runner.prepare(given, {})
    assert given == job.call[0]
    assert given is not job.call[0]
    assert all(one is other for one, other in zip(given, job.call[0]))
    runner.abandon(job, "control_interrupted")


def test_a_job_has_no_ticket_before_its_control_has_ended(runner, balanced):
    """What has not been offered cannot be ended."""
    job = runner.prepare((), {})
    assert (None, None, Observation()) == (job.ticket, job.served, job.control)
    assert 0 == balanced()["offered"]
    runner.submit(job, Outcome(1, duration_ns=7))
    assert Observation(1, duration_ns=7) == job.control
    assert runner.drain(30)
    assert 1 == balanced()["matched"]


def test_what_the_candidate_has_served_is_kept_beside(runner):
    """The control's own run is to come."""
    job = runner.prepare((), {})
    runner.submit_served(job, [1], 5)
    assert Observation([1], duration_ns=5) == job.served


def test_a_job_that_is_dropped_with_its_ticket_is_abandoned(tally, balanced):
    """It stays in the account, whoever lost it."""
    job = Job(0, None, ((), {}), size=1, reserved=0.0, generation=0)
    job.ticket = tally.accept(0)
    assert 1 == balanced()["in_flight"]
    del job
    assert ({"abandoned": 1}, 0) == (balanced()["shed"], balanced()["in_flight"])
