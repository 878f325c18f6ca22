"""Pauses that every process of a ledger obeys."""

from __future__ import annotations

import os
import threading

import pytest

from fast_litellm import events
from fast_litellm.shadow import Ledger, Pause

DEADLINE_S = 30


@pytest.fixture
def url(tmp_path):
    """Where the ledger is."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def make_ledger(url):
    """Makes ledgers that look when told to, and closes them."""
    ledgers = []

    def make(**options):
        ledgers.append(Ledger.open(url, **{"flush_seconds": None, **options}))
        return ledgers[-1]

    yield make
    for ledger in ledgers:
        ledger.close()


def fleet(feature, state="paused", until=None, scope="fleet"):
    """A word of Ada's."""
    return Pause(feature, state, scope, "ada", "latency", until)


def test_whoever_starts_later_is_told_at_once(make_ledger):
    """Before its first decision, and of all that is paused."""
    make_ledger().record_pause(fleet("parser"))
    make_ledger().record_pause(fleet("router", until=2e9))
    told = []
    make_ledger().follow(told.append)
    assert [{"parser": None, "router": 2e9}] == told


def test_a_running_process_is_told_of_each_change_once(make_ledger):
    """By its ledger's thread, which looks as often as it writes."""
    told, changed = [], threading.Semaphore(0)

    def listener(pauses):
        told.append(dict(pauses))
        changed.release()

    make_ledger(flush_seconds=0.005).follow(listener)
    for word in (fleet("parser"), fleet("router"), fleet("parser", "running")):
        make_ledger().record_pause(word)
        assert changed.acquire(timeout=DEADLINE_S)
    assert [{"parser": None}, {"parser": None, "router": None}, {"router": None}] == told


def remove(path):
    path.unlink()


def garble(path):
    path.write_bytes(b"no database" * 100)


@pytest.mark.parametrize(("spoil", "logged"), [(remove, 0), (garble, 1)])
def test_what_was_last_seen_holds_while_the_ledger_is_out_of_reach(make_ledger, tmp_path, log, spoil, logged):
    """An outage is no permission to go on; a broken file is logged once."""
    make_ledger().record_pause(fleet("parser"))
    told = []
    follower = make_ledger()
    follower.follow(told.append)
    for file in tmp_path.glob("ledger.db-*"):
        file.unlink()
    spoil(tmp_path / "ledger.db")
    for _ in range(3):
        follower.look()
    assert [{"parser": None}] == told
    assert logged == [event["event"] for event in log].count(events.LEDGER_UNAVAILABLE)


def test_a_listener_that_fails_is_counted_and_stops_nothing(make_ledger):
    """The ledger goes on writing."""
    make_ledger().record_pause(fleet("parser"))
    ledger = make_ledger()
    ledger.follow(lambda _: 1 / 0)
    assert ledger.flush()


def test_a_pause_of_a_host_is_noted_and_binds_nobody(make_ledger):
    """It is in the audit trail, with who, why and until when."""
    ledger = make_ledger()
    ledger.record_pause(fleet("parser", scope="host", until=2e9))
    ledger.record_pause(fleet("parser"))
    ledger.record_pause(fleet("parser", "running"))
    told = ("from_state", "to_state", "actor", "reason", "scope", "until")
    assert [
        ("", "paused", "ada", "latency", "host", 2e9),
        ("", "paused", "ada", "latency", "fleet", None),
        ("paused", "running", "ada", "latency", "fleet", None),
    ] == [tuple(row[name] for name in told) for row in ledger.audit("parser")]
    assert {} == ledger.pauses()


def test_a_pause_whose_time_is_over_is_not_listed(make_ledger):
    """The clock ends it, without a row."""
    ledger = make_ledger()
    ledger.record_pause(fleet("parser", until=1.0))
    ledger.record_pause(fleet("router"))
    assert {"router": None} == ledger.pauses()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_goes_on_following(make_ledger):
    """Its thread is its own."""
    changed = threading.Event()
    make_ledger(flush_seconds=0.005).follow(lambda _: changed.set())
    child = os.fork()
    if not child:
        os._exit(0 if changed.wait(DEADLINE_S) else 1)
    make_ledger().record_pause(fleet("parser"))
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
