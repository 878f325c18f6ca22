"""What the tests of shadow share: counters, a sink that remembers, and runners that do not spare the processor."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import textwrap
import uuid
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from structlog.testing import capture_logs

from fast_litellm.accel.native import Tally
from fast_litellm.shadow import (
    Budget,
    Experiment,
    FunctionCandidate,
    Ledger,
    Limits,
    ShadowRunner,
    comparators,
    machinery,
)

spec = importlib.util.spec_from_file_location("postgresql", Path(__file__).with_name("postgresql.py"))
postgresql = importlib.util.module_from_spec(spec)
spec.loader.exec_module(postgresql)

# Generous: whatever takes this long hangs.
DEADLINE_S = 30


class RememberingSink:
    """A sink that keeps what it is told."""

    key = lasting_key = bytes(32)

    def __init__(self):
        self.comparisons = []
        self.times = []
        self.spent = []
        self.accepted = set()

    def accepts(self, feature, fingerprint):
        return (feature, fingerprint) in self.accepted

    def record(self, comparison):
        self.comparisons.append(comparison)

    def capture(self, comparison, call):
        """Nothing is kept."""

    def record_times(self, feature, times):
        self.times.append(times)

    def record_spent(self, feature, spent):
        self.spent.append(spent)


@pytest.fixture(autouse=True)
def log():
    """The events of the test; every kind of machinery failure is logged anew."""
    machinery.forget()
    with capture_logs() as events:
        yield events


@pytest.fixture
def tally():
    """Counters at zero."""
    return Tally()


@pytest.fixture
def sink():
    """A sink that keeps what it is told."""
    return RememberingSink()


@pytest.fixture
def make_runner(tally, sink):
    """Makes runners of the test's tally and sink, and closes them."""
    runners = []

    def make(control, candidate, *, comparator=comparators.exact, **options):
        if not hasattr(candidate, "prepare"):
            candidate = FunctionCandidate(candidate, "build-1")
        options = {"tally": tally, "sink": sink, "budget": Budget(1), "limits": Limits(deadline_ms=60_000), **options}
        runners.append(ShadowRunner(Experiment("feature", control, candidate, comparator), **options))
        return runners[-1]

    yield make
    for runner in runners:
        runner.close()


@pytest.fixture
def balanced(tally):
    """Returns a reading after checking that every offered call is accounted for."""

    def read():
        reading = tally.reading()
        shed = sum(reading["shed"].values())
        assert reading["offered"] == reading["sampled_out"] + reading["compared"] + shed + reading["in_flight"]
        assert reading["compared"] == reading["matched"] + reading["waived"] + reading["diverged"]
        return reading

    return read


@pytest.fixture
def python():
    """Starts a program in a process of its own; its standard output is a pipe of text."""
    processes = []

    def start(program, *words, stdin=False):
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(program), *map(str, words)]
        processes.append(
            subprocess.Popen(command, stdin=subprocess.PIPE if stdin else None, stdout=subprocess.PIPE, text=True)
        )
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait(DEADLINE_S)
        for pipe in filter(None, (process.stdin, process.stdout)):
            pipe.close()


@pytest.fixture(scope="session")
def postgresql_server():
    """The URL of a server; without PostgreSQL, tests that need one are skipped."""
    with postgresql.server() as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_server):
    """An empty database on it."""
    name = f"ledger_{uuid.uuid4().hex}"
    engine = create_engine(
        postgresql_server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return postgresql_server.rsplit("/", 1)[0] + "/" + name


@pytest.fixture(params=["sqlite", "postgresql"])
def open_ledger(request, tmp_path):
    """Opens ledgers of one empty database, on either kind, that write and look when told to; closes them."""
    on_server = request.param == "postgresql"
    url = request.getfixturevalue("postgresql_url") if on_server else f"sqlite:///{tmp_path / 'ledger.db'}"
    ledgers = []

    def make(**options):
        ledgers.append(Ledger.open(url, **{"flush_seconds": None, **options}))
        return ledgers[-1]

    yield make
    for ledger in ledgers:
        ledger.close()
