"""The thread that looks after work which may never end."""

from __future__ import annotations

import queue
import threading

import pytest

from fast_litellm.shadow import machinery
from fast_litellm.shadow.deadline import Watchdog

DEADLINE_S = 30


class Watched:
    """Says in how many seconds it is to be looked at again, and tells the test that it was."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.looks = queue.SimpleQueue()

    def look(self):
        self.looks.put(threading.current_thread())
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def watchdog():
    """One of the test's own; its thread sleeps on when the test is over."""
    return Watchdog()


def looked_at(watched):
    """Waits for a look."""
    return watched.looks.get(timeout=DEADLINE_S)


def test_no_thread_is_started_for_nothing(watchdog):
    """A process in which nothing is shadowed costs no thread."""
    assert watchdog._thread is None


def test_each_is_looked_at_when_its_time_has_come(watchdog):
    """One daemon thread looks at the earliest first, whatever the order of the requests."""
    late, early = Watched(), Watched()
    watchdog.expect(late, 3_600)
    watchdog.expect(early, 0.001)
    thread = looked_at(early)
    assert (True, True) == (thread.daemon, late.looks.empty())


def test_what_is_still_busy_is_looked_at_again(watchdog):
    """As often as it says, and not after it has said nothing."""
    watched = Watched(0.001, 0.001, None)
    watchdog.expect(watched, 0)
    assert 1 == len({looked_at(watched) for _ in range(3)})
    other = Watched()
    watchdog.expect(other, 0.001)
    looked_at(other)
    assert watched.looks.empty()


def test_a_look_that_raises_ends_no_other(watchdog):
    """The failure is counted, and the next is looked at."""
    watchdog.expect(Watched(SystemExit()), 0)
    other = Watched()
    watchdog.expect(other, 0.001)
    looked_at(other)
    assert {"look_after: SystemExit": 1} == machinery.failures()


def test_a_forked_child_looks_after_its_own(python):
    """What the parent waits for is nothing to the child, whose own thread looks after what the child asks for."""
    program = """
        import os, threading
        from fast_litellm.shadow.deadline import Watchdog

        class Watched:
            def __init__(self, name):
                self.name, self.seen = name, threading.Event()

            def look(self):
                print(self.name, flush=True)
                self.seen.set()

        watchdog = Watchdog()
        watchdog.expect(Watched("parent's"), 3600)
        child = os.fork()
        if not child:
            watched = Watched("child's")
            watchdog.expect(watched, 0)
            watched.seen.wait(30)
            os._exit(0)
        os.waitpid(child, 0)
    """
    out, _ = python(program).communicate(timeout=DEADLINE_S)
    assert "child's" == out.strip()


@pytest.mark.parametrize(
    ("says", "counted"),
    [
        ("can't create new thread at interpreter shutdown", {}),
        ("can't start new thread", {"start_watchdog: RuntimeError": 1}),
    ],
)
def test_a_thread_that_cannot_start_is_a_failure_unless_the_process_ends(watchdog, no_thread_starts, says, counted):
    """Nothing is raised either way."""
    no_thread_starts(says)
    watchdog.expect(Watched(), 0)
    assert (counted, None) == (machinery.failures(), watchdog._thread)
