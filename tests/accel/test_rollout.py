"""A loop that does something again and again."""

from __future__ import annotations

import os
import threading

import pytest
from structlog.testing import capture_logs

from fast_litellm import events
from fast_litellm.accel.rollout import Loop

DEADLINE_S = 30
SECONDS = 0.001


@pytest.fixture
def loop():
    """Makes loops, and ends them."""
    made = []

    def make(step):
        made.append(Loop("fast-litellm-test", step, SECONDS))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.stop(DEADLINE_S)


def test_a_step_that_fails_is_told_and_the_next_one_comes(loop):
    """Whatever it raises."""
    done = threading.Semaphore(0)

    def step():
        done.release()
        raise ZeroDivisionError

    with capture_logs() as log:
        running = loop(step)
        assert all(done.acquire(timeout=DEADLINE_S) for _ in range(2))
        running.stop(DEADLINE_S)
    assert (events.PROMOTION_FAILED, "ZeroDivisionError") == (log[0]["event"], log[0]["exception_class"])


def test_it_ends_when_it_is_told_to(loop):
    """Its thread is gone then, and no step comes any more."""
    done = threading.Semaphore(0)
    running = loop(done.release)
    assert done.acquire(timeout=DEADLINE_S)
    running.stop(DEADLINE_S)
    assert "fast-litellm-test" not in {thread.name for thread in threading.enumerate()}


def test_it_can_be_told_to_end_by_its_own_step(loop):
    """It does not wait for itself."""
    ended = threading.Event()

    def step():
        running.stop()
        ended.set()

    running = loop(step)
    assert ended.wait(DEADLINE_S)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.parametrize(("is_stopped", "expected"), [(False, b"step"), (True, b"none")])
def test_it_goes_on_in_a_forked_child(loop, is_stopped, expected):
    """On a thread of the child's own, unless it had ended."""
    done = threading.Semaphore(0)
    running = loop(done.release)
    assert done.acquire(timeout=DEADLINE_S)
    if is_stopped:
        running.stop(DEADLINE_S)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        alive = any(thread.name == "fast-litellm-test" for thread in threading.enumerate())
        os.write(writing, b"step" if alive else b"none")
        os._exit(0)
    os.waitpid(child, 0)
    assert expected == os.read(reading, 4)
    os.close(reading)
    os.close(writing)
