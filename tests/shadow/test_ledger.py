"""Evidence that outlives the process."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from fast_litellm import events
from fast_litellm.accel.native import Tally
from fast_litellm.errors import LedgerError
from fast_litellm.shadow import (
    Budget,
    Epoch,
    Experiment,
    FunctionCandidate,
    Ledger,
    ShadowRunner,
    comparators,
    writing,
)
from fast_litellm.shadow.observation import Comparison, Description, Summary
from fast_litellm.shadow.store import Store

DEADLINE_S = 30
EPOCH = Epoch("feature", "build-1", "reference-1", "exact/1", "rules-1")


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def path(tmp_path):
    """Where the ledger is."""
    return tmp_path / "ledger.db"


@pytest.fixture
def make_ledger(path):
    """Makes ledgers of one file that write when told to, and closes them."""
    ledgers = []

    def make(**options):
        ledgers.append(Ledger(Store(path), **{"flush_seconds": None, **options}))
        return ledgers[-1]

    yield make
    for ledger in ledgers:
        ledger.close()


@pytest.fixture
def ledger(make_ledger):
    """A ledger that writes when told to."""
    return make_ledger()


def comparison(fingerprint="a1" * 16, *, action="none", **changes):
    """A comparison that did not match."""
    description = Description("value", "$[3]", "$[*]", fingerprint, Summary("value", "int"), Summary("value", "str"))
    return Comparison("feature", "build-1", "exact/1", "diverged", description, action=action, **changes)


def in_flight(tally, calls):
    """Accepts calls, and returns their tickets."""
    return [tally.accept() for _ in range(calls)]


def test_an_epoch_is_asked_for_once_in_a_connections_life(path):
    """Its number is never another one; another connection may be to another file."""
    store, asked = Store(path), []

    def number():
        with store.writing() as connection:
            found = writing.epoch_id(connection, EPOCH, 1.0)
            event.listen(connection, "before_cursor_execute", lambda *it: asked.append(it[2]))
            return found, writing.epoch_id(connection, EPOCH, 1.0)

    try:
        numbers = [number(), number()]
        store.close()
        path.unlink()
        again = number()
    finally:
        store.close()

    assert ([(1, 1), (1, 1)], (1, 1)) == (numbers, again)
    assert not [it for it in asked if "epoch" in it]
    with contextlib.closing(sqlite3.connect(path)) as raw:
        assert [(1,)] == raw.execute("SELECT count(*) FROM epoch").fetchall()


def test_status_adds_up_all_processes(make_ledger):
    """Two ledgers of one file are two processes, and each writes only its own counts, however often."""
    ledgers, tickets = [make_ledger(), make_ledger()], []
    for count, ledger in enumerate(ledgers, 1):
        tally = Tally()
        ledger.attach(EPOCH, tally, lambda: {"stage": "shadow", "seam": "module.function", "patched": True})
        for _ in range(count):
            tally.serve("python")
            tally.sample_out()
        tickets += in_flight(tally, 1)
        tally.shed("budget")
        assert [True, True] == [ledger.flush(), ledger.flush()]
    assert {
        "stage": "shadow",
        "seam": "module.function",
        "patched": True,
        "fingerprint": "reference-1",
        "candidate_build": "build-1",
        "served": {"python": 3, "rust": 0},
        "declined": {},
        "failed": {},
        "offered": 7,
        "sampled_out": 3,
        "compared": 0,
        "matched": 0,
        "waived": 0,
        "diverged": 0,
        "shed": {"budget": 2},
        "in_flight": 2,
        "latency": {"control": None, "candidate": None, "cpu_ns": 0},
    } == ledgers[0].status()["features"]["feature"]


def test_a_ledger_that_does_not_exist_is_empty(ledger, path):
    """Reading before anything was written says that there is nothing, and makes no file."""
    answers = (ledger.status(), ledger.epochs(), ledger.divergences(), ledger.feature_states(), ledger.audit())
    assert ({"features": {}}, [], [], [], []) == answers
    assert ledger.blocked("feature", "build-1") is None
    assert not path.exists()


def test_what_was_in_flight_when_its_process_ended_is_shed(ledger, make_ledger, tally):
    """A call that nobody will compare any more is accounted for."""
    ledger.attach(EPOCH, tally)
    tickets = in_flight(tally, 3)
    ledger.close()
    feature = make_ledger().status()["features"]["feature"]
    assert (3, {"process_died": 3}, 0) == (feature["offered"], feature["shed"], feature["in_flight"])
    assert 3 == len(tickets)


def test_each_epoch_has_its_own_evidence(ledger, tally):
    """A candidate of another build starts from nothing, and the feature's status is the sum."""
    for build, calls in (("build-1", 2), ("build-2", 5)):
        ledger.attach(Epoch("feature", build), tally)
        for _ in range(calls):
            tally.sample_out()
    ledger.flush()
    readings = [(epoch["candidate_build"], epoch["offered"]) for epoch in ledger.epochs("feature")]
    assert [("build-1", 2), ("build-2", 5)] == readings
    assert 7 == ledger.status()["features"]["feature"]["offered"]
    assert [] == ledger.epochs("another")


def test_a_call_in_flight_while_the_epoch_changes_is_counted_once(ledger, tally):
    """It belongs to the epoch in which it was accepted, and both epochs stay balanced."""
    ledger.attach(EPOCH, tally)
    first, second = in_flight(tally, 2)
    ledger.attach(Epoch("feature", "build-2"), tally)
    first.compare("matched")
    ledger.flush()
    second.compare("matched")
    ledger.flush()
    ledger.flush()
    readings = [(it["offered"], it["compared"], it["in_flight"]) for it in ledger.epochs("feature")]

    assert [(2, 2, 0), (0, 0, 0)] == readings


def test_a_parent_that_closes_does_not_take_the_childs_evidence_along(ledger, make_ledger, tally):
    """What a forked child commits stays, whether or not its parent has closed the ledger meanwhile."""
    ledger.attach(EPOCH, tally)
    tally.sample_out()
    ledger.flush()
    go, come = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            tally.sample_out()
            ledger.flush()
            os.write(come[1], b"1")
            os.read(go[0], 1)
            tally.sample_out()
            os.write(come[1], b"2" if ledger.flush() else b"-")
        finally:
            os._exit(0)
    os.read(come[0], 1)
    ledger.close()
    os.write(go[1], b"1")
    said = os.read(come[0], 1)
    os.waitpid(child, 0)

    assert (b"2", 3) == (said, make_ledger().status()["features"]["feature"]["offered"])


def test_a_closed_ledger_takes_no_childs_counts(ledger, make_ledger, tally):
    """In a forked child the counters belong to the ledger they were attached to last."""
    ledger.attach(EPOCH, tally)
    ledger.close()
    others = [make_ledger() for _ in range(8)]
    for other in others:
        other.attach(EPOCH, tally)
        if other is not others[-1]:
            other.close()
    child = os.fork()
    if child == 0:
        try:
            tally.sample_out()
            others[-1].flush()
        finally:
            os._exit(0)
    os.waitpid(child, 0)

    assert 1 == make_ledger().status()["features"]["feature"]["offered"]


def test_what_is_no_json_is_written_as_its_type(ledger, make_ledger, tally):
    """The text of an object could be content."""
    ledger.attach(EPOCH, tally, lambda: {"stage": Clock()})
    ledger.flush()

    assert "Clock" == make_ledger().status()["features"]["feature"]["stage"]


def test_divergence_classes_are_counted_over_processes(make_ledger, tally):
    """A class is one row, however many processes have seen it, with the earliest and the latest sighting."""
    clock = Clock()
    for second in (5.0, 3.0, 9.0):
        clock.now = second
        ledger = make_ledger(clock=clock)
        ledger.attach(EPOCH, Tally())
        ledger.record(comparison())
        ledger.record(comparison(confirmed_on_rerun=second == 3.0))
        assert ledger.flush()
    assert [
        {
            "fingerprint": "a1" * 16,
            "feature": "feature",
            "candidate_build": "build-1",
            "comparator": "exact/1",
            "kind": "value",
            "pattern": "$[*]",
            "control_type": "int",
            "candidate_type": "str",
            "first_seen": 3.0,
            "last_seen": 9.0,
            "count": 6,
            "processes": 3,
            "state": "confirmed",
        }
    ] == ledger.divergences("feature")
    assert [] == ledger.divergences("another")


def test_a_class_is_shown_with_its_samples(ledger):
    """The beginning of a fingerprint suffices as long as it is the beginning of one."""
    ledger.record(comparison("a1" + "0" * 30, candidate_ns=7))
    ledger.record(comparison("a2" + "0" * 30))
    ledger.flush()
    shown = ledger.show("a1")
    assert ("a1" + "0" * 30, 1) == (shown["fingerprint"], shown["count"])
    assert [("$[3]", 7)] == [(sample["path"], sample["candidate_ns"]) for sample in shown["samples"]]
    with pytest.raises(LedgerError, match="2 divergence classes begin with 'a'"):
        ledger.show("a")
    with pytest.raises(LedgerError, match="0 divergence classes begin with 'b'"):
        ledger.show("b")


def test_a_block_is_found_by_later_processes(ledger, make_ledger, tally):
    """The comparison that blocked a build blocks it for every process that asks; another build is free."""
    ledger.attach(EPOCH, tally)
    ledger.record(comparison(action="blocked"))
    ledger.close()
    later = make_ledger()
    assert ["a1" * 16, None] == [later.blocked("feature", build) for build in ("build-1", "build-2")]
    assert "blocked" == later.status()["features"]["feature"]["stage"]
    assert [("", "blocked", "auto", "a1" * 16)] == [
        (row["from_state"], row["to_state"], row["actor"], row["reason"]) for row in later.audit("feature")
    ]


def test_a_person_can_lift_a_block(ledger):
    """Every change of state is on the audit trail, in order, with who and why."""
    ledger.record(comparison(action="blocked"))
    ledger.flush()
    ledger.record_transition("feature", "build-1", "released", actor="ada", reason="expected")
    assert ledger.blocked("feature", "build-1") is None
    assert [("", "blocked"), ("blocked", "released")] == [
        (row["from_state"], row["to_state"]) for row in ledger.audit()
    ]
    assert [("released", "ada")] == [(row["state"], row["actor"]) for row in ledger.feature_states()]


def test_a_locked_database_is_tried_again(ledger, tally, path, log):
    """While another program holds the database nothing is lost, and the outage is logged once."""
    ledger.attach(EPOCH, tally)
    assert ledger.flush()
    tally.sample_out()
    ledger.record(comparison(action="blocked"))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert [False, False] == [ledger.flush(), ledger.flush()]
    assert (2, 1) == (ledger.failures, [entry["event"] for entry in log].count(events.LEDGER_UNAVAILABLE))
    assert ledger.flush()
    assert 1 == ledger.status()["features"]["feature"]["offered"]
    assert (1, 1) == (ledger.divergences()[0]["count"], len(ledger.audit()))


def test_a_broken_database_reaches_no_writer(ledger, tally, path, log):
    """A file that is no database is left as it is; once it is gone everything counted so far is written."""
    path.write_bytes(b"this is not a database" * 100)
    ledger.attach(EPOCH, tally)
    tally.sample_out()
    ledger.record(comparison())
    assert not ledger.flush()
    assert [(events.LEDGER_UNAVAILABLE, "DatabaseError")] == [(it["event"], it["exception_class"]) for it in log]
    with pytest.raises(LedgerError, match="cannot be read"):
        ledger.status()
    with pytest.raises(LedgerError, match="cannot be written"):
        ledger.record_transition("feature", "build-1", "released", actor="ada", reason="expected")
    path.unlink()
    assert ledger.flush()
    assert 1 == ledger.status()["features"]["feature"]["offered"]


def test_a_place_that_cannot_be_written_reaches_no_writer(tmp_path, tally, log):
    """A directory that is a file, as a full or read-only disk, is an outage like any other."""
    (tmp_path / "file").write_text("")
    ledger = Ledger(Store(tmp_path / "file" / "ledger.db"), flush_seconds=None)
    ledger.attach(EPOCH, tally)
    ledger.record(comparison())
    assert 32 == len(ledger.key)
    assert not ledger.flush()
    assert {events.LEDGER_UNAVAILABLE, events.MACHINERY_FAILED} == {entry["event"] for entry in log}
    ledger.close()


def test_a_full_database_keeps_what_it_had(ledger, tally, monkeypatch):
    """When the disk is full, the transaction is rolled back, and the next one has it all."""
    ledger.attach(EPOCH, tally)
    tally.sample_out()
    assert ledger.flush()
    tally.sample_out()
    with monkeypatch.context() as patch:
        patch.setattr("fast_litellm.shadow.writing.write_report", _disk_full)
        assert not ledger.flush()
    assert 1 == ledger.status()["features"]["feature"]["offered"]
    assert ledger.flush()
    assert 2 == ledger.status()["features"]["feature"]["offered"]


def _disk_full(*_):
    raise sqlite3.OperationalError("database or disk is full")


def test_a_removed_database_is_made_again_with_everything(ledger, tally, path):
    """Counts are absolute: a ledger that somebody deleted has this process's part after one write, and it is said."""
    ledger.attach(EPOCH, tally)
    tally.sample_out()
    ledger.record(comparison())
    assert ledger.flush()
    for file in filter(Path.is_file, path.parent.glob("ledger.db*")):
        file.unlink()
    tally.sample_out()
    with capture_logs() as logs:
        assert ledger.flush()
        assert ledger.flush()
    assert [("shadow.ledger_replaced", "warning")] == [(log["event"], log["log_level"]) for log in logs]
    assert (2, 1) == (ledger.status()["features"]["feature"]["offered"], ledger.divergences()[0]["count"])


def test_nothing_is_written_when_nothing_has_changed(make_ledger, tally, path):
    """An idle process writes a sign of life every quarter of a minute and nothing else."""
    clock = Clock()
    ledger = make_ledger(clock=clock)
    ledger.attach(EPOCH, tally)
    ledger.flush()
    seen = []
    for clock.now in (1_001.0, 1_014.0, 1_015.0):
        ledger.flush()
        with contextlib.closing(sqlite3.connect(path)) as connection:
            seen.append(connection.execute("SELECT last_seen FROM process").fetchone()[0])
    assert [1_000.0, 1_000.0, 1_015.0] == seen


def test_a_block_is_written_at_once(make_ledger, tally):
    """A block does not wait for the next regular write, which here would come in an hour."""
    ledger = make_ledger(flush_seconds=3_600)
    ledger.attach(EPOCH, tally)
    assert _soon(lambda: ledger.status()["features"])
    ledger.record(comparison(action="blocked"))
    assert _soon(lambda: ledger.blocked("feature", "build-1"))


def _soon(is_so):
    deadline = time.monotonic() + DEADLINE_S
    while not is_so() and time.monotonic() < deadline:
        pass
    return is_so()


def test_no_thread_outlives_a_closed_ledger(make_ledger, tally):
    """The writer thread writes by itself and ends with its ledger."""
    ledger = make_ledger(flush_seconds=0.001)
    ledger.attach(EPOCH, tally)
    thread = ledger._rounds.thread
    assert thread.daemon
    ledger.close()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


def test_no_content_is_in_any_file(ledger, make_runner, tally, tmp_path):
    """A canary in every argument, key, value and message is in no byte of the ledger, its log or its key."""
    canary = "canary-7f3a"

    def candidate(*_args, **_kwargs):
        raise ValueError(canary)

    ledger.attach(EPOCH, tally)
    for other in (lambda *args, **kwargs: {canary: [canary, 1]}, candidate):
        runner = make_runner(lambda *args, **kwargs: {canary: [canary]}, other, sink=ledger)
        runner.observe((canary, {canary: [canary]}), {"user": canary})
        assert runner.drain(DEADLINE_S)
    assert ledger.flush()
    assert 2 == len(ledger.divergences())
    contents = {path.suffix: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {".db", ".db-wal", ".key", ".ring"} <= set(contents)
    assert [] == [name for name, content in contents.items() if canary.encode() in content]


def test_classes_beyond_what_a_ledger_holds_are_counted_among_the_overflow(make_ledger, monkeypatch):
    """Over all processes, however often each of them writes; no sighting is lost."""
    monkeypatch.setattr(writing, "MAX_CLASSES", 3)
    first, second = make_ledger(), make_ledger()
    for ledger, names in ((first, "ab"), (second, "bcde"), (first, "af")):
        ledger.attach(EPOCH, Tally())
        for name in names:
            ledger.record(comparison(name * 32))
        assert ledger.flush()
    second.record(comparison("d" * 32))
    second.flush()
    found = {record["fingerprint"][:8]: record["count"] for record in first.divergences("feature")}

    assert {"a" * 8: 2, "b" * 8: 2, "c" * 8: 1, "overflow": 4} == found


def test_a_program_draws_the_numbers_that_it_would_draw_without(ledger):
    """Its own generator is nobody else's, not even when every call differs and is recorded."""

    def drawn(call):
        random.seed(11)
        return [(call(number), random.random())[1] for number in range(200)]

    tally = Tally()
    ledger.attach(EPOCH, tally)
    experiment = Experiment("feature", abs, FunctionCandidate(str), comparators.exact)
    runner = ShadowRunner(experiment, tally=tally, sink=ledger, budget=Budget(1))

    def observe(number):
        assert number == runner.observe((number,), {})
        assert runner.drain(DEADLINE_S)  # whatever is recorded is recorded before the next number is drawn

    assert drawn(abs) == drawn(observe)
    runner.close()
    assert 200 == tally.reading()["diverged"]


def test_what_the_ledgers_thread_takes_is_told(make_ledger):
    """So that it can be paid from the budget of comparisons."""
    spent, told = [], threading.Event()

    def spend(nanoseconds):
        spent.append(nanoseconds)
        told.set()

    ledger = make_ledger(flush_seconds=3600.0, spend=spend)
    ledger.attach(EPOCH, Tally())
    assert told.wait(DEADLINE_S)
    assert min(spent) > 0
