"""The thread that looks at the file every second."""

from __future__ import annotations

import threading

from fast_litellm.flags.watcher import INTERVAL, Watcher


def test_a_step_is_taken_after_each_interval():
    """The watcher waits, steps, and ends when the wait says so."""
    waits = iter([False, False, True])
    asked, steps = [], []
    watcher = Watcher(
        lambda: steps.append(threading.current_thread().name), lambda _, seconds: asked.append(seconds) or next(waits)
    )
    watcher.start()
    watcher._thread.join()

    assert [INTERVAL] * 3 == asked
    assert ["fast-litellm-rules"] * 2 == steps


def test_starting_twice_is_starting_once():
    """There is one thread, and it is a daemon."""
    watcher = Watcher(lambda: None)
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

    watcher = Watcher(step, lambda stopped, _: stopped.is_set())
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

    watcher = Watcher(step, lambda stopped, _: stopped.is_set())
    watcher.start()

    assert ended.wait(10)


def test_a_stopped_watcher_can_be_started_again():
    """Stop is not for ever."""
    steps = threading.Event()
    watcher = Watcher(steps.set, lambda stopped, _: stopped.is_set())
    watcher.start()
    watcher.stop()
    steps.clear()
    watcher.start()

    assert steps.wait(10)
    watcher.stop()
