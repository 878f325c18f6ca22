"""What the ledger forgets, and what it never does."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select, update

from fast_litellm.accel.native import Shaper, Tally
from fast_litellm.shadow import Epoch, Ledger, engine, folding, recovery, retention, schema
from fast_litellm.shadow.evaluations import Evaluation
from fast_litellm.shadow.observation import Comparison, Description
from fast_litellm.shadow.process import Process
from fast_litellm.shadow.ring import Left
from fast_litellm.shadow.timing import Times

DAY = 86_400.0
SHAPES = [Shaper("plain").shape((text,)) for text in ("word", "a much longer text")]
EPOCH = Epoch("feature", "build-1", "reference", "exact/1", "rules")


@pytest.fixture
def lead(open_ledger):
    """A ledger, and its clock, which starts when the test does."""
    ledger = open_ledger()
    ledger.clock_ahead = 0.0
    real = ledger._clock
    ledger._clock = lambda: real() + ledger.clock_ahead
    return ledger


def comparison(number):
    """One of three classes."""
    return Comparison(
        "feature", "build-1", "exact/1", "diverged", Description("value", fingerprint=f"{number % 3}" * 32)
    )


def live(ledger, first, epoch=EPOCH):
    """A process's life: it counts in both shapes, differs now and then, is timed, leaves one in flight, and ends."""
    tally = Tally()
    ledger.attach(epoch, tally, lambda: {"stage": f"stage {first}"})
    for number in range(first, first + 20):
        digest = engine.current().digest(bytes(16), number)
        tally.accept(SHAPES[number % 2]).compare("matched", digest)
        tally.shed("budget", SHAPES[0])
        ledger.record_times("feature", Times(100, 90 + number, 100, 90))
    ledger.record(comparison(first))
    ticket = tally.accept(SHAPES[0])
    ledger.flush()
    ledger.close()
    del ticket


def rows_of(ledger, table):
    """How many rows a table has."""
    with ledger._store.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar()


def seen(ledger):
    """What a reader sees, without the number of processes."""
    evidence = ledger.evidence("feature")
    classes = [{**it, "processes": 0} for it in ledger.divergences()]
    return ledger.status(), evidence, sorted(classes, key=lambda it: it["fingerprint"])


def test_ended_processes_are_added_up_and_nothing_is_lost(lead, open_ledger):
    """A reader sees the same counts, shapes, distinct inputs, timings, classes and hosts as before."""
    for number in range(12):
        live(open_ledger(), number * 10)
    before = seen(lead)
    assert (12, 24) == (rows_of(lead, schema.COUNTER), rows_of(lead, schema.SHAPE_COUNTER))
    lead.clock_ahead = 8 * DAY
    assert lead.tidy()
    assert (1, 1, 3) == tuple(rows_of(lead, it) for it in (schema.COUNTER, schema.TIMING, schema.SIGHTING))
    lead.clock_ahead = 0.0
    assert before == seen(lead)
    assert (130, 1) == (before[1].shapes[0].distinct + before[1].shapes[1].distinct, before[1].hosts)


def test_adding_up_goes_on_where_it_was(lead, open_ledger):
    """The second time the sum is one of the parts."""
    expected = None
    for number in range(6):
        live(open_ledger(), number * 10)
        expected = lead.status()
        lead.clock_ahead = (number + 1) * 8 * DAY
        assert lead.tidy()
        lead.clock_ahead = 0.0
        assert expected == lead.status()
    assert 1 == rows_of(lead, schema.COUNTER)


def test_running_and_lately_ended_processes_keep_their_rows(lead, open_ledger):
    """Only who has ended a week ago will not write again for certain."""
    live(open_ledger(), 0)
    running, tally = open_ledger(), Tally()
    running.attach(EPOCH, tally)
    running.flush()
    lead.clock_ahead = 6 * DAY
    lead.tidy()
    assert 2 == rows_of(lead, schema.COUNTER)
    lead.clock_ahead = 80 * DAY
    lead.tidy()
    tally.shed("budget")
    assert running.flush()
    assert 21 == lead.status()["features"]["feature"]["shed"]["budget"]


def test_what_a_ring_still_holds_is_not_added_twice(lead, open_ledger):
    """A process was recovered and added up, and its ring is found once more."""
    live(open_ledger(), 0)
    lead.clock_ahead = 8 * DAY
    lead.tidy()
    with lead._store.reading() as connection:
        row = connection.execute(select(schema.PROCESS).where(schema.PROCESS.c.folded == 1)).mappings().one()
    before = lead.status()
    left = Left(Process(row["host"], row["pid"], row["birth"], row["proc_uuid"]), {}, [(_block(), _reading(), [])], [])
    with lead._store.writing() as connection:
        assert folding.is_folded(connection, row["proc_uuid"])
        recovery.write(connection, left, lead._clock())
    assert before == lead.status()


def _block():
    return json.dumps(["account", 0, "feature", "build-1", "reference", "exact/1", "rules", "plain"])


def _reading():
    tally = Tally()
    tally.shed("budget")
    return tally.reading()


def test_old_samples_are_forgotten_and_their_class_is_not(lead, open_ledger):
    """A build that differed has differed."""
    live(open_ledger(), 0)
    (found,) = lead.divergences()
    assert 1 == len(lead.show(found["fingerprint"])["samples"])
    lead.clock_ahead = 31 * DAY
    lead.tidy()
    assert (found, []) == (lead.divergences()[0], lead.show(found["fingerprint"])["samples"])


def test_the_shapes_of_a_superseded_epoch_are_forgotten_and_its_counts_are_not(lead, open_ledger):
    """The latest epoch of a feature keeps everything, however old it is."""
    live(open_ledger(), 0, Epoch("feature", "build-0", "reference", "exact/1", "rules"))
    live(open_ledger(), 0)
    lead.clock_ahead = 100 * DAY
    before = lead.status()["features"]["feature"]["offered"]
    lead.tidy()
    assert before == lead.status()["features"]["feature"]["offered"]
    assert ["build-1"] == [it["candidate_build"] for it in lead.divergences()]
    assert 20 == sum(it.account.matched for it in lead.evidence("feature").shapes)


def test_evaluations_are_bounded_in_number_and_age(lead, monkeypatch):
    """The last ones of each feature are kept for a while."""
    monkeypatch.setattr(retention, "MAX_EVALUATIONS", 5)
    lead.attach(EPOCH, Tally())
    assert lead.flush()
    for number in range(9):
        lead.record_gate_evaluation(Evaluation(EPOCH, number, "hold"))
    lead.tidy()
    assert [8, 7, 6, 5, 4] == [it["step"] for it in lead.gate_evaluations("feature")]
    lead.clock_ahead = 91 * DAY
    lead.tidy()
    assert [] == lead.gate_evaluations("feature")


def test_expired_captures_are_gone(lead):
    """Sealed or not."""
    lead.attach(EPOCH, Tally())
    assert lead.flush()
    row = {"uid": "1", "feature": "feature", "fingerprint": "a1", "candidate_build": "1", "at": 0.0, "sealed": b"x"}
    with lead._store.writing() as connection:
        connection.execute(schema.CAPTURE.insert().values(**row, expires_at=lead._clock() + 60))
    lead.tidy()
    assert 1 == rows_of(lead, schema.CAPTURE)
    lead.clock_ahead = 61
    lead.tidy()
    assert 0 == rows_of(lead, schema.CAPTURE)


def test_the_audit_trail_is_never_shortened(lead, open_ledger):
    """Its chain holds for ever."""
    live(open_ledger(), 0)
    lead.attach(EPOCH, Tally())
    lead.record(Comparison("feature", "build-1", "exact/1", "diverged", Description("value"), action="blocked"))
    assert lead.flush()
    before = lead.audit()
    lead.clock_ahead = 1_000 * DAY
    lead.tidy()
    assert (1, before, None) == (len(before), lead.audit(), lead.first_break())


def test_what_a_thousand_restarts_leave_is_a_few_rows(lead, open_ledger):
    """The ledger does not grow with the number of processes that ever were."""
    live(open_ledger(), 0)
    with lead._store.writing() as connection:
        for number in range(400):
            row = {"host": "h", "pid": 7, "birth": "1", "versions": "{}", "started_at": 0.0, "last_seen": 1.0}
            uuid = {"proc_uuid": f"{number}"}
            connection.execute(schema.PROCESS.insert().values(**row, **uuid, ended_at=1.0))
            counter = {"epoch_id": 1, "counts": json.dumps(_flat()), "labels": "{}", "updated_at": 1.0}
            connection.execute(schema.COUNTER.insert().values(**counter, **uuid))
    for _ in range(3):
        lead.tidy()
    assert (2, 2) == (rows_of(lead, schema.COUNTER), rows_of(lead, schema.PROCESS))


def _flat():
    return {**dict.fromkeys(("offered", "sampled_out", "compared", "matched", "waived", "diverged", "in_flight"), 0)}


def test_a_ledger_that_is_not_there_is_not_made(tmp_path):
    """Nothing is forgotten of nothing."""
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", flush_seconds=None)
    assert not ledger.tidy()
    assert [] == list(tmp_path.iterdir())
    ledger.close()


def test_a_host_that_vanished_does_not_hold_the_gate_for_ever(lead, open_ledger):
    """Silent for a minute, it is waited for; silent for an hour, it is gone."""
    running = open_ledger()
    running.attach(EPOCH, Tally())
    running.flush()
    found = []
    for age in (30.0, 120.0, 3_000.0, 4_000.0):
        with running._store.writing() as connection:
            connection.execute(update(schema.PROCESS).values(last_seen=lead._clock() - age, host="other"))
        found.append(lead.evidence("feature").silent)
    assert [0, 1, 1, 0] == found
