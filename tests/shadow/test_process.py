"""Who wrote, and whether that process still lives."""

from __future__ import annotations

import os

from fast_litellm.shadow import process


def digest(data):
    """Stands in for a keyed digest."""
    return f"digest:{len(data)}"


def row(of, **changes):
    """A row of the process table."""
    fields = {"host": of.host, "pid": of.pid, "birth": of.birth, "last_seen": 1_000.0, "ended_at": None}
    return {**fields, **changes}


def test_the_calling_process_lives():
    """A process that has not closed its ledger and is there is not gone, however long it was silent."""
    own = process.current(digest)
    assert os.getpid() == own.pid
    assert own.host.startswith("digest:")
    assert not process.is_gone(row(own), own.host, 10**9)


def test_each_life_has_its_own_name():
    """A forked child is another process, and so is whatever is asked again."""
    assert process.current(digest).proc_uuid != process.current(digest).proc_uuid


def test_a_process_that_closed_its_ledger_is_gone():
    """A closed ledger is written no more."""
    own = process.current(digest)
    assert process.is_gone(row(own, ended_at=1.0), own.host, 1_000)


def test_a_reused_number_is_another_process():
    """The number lives, and belongs to a process that was born at another time."""
    own = process.current(digest)
    assert process.is_gone(row(own, birth="another"), own.host, 1_000)


def test_an_ended_process_is_gone(python):
    """A process that has ended is gone, also before its parent has asked for its result."""
    ended = python("")
    own = process.current(digest)
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    of_ended = row(own, pid=ended.pid, birth=process._birth(ended.pid))
    assert process.is_gone(of_ended, own.host, 1_000)
    ended.wait(30)
    assert process.is_gone(of_ended, own.host, 1_000)


def test_another_hosts_process_is_gone_when_it_is_silent():
    """What cannot be asked is believed for a minute."""
    own = process.current(digest)
    elsewhere = row(own, host="elsewhere")
    assert [False, True] == [process.is_gone(elsewhere, own.host, now) for now in (1_060.0, 1_060.1)]
