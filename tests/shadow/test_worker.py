"""The worker thread and the room in front of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from fast_litellm.shadow import machinery
from fast_litellm.shadow.worker import Worker

DEADLINE_S = 30


@dataclass(frozen=True)
class Job:
    """A job of a size."""

    name: str = "job"
    size: int = 10


@pytest.fixture
def make_worker():
    """Makes workers and closes them."""
    workers = []

    def make(run=lambda _job: None, max_jobs=3, max_bytes=100):
        workers.append(Worker("test", run, max_jobs, max_bytes))
        return workers[-1]

    yield make
    for worker in workers:
        worker.close(DEADLINE_S)


def put(worker, *jobs):
    """Reserves and queues."""
    for job in jobs:
        assert worker.reserve(job.size) is None
        assert worker.put(job)


def test_jobs_are_done_in_order_off_the_calling_thread(make_worker):
    """One daemon thread does every job, first come first served."""
    done = []
    worker = make_worker(lambda job: done.append((job.name, threading.current_thread().daemon)))
    put(worker, Job("a"), Job("b"), Job("c"))
    assert worker.drain(DEADLINE_S)
    assert [("a", True), ("b", True), ("c", True)] == done


def test_no_thread_is_started_for_nothing(make_worker):
    """A feature that is never shadowed costs no thread."""
    before = threading.active_count()
    worker = make_worker()
    assert worker.reserve(1) is None
    assert worker.drain(0)
    assert before == threading.active_count()


def test_room_is_limited_by_number_and_by_bytes(make_worker):
    """Reservations count from the moment they are made, and are given back when the job is done or given up."""
    worker = make_worker(max_jobs=2, max_bytes=15)
    assert [None, "memory", None, "queue_full"] == [worker.reserve(size) for size in (10, 6, 5, 0)]
    worker.release(10)
    assert [None, "queue_full"] == [worker.reserve(10), worker.reserve(1)]


def test_a_job_that_raises_ends_neither_the_thread_nor_its_account(make_worker):
    """Whatever a job raises is counted, its room is given back, and the next job is done."""
    done = []

    def run(job):
        if job.name == "bad":
            raise SystemExit
        done.append(job.name)

    worker = make_worker(run, max_jobs=1)
    put(worker, Job("bad"))
    assert worker.drain(DEADLINE_S)
    put(worker, Job("good"))
    assert worker.drain(DEADLINE_S)
    assert (["good"], {"compare: SystemExit": 1}) == (done, machinery.failures())


def test_draining_gives_up_at_its_timeout(make_worker):
    """A job that does not end is not waited for."""
    release = threading.Event()
    worker = make_worker(lambda _job: release.wait(DEADLINE_S))
    put(worker, Job())
    assert not worker.drain(0.01)
    release.set()
    assert worker.drain(DEADLINE_S)


def test_closing_returns_what_was_not_begun(make_worker):
    """A closed worker hands back the jobs that wait, and takes no others."""
    begun, release = threading.Event(), threading.Event()

    def run(_job):
        begun.set()
        release.wait(DEADLINE_S)

    worker = make_worker(run)
    put(worker, Job("running"), Job("waiting"))
    assert begun.wait(DEADLINE_S)
    assert ["waiting"] == [job.name for job in worker.close(0.01)]
    assert ("shutdown", False) == (worker.reserve(1), worker.put(Job()))
    release.set()
    assert worker.drain(DEADLINE_S)


def test_the_worker_knows_its_own_thread(make_worker):
    """A job can be told from a caller."""
    inside = []
    worker = make_worker(lambda _job: inside.append(worker.is_current_thread()))
    put(worker, Job())
    assert worker.drain(DEADLINE_S)
    assert ([True], False) == (inside, worker.is_current_thread())
