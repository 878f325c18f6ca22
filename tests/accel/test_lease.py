"""For how long candidates may answer without word from the ledger."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from fast_litellm import events
from fast_litellm.accel.lease import LOOK_SECONDS, Lease

SECONDS = 2.0


@pytest.fixture
def ledger():
    """Says for how long it was silent."""
    return SimpleNamespace(silence=0.0)


@pytest.fixture
def told():
    """What the rules were told."""
    return []


@pytest.fixture
def lease(ledger, told):
    """One that begins while the ledger is heard."""

    def hold_lease(*, is_held):
        told.append(is_held)

    made = Lease(SECONDS, ledger, SimpleNamespace(hold_lease=hold_lease))
    made.begin()
    return made


def test_it_is_held_while_the_ledger_is_heard(lease, ledger, told):
    """Nobody is told what is so from the beginning."""
    for silence in (0.1, 1.1, 0.0):
        ledger.silence = silence
        lease.look()

    assert [] == told


def test_it_has_ended_when_its_time_is_over_and_is_held_again_at_once(lease, ledger, told):
    """A look comes every so often, and two of them have to say so: their time is part of the lease's."""
    with capture_logs() as log:
        ledger.silence = SECONDS - 2 * LOOK_SECONDS
        while ledger.silence < SECONDS:
            lease.look()
            ledger.silence += LOOK_SECONDS
        ended = list(told)
        ledger.silence = 0.0
        lease.look()

    assert ([False], [False, True]) == (ended, told)
    assert [events.LEASE_ENDED, events.LEASE_RENEWED] == [it["event"] for it in log]


def test_one_late_look_ends_nothing(lease, ledger, told):
    """A process that was stopped for a while had no time to ask: it is asked again, and the ledger with it."""
    for silence in (60.0, 0.1, 60.0, 0.1):
        ledger.silence = silence
        lease.look()

    assert [] == told


def test_it_is_not_held_before_the_ledger_was_heard(ledger, told):
    """Whatever was taken back before this process began is not known yet."""
    ledger.silence = float("inf")

    def hold_lease(*, is_held):
        told.append(is_held)

    lease = Lease(SECONDS, ledger, SimpleNamespace(hold_lease=hold_lease))
    lease.begin()
    first = list(told)
    ledger.silence = 0.0
    lease.look()

    assert ([False], [False, True]) == (first, told)
