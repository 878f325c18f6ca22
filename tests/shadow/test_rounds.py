"""When the ledger's thread goes round."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from fast_litellm.shadow import rounds
from fast_litellm.shadow.rounds import Rounds

DEADLINE_S = 30


@pytest.mark.parametrize(("took", "rest"), [(0.0, 1.0), (0.4, 0.6), (0.75, 0.25), (9.0, 0.25)])
def test_rounds_begin_as_often_as_is_said(monkeypatch, took, rest):
    """However long each takes; one that takes too long is followed by a break all the same."""
    clock = iter((0.0, took))
    monkeypatch.setattr(rounds, "time", SimpleNamespace(monotonic=lambda: next(clock), thread_time_ns=lambda: 0))
    made = Rounds(lambda: None, 1.0)
    waited = []

    def wait(seconds):
        waited.append(seconds)
        made.finish(lambda: None, 0.0)

    monkeypatch.setattr(made, "_wake", SimpleNamespace(wait=wait, clear=lambda: None, set=lambda: None))
    made._run()

    assert [pytest.approx(rest)] == waited


def test_what_is_done_last_is_done_by_the_thread():
    """After its present round; without one it is done at once."""
    done = []
    made = Rounds(lambda: done.append("round"), 60.0)
    made.start()
    finished = made.finish(lambda: done.append(threading.current_thread().name), DEADLINE_S)
    without = Rounds(lambda: None, None)
    finished_without = without.finish(lambda: done.append(threading.current_thread().name), DEADLINE_S)

    assert (True, True) == (finished, finished_without)
    assert ["round", "fast-litellm-ledger", threading.current_thread().name] == done


def test_nobody_waits_for_ever_for_what_is_done_last():
    """A database may not answer; what is done last may be done yet."""
    goes_on, done = threading.Event(), threading.Event()
    made = Rounds(lambda: goes_on.wait(DEADLINE_S), 60.0)
    made.start()
    finished = made.finish(done.set, 0.01)
    goes_on.set()

    assert (False, True) == (finished, done.wait(DEADLINE_S))
