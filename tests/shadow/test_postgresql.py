"""The ledger that many hosts share."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from fast_litellm.accel.native import Tally
from fast_litellm.errors import LedgerError
from fast_litellm.shadow import Epoch, Ledger, Pause, database, postgresql
from fast_litellm.shadow.observation import Comparison, Description, Summary

TURNS = 30
DOOMED = """
import sys
import time
from fast_litellm.accel.native import Tally
from fast_litellm.shadow import Epoch, Ledger

ledger, tally = Ledger.open(sys.argv[1], flush_seconds=0.01), Tally()
ledger._start()  # as it is where the fleet is followed: the thread is there first
ledger.attach(Epoch("feature", "build-1", "reference-1", "exact/1", "rules-1"), tally)
for _ in range(200):
    tally.accept(0).compare("matched")
while (found := ledger.status()["features"].get("feature")) is None or found["offered"] < 200:
    time.sleep(0.01)
print("written", flush=True)
time.sleep(60)
"""
EPOCH = Epoch("feature", "build-1", "reference-1", "exact/1", "rules-1")


@pytest.fixture
def make_ledger(postgresql_url):
    """Makes ledgers of the database that write when told to, and closes them."""
    ledgers = []

    def make(**options):
        ledgers.append(Ledger.open(postgresql_url, flush_seconds=None, **options))
        return ledgers[-1]

    yield make
    for ledger in ledgers:
        ledger.close()


def comparison(fingerprint, *, action="none"):
    """A comparison that did not match."""
    description = Description("value", "$", "$", fingerprint, Summary("value", "int"), Summary("value", "int"))
    return Comparison("feature", "build-1", "exact/1", "diverged", description, action=action)


def is_written(ledger):
    """On a busy machine it may not be a ledger's turn in time; then it keeps what it has for the next."""
    return any(ledger.flush() for _ in range(TURNS))


def test_many_hosts_add_up(make_ledger):
    """A hundred hosts with eight workers each write at the same time, twice: the sum is exact in every shape."""

    def work(number):
        ledger, tally = make_ledger(), Tally()
        ledger.attach(EPOCH, tally)
        for shape in (0, 2**61 + 1):
            tally.accept(shape).compare("matched")
            tally.shed("budget", shape)
        if number % 100 == 0:
            ledger.record(comparison("a1" * 16))
        written = [is_written(ledger)]
        tally.sample_out(2**61 + 1)
        written.append(is_written(ledger))
        ledger.close()
        return written

    make_ledger().flush()
    with ThreadPoolExecutor(8) as pool:
        assert [[True, True]] * 800 == list(pool.map(work, range(800)))
    reader = make_ledger()
    feature = reader.status()["features"]["feature"]
    evidence = reader.evidence("feature")

    assert (4_000, 800, 1_600, {"budget": 1_600}) == tuple(
        feature[name] for name in ("offered", "sampled_out", "matched", "shed")
    )
    assert [1_600, 2_400] == [shape.account.offered for shape in evidence.shapes]
    assert [("a1" * 16, 8, 8)] == [(it["fingerprint"], it["count"], it["processes"]) for it in reader.divergences()]


def test_every_host_has_the_same_key(make_ledger):
    """Digests of one value agree, or the classes of two hosts would be two."""
    assert (1, 32) == (len({make_ledger().key for _ in range(3)}), len(make_ledger().key))


def test_a_process_is_one_to_its_ring_and_to_the_ledger(make_ledger, monkeypatch):
    """Two threads ask who it is, while the server is long in answering: of two names, one would be counted twice."""
    ledger, both = make_ledger(), threading.Barrier(2, timeout=0.2)
    key = ledger.key

    def slow(_self):
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait()
        return key

    monkeypatch.setattr(Ledger, "key", property(slow))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: ledger._this_process(), range(2)))

    assert found[0] is found[1]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill a process")
def test_what_a_killed_process_had_written_is_counted_once(make_ledger, postgresql_url, tmp_path):
    """Its rows and what is left in its ring are of one process, from the first write on."""
    process = subprocess.Popen(
        [sys.executable, "-c", DOOMED, postgresql_url], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    try:
        assert "written\n" == process.stdout.readline()
    finally:
        process.kill()
        process.communicate(timeout=30)
    ledger = make_ledger()
    ledger.recover()

    assert 200 == ledger.status()["features"]["feature"]["offered"]


@pytest.mark.parametrize(
    "user", ["ada:s3cr@et", "ada:@", "ada:a@b@c", "ada:p@ss/w", "ada:s3cret@b?c", "ada:p:a/@b/c", "ada/s3:cret"]
)
def test_an_address_that_would_show_a_password_is_refused(user):
    """A part of it would be taken for the host's or the database's name."""
    with pytest.raises(LedgerError, match="written %40") as refused:
        Ledger.open(f"postgresql://{user}@127.0.0.1/evidence")
    assert "127.0.0.1" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("postgresql://ada:s%40c/r%2ft@host:5433/evidence", "postgresql://host:5433/evidence"),
        ("postgresql://host/evidence?user=ada%40corp&password=s3cret", "postgresql://host/evidence"),
    ],
)
def test_a_ledger_is_called_by_its_server_and_database(address, name):
    """With the port, or two of one host would have one name."""
    assert name == database.at(address).name


def test_rings_are_of_one_database():
    """Whoever uses it, and under which word; another port, database or parameter is another ledger."""
    same = ["host/a", "ada@host/a", "ada:s3cret@host/a", "bob:word@host/a", "host/a?user=ada&password=word"]
    others = ["host:5433/a", "host/b", "other/a", "host/a?options=-csearch_path%3Dother", "/a?host=/run/postgresql"]
    found = [[database.at(f"postgresql://{it}").rings() for it in group] for group in (same, others)]

    assert (1, len(others) + 1) == (len(set(found[0])), len({*found[0], *found[1]}))


def test_looks_keep_a_connection_and_find_another_one_when_it_is_cut(make_ledger, postgresql_url):
    """Making one takes a dozen questions and answers, and each of them the time of the way."""
    told, ledger = [], make_ledger()
    ledger.flush()
    ledger.follow(told.append)
    backends = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    engine = create_engine(postgresql_url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    with engine.connect() as connection:
        before = set(connection.execute(text(backends)).scalars())
        ledger.look()
        after = set(connection.execute(text(backends)).scalars())
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM ({backends}) AS others"))
    looks = ledger.looks
    ledger.look()

    assert (before, looks + 1) == (after, ledger.looks)


def test_blocks_and_pauses_reach_other_processes(make_ledger):
    """What one process has found or was told, every other one obeys."""
    one, other = make_ledger(), make_ledger()
    told = []
    other.follow(told.append)
    one.attach(EPOCH, Tally())
    one.record(comparison("b2" * 16, action="blocked"))
    assert one.flush()
    one.record_pause(Pause("feature", "paused", "fleet", "ada", "on call"))
    other.look()

    assert "b2" * 16 == other.blocked("feature", "build-1")
    assert [{"feature": None}] == told


def test_the_audit_trail_is_one_chain_whoever_writes(make_ledger):
    """Writers take turns, and a changed row is found."""
    ledgers = [make_ledger() for _ in range(4)]

    def write(ledger):
        for number in range(10):
            ledger.record_transition("feature", "build-1", f"state-{number}", actor="ada", reason="because")

    ledgers[0].flush()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, ledgers))
    assert (40, None) == (len(ledgers[0].audit()), ledgers[0].first_break())
    with ledgers[0]._store.writing() as connection:
        connection.execute(text("UPDATE transition SET reason = 'nothing' WHERE seq = 17"))
    assert 17 == ledgers[0].first_break()


def test_a_server_that_is_away_reaches_no_caller(tally):
    """Nobody listens there: counted, and said without the password."""
    ledger = Ledger.open("postgresql://ledger:secret@127.0.0.1:1/nowhere", flush_seconds=None)
    ledger.attach(EPOCH, tally)
    tally.sample_out()
    assert not ledger.flush()
    with pytest.raises(LedgerError, match="cannot be read") as error:
        ledger.status()
    assert "secret" not in str(error.value)
    ledger.close()


@pytest.mark.parametrize("url", ["postgresql://ledger:secret@host:port", "postgres://a:secret@host:port/db"])
def test_a_url_that_cannot_be_read_is_refused(url):
    """The message says what would be right, without the password."""
    with pytest.raises(LedgerError, match="postgresql://user@host/database") as refusal:
        database.at(url)
    assert "secret" not in str(refusal.value)


def test_a_missing_driver_is_named(monkeypatch):
    """The hint is the command that helps."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(LedgerError, match=r"pip install 'fast-litellm\[postgresql\]'"):
        database.at("postgresql://host/db")


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process for a while")
def test_a_statement_of_a_server_that_is_frozen_ends(postgresql_url):
    """Its own timeouts are frozen with it, and its connections stay open: whoever waits has to give up."""
    engine = create_engine(postgresql_url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    postgresql.bound(engine, 0.3)
    with engine.connect() as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        os.kill(backend, signal.SIGSTOP)
        try:
            with pytest.raises(OperationalError, match="the server does not answer"):
                connection.execute(text("SELECT 1"))
        finally:
            os.kill(backend, signal.SIGCONT)
    with engine.connect() as connection:
        assert 1 == connection.execute(text("SELECT 1")).scalar_one()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process for a while")
def test_a_ledger_is_closed_though_somebody_waits_for_the_server(make_ledger, monkeypatch):
    """What it would have written is left where the next process of the host finds it."""
    monkeypatch.setattr("fast_litellm.shadow.ledger._CLOSE_SECONDS", 0.01)
    ledger, tally = make_ledger(), Tally()
    ledger.attach(EPOCH, tally)
    tally.accept(0).compare("matched")
    with ledger._writing:
        ledger.close()

    assert (1, True) == (ledger.failures, ledger._ring is not None)
