"""The worker thread and the room in front of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from fast_litellm.shadow import engine, machinery
from fast_litellm.shadow.deadline import Patience
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

    def make(run=lambda _job: None, max_jobs=3, max_bytes=100, patience=None):
        workers.append(Worker("test", run, max_jobs, engine.current().Memory(max_bytes), patience))
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


class Hanging:
    """Jobs named "hang" wait for the test's end; a clock that is moved by hand; what the worker said."""

    def __init__(self):
        self.now = 0
        self.begun, self.release = threading.Semaphore(0), threading.Event()
        self.done, self.hung, self.given_up, self.ended = [], [], [], []

    def run(self, job):
        if job.name == "hang":
            self.begun.release()
            self.release.wait(DEADLINE_S)
        if self.worker.claim(job):
            self.done.append(job.name)
        self.ended.append(job.name)

    @property
    def patience(self):
        return Patience(10**12, lambda: self.now, lambda job: self.hung.append(job.name), self.given_up.append)

    def abandon(self):
        """Waits for a job to hang, and lets its time pass."""
        assert self.begun.acquire(timeout=DEADLINE_S)
        self.now += 10**12
        self.worker.look()


@pytest.fixture
def hanging(make_worker):
    """A worker that waits a long time by a clock of its own."""
    script = Hanging()
    script.worker = make_worker(script.run, patience=script.patience)
    yield script
    script.release.set()


def test_a_job_that_does_not_end_is_abandoned_and_the_next_is_done(hanging):
    """Another thread goes on; the room of the job that hangs is given back."""
    put(hanging.worker, Job("hang"), Job("next"))
    hanging.abandon()
    assert hanging.worker.drain(DEADLINE_S)
    assert (["hang"], ["next"]) == (hanging.hung, hanging.done)
    assert [None, None, None] == [hanging.worker.reserve(33) for _ in range(3)]


def test_what_comes_late_counts_for_nothing(hanging):
    """A job that ends after it was abandoned is told so, and its thread ends."""
    put(hanging.worker, Job("hang"))
    thread = hanging.worker._thread
    hanging.abandon()
    hanging.release.set()
    thread.join(DEADLINE_S)
    assert (["hang"], []) == (hanging.ended, hanging.done)
    assert not thread.is_alive()


def test_a_worker_gives_up_at_the_second_job_that_hangs(hanging):
    """The jobs that wait are handed back, further ones are refused, and no third thread is started."""
    put(hanging.worker, Job("hang"), Job("hang"), Job("waiting"))
    hanging.abandon()
    hanging.abandon()
    assert (["hang", "hang"], ["waiting"]) == (hanging.hung, [job.name for job in hanging.given_up])
    assert ("hung", False) == (hanging.worker.reserve(1), hanging.worker.put(Job("late")))
    assert hanging.worker.drain(0)
    assert hanging.worker._thread is None


def test_a_claimed_job_is_not_abandoned(make_worker):
    """From its claim on a job counts, however long the rest of it takes."""
    claimed, release, hung = threading.Event(), threading.Event(), []
    now = [0]

    def run(job):
        assert worker.claim(job)
        claimed.set()
        release.wait(DEADLINE_S)

    worker = make_worker(run, patience=Patience(10**12, lambda: now[0], hung.append, hung.append))
    put(worker, Job())
    assert claimed.wait(DEADLINE_S)
    now[0] = 10**15
    assert 1_000 == worker.look()
    release.set()
    assert worker.drain(DEADLINE_S)
    assert [] == hung


def test_a_listener_that_raises_leaves_the_worker_working(make_worker):
    """What cannot be told is counted, and the next job is done."""

    def fail(_job):
        raise SystemExit

    script = Hanging()
    script.worker = make_worker(script.run, patience=Patience(10**12, lambda: script.now, fail, fail))
    put(script.worker, Job("hang"), Job("next"))
    script.abandon()
    assert script.worker.drain(DEADLINE_S)
    script.release.set()
    assert (["next"], {"give_up: SystemExit": 1}) == (script.done, machinery.failures())


def test_a_worker_that_would_begin_at_exit_takes_nothing(make_worker, no_thread_starts):
    """What was reserved can be given back, and closing it waits for nothing."""
    worker = make_worker()
    no_thread_starts("can't create new thread at interpreter shutdown")
    assert (None, False) == (worker.reserve(10), worker.put(Job()))
    worker.release(10)
    assert (True, []) == (worker.drain(0), worker.close(0))


def test_a_worker_without_room_for_its_thread_says_so(make_worker, no_thread_starts):
    """That is not the end of the process, so whoever puts is told."""
    worker = make_worker()
    no_thread_starts("can't start new thread")
    assert worker.reserve(10) is None
    with pytest.raises(RuntimeError, match="can't start new thread"):
        worker.put(Job())
