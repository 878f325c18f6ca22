"""Stopping a thread that waits for something else than for being stopped."""

from __future__ import annotations

import threading

from fast_litellm.flags.stopping import Stop


def test_whoever_wants_to_be_told_is_told_while_they_wait():
    """Not of what was before, and not afterwards."""
    stop, told = Stop(), []
    stop.set()
    with stop.telling(lambda: told.append("early")):
        before = list(told)
        stop.set()
    stop.set()

    assert ([], ["early"], True) == (before, told, stop.is_set())


def test_it_is_an_event():
    """Who waits for itself is woken as ever."""
    stop = Stop()
    threading.Timer(0, stop.set).start()

    assert stop.wait(10)
