"""How often a process that ends before its time is started again."""

from __future__ import annotations

from fast_litellm.shadow.restarts import MAX_FAILURES, Restarts


class Clock:
    """Seconds, moved by hand."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def fail(restarts, times):
    """Several failures."""
    for _ in range(times):
        restarts.failed()


def test_the_first_restart_is_at_once():
    """A crash can be confirmed by running the candidate again."""
    restarts = Restarts(Clock())
    fail(restarts, 1)
    assert None is restarts.refusal()


def test_the_wait_doubles():
    """Before each restart but the first, from a tenth of a second on."""
    clock = Clock()
    restarts = Restarts(clock)
    fail(restarts, 1)
    for wait in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2):
        restarts.failed()
        began = clock.now
        clock.now = began + wait * 0.99
        assert "restarting" == restarts.refusal()
        clock.now = began + wait * 1.01
        assert None is restarts.refusal()


def test_it_ends():
    """After as many failures as are allowed, time does not help."""
    clock = Clock()
    restarts = Restarts(clock)
    fail(restarts, MAX_FAILURES)
    clock.now = 1e9
    assert "isolation_failed" == restarts.refusal()


def test_only_many_successes_make_good_a_failure():
    """One that answers every other call is not started for ever."""
    restarts = Restarts(Clock())
    for _ in range(MAX_FAILURES):
        for _ in range(99):
            restarts.succeeded()
        restarts.failed()
    assert "isolation_failed" == restarts.refusal()
    restarts = Restarts(Clock())
    for _ in range(MAX_FAILURES):
        restarts.failed()
        for _ in range(100):
            restarts.succeeded()
    assert None is restarts.refusal()
