"""The thread that takes a step whenever it is time to look."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from fast_litellm.flags.file_events import EVENTS, Way
from fast_litellm.flags.watcher import IDLE, Watcher

POLLING = Way("polling", "as told")


def incessant(stopped):
    """Yields until stopped."""
    while not stopped.is_set():
        yield POLLING


def patient(stopped):
    """Yields once, then waits to be stopped."""
    yield EVENTS
    stopped.wait(10)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "fast-litellm-rules"]


def test_a_step_is_taken_at_each_look():
    """There are as many steps as looks, in a thread of their own."""
    steps = []
    watcher = Watcher(lambda: steps.append(threading.current_thread().name), lambda _: iter([EVENTS, POLLING]))
    watcher.start()
    watcher._thread.join()

    assert ["fast-litellm-rules"] * 2 == steps


def test_it_tells_how_it_watches():
    """Nobody asked; then what the last look said; then nobody again."""
    stepped, ways = threading.Event(), []
    watcher = Watcher(stepped.set, patient)
    ways.append(watcher.way)
    watcher.start()
    stepped.wait(10)
    ways.append(watcher.way)
    watcher.stop()

    assert [IDLE, EVENTS, IDLE] == [*ways, watcher.way]


def test_starting_twice_is_starting_once():
    """There is one thread, and it is a daemon."""
    watcher = Watcher(lambda: None, patient)
    watcher.start()
    thread = watcher._thread
    watcher.start()

    assert thread is watcher._thread
    assert thread.daemon
    watcher.stop()
    assert not watcher.is_running


def test_stopping_waits_for_the_step_under_way():
    """After stop nothing more happens."""
    stepping, go_on, done = threading.Event(), threading.Event(), []

    def step():
        stepping.set()
        go_on.wait(10)
        done.append(True)

    watcher = Watcher(step, incessant)
    watcher.start()
    stepping.wait(10)
    threading.Timer(0, go_on.set).start()
    watcher.stop()

    assert done


def test_a_step_may_stop_its_own_watcher():
    """That does not wait for itself."""
    ended = threading.Event()

    def step():
        watcher.stop()
        ended.set()

    watcher = Watcher(step, incessant)
    watcher.start()

    assert ended.wait(10)


def test_a_stopped_watcher_can_be_started_again():
    """Stop is not for ever."""
    steps = threading.Event()
    watcher = Watcher(steps.set, incessant)
    watcher.start()
    watcher.stop()
    steps.clear()
    watcher.start()

    assert steps.wait(10)
    watcher.stop()


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_starting_and_stopping_from_many_threads_leaves_no_thread_behind():
    """However starts and stops fall, none raises, and the last stop leaves nothing running."""
    watcher = Watcher(lambda: None, patient)
    together, finished = threading.Barrier(8), []

    def hammer(turn):
        together.wait(10)
        for _ in range(50):
            (watcher.start if turn % 2 else watcher.stop)()
        finished.append(turn)

    hammers = [threading.Thread(target=hammer, args=(turn,)) for turn in range(8)]
    for each in hammers:
        each.start()
    for each in hammers:
        each.join(60)
    watcher.stop()
    for thread in threads():
        thread.join(10)

    assert list(range(8)) == sorted(finished)
    assert [] == threads()


def test_a_process_that_watches_ends_in_peace(rules):
    """The thread is out of the library before the interpreter is taken down, though nobody closed the manager."""
    program = (
        "import sys, threading\n"
        "from fast_litellm.flags import FlagManager\n"
        "manager = FlagManager.from_file(sys.argv[1])\n"
        "manager.watch()\n"
        "print(threading.active_count())\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(rules)], capture_output=True, text=True, timeout=60, check=False
    )

    assert (0, "2\n") == (ended.returncode, ended.stdout)
    assert "fatal" not in ended.stderr.lower()


def test_at_exit_nothing_is_watched(no_thread_starts):
    """Where no thread starts then, as in Python 3.12.1, that is no error, and can be stopped."""
    no_thread_starts("can't create new thread at interpreter shutdown")
    watcher = Watcher(lambda: None, patient)
    watcher.start()
    assert (False, IDLE) == (watcher.is_running, watcher.way)
    watcher.stop()


def test_a_process_without_room_for_the_thread_is_told(no_thread_starts):
    """Rules that silently stay as they were would be worse."""
    no_thread_starts("can't start new thread")
    watcher = Watcher(lambda: None, patient)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        watcher.start()
    watcher.stop()
