"""The ledger's file."""

from __future__ import annotations

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from fast_litellm.errors import LedgerError
from fast_litellm.shadow import database, store
from fast_litellm.shadow.database import path_of
from fast_litellm.shadow.schema import EPOCH
from fast_litellm.shadow.store import Store

PATIENCE_S = 60


def epoch(feature):
    """A row of the table `epoch`."""
    parts = dict.fromkeys(("candidate_build", "reference", "comparator", "rules_revision"), "")
    return {"feature": feature, "opened_at": 0.0, **parts}


def mode(path):
    """A file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////var/lib/ledger.db", "/var/lib/ledger.db"),
        ("sqlite:///here/ledger.db", "here/ledger.db"),
        ("sqlite:///~/ledger.db", "~/ledger.db"),
    ],
)
def test_a_url_names_a_file(url, path):
    """Three slashes and a relative path, or four and an absolute one."""
    assert Path(path).expanduser().absolute() == path_of(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "sqlite:///relative/path"),
        ("mysql://user:secret@host/db", "sqlite:///relative/path"),
        ("sqlite:///~nobody-has-this-name/ledger.db", "nobody knows that home directory"),
        ("", "sqlite:///relative/path"),
    ],
)
def test_other_urls_are_refused(url, message):
    """The message says what would be right, and repeats nothing of a URL that may hold a password."""
    with pytest.raises(LedgerError, match=message) as refusal:
        database.at(url)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("name", ["a%20b", "a%41", "a?mode=ro", "a#b", "a b", "a&b=c", "a:b@c"])
def test_a_path_is_taken_as_it_is(tmp_path, name):
    """Nothing in it is an escape or a parameter: what is written and what is looked for is one file."""
    (tmp_path / name).mkdir()
    path = tmp_path / name / f"{name}.db"
    store = Store(path_of(f"sqlite:///{path}"))
    with store.writing():
        pass
    store.close()

    assert [name] == [it.name for it in tmp_path.iterdir()]
    assert (True, True) == (path.stat().st_size > 0, store.database.exists())


def test_files_are_the_owners_alone(tmp_path):
    """Directory, database, its log and its key can be read by nobody else."""
    store = Store(tmp_path / "deep" / "er" / "ledger.db")
    with store.writing():
        assert {0o700} == {mode(store.database.path.parent)}
        names = {path.name: mode(path) for path in store.database.path.parent.iterdir()}
    store.key()
    store.close()
    assert {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600} == names
    assert 0o600 == mode(store.database.path.with_name("ledger.db.key"))


def test_every_process_has_the_same_key(tmp_path):
    """Whoever comes first makes the key, all at once get one, and no draft is left behind."""
    stores = [Store(tmp_path / "ledger.db") for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(Store.key, stores))
    assert (1, 32) == (len(set(keys)), len(keys[0]))
    assert ["ledger.db.key"] == [path.name for path in tmp_path.iterdir()]


def test_a_transaction_is_whole_or_not_at_all(tmp_path):
    """What a transaction had written before it failed is not there, and the next one works."""
    store = Store(tmp_path / "ledger.db")

    def insert(name, after):
        with store.writing() as connection:
            connection.execute(EPOCH.insert().values(**epoch(name)))
            after()

    with pytest.raises(RuntimeError, match="on the way"):
        insert("lost", _fail)
    insert("kept", lambda: None)
    with store.reading() as connection:
        assert ["kept"] == list(connection.execute(select(EPOCH.c.feature)).scalars())
    store.close()


def test_processes_may_come_at_once(tmp_path):
    """Whoever opens a file that others are just making waits for them."""

    def insert(number):
        store = Store(tmp_path / "ledger.db", PATIENCE_S)
        with store.writing() as connection:
            connection.execute(EPOCH.insert().values(**epoch(str(number))))
        store.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(insert, range(32)))
    with Store(tmp_path / "ledger.db").reading() as connection:
        assert 32 == connection.execute(select(func.count()).select_from(EPOCH)).scalar()


@pytest.mark.parametrize(("patience", "outcome"), [(10, "written"), (1, "locked")])
def test_the_change_to_wal_is_waited_for_as_long_as_the_store_is_patient(tmp_path, monkeypatch, patience, outcome):
    """SQLite itself does not wait there for others that make the same change."""
    clock, changed = Clock(), sqlite3.dbapi2.connect

    def connect(*arguments, **options):
        return changed(*arguments, factory=lambda *same, **too: BusyUntil5S(clock, *same, **too), **options)

    monkeypatch.setattr(sqlite3.dbapi2, "connect", connect)
    monkeypatch.setattr(store, "time", clock)
    assert outcome == written(Store(tmp_path / "ledger.db", patience))


class Clock:
    """Goes on while somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class BusyUntil5S(sqlite3.Connection):
    """A connection to a file that others are changing to WAL until five seconds have passed."""

    def __init__(self, clock, *arguments, **options):
        super().__init__(*arguments, **options)
        self.clock = clock

    def cursor(self, *_):
        return super().cursor(BusyCursor)


class BusyCursor(sqlite3.Cursor):
    """Says that the file is locked."""

    def execute(self, statement, *parameters):
        if "WAL" in statement and self.connection.clock.now < 5:
            raise sqlite3.OperationalError("database is locked")
        return super().execute(statement, *parameters)


def written(own):
    """Whether a transaction was possible."""
    try:
        with own.writing():
            return "written"
    except (sqlite3.OperationalError, OperationalError):
        return "locked"
    finally:
        own.close()


def test_a_file_without_tables_is_no_ledger_yet(tmp_path):
    """Reading while the writer is making the file says that there is nothing, and does not get in its way."""
    store = Store(tmp_path / "ledger.db")
    store.database.path.touch()
    with store.reading() as connection:
        assert connection is None
    assert 0 == store.database.path.stat().st_size


def test_a_replaced_file_is_opened_anew(tmp_path):
    """A writer notices that its file was removed, and does not go on writing to one nobody can see."""
    store = Store(tmp_path / "ledger.db")
    with store.writing():
        pass
    assert not store.is_fresh()
    store.database.path.unlink()
    assert store.is_fresh()
    with store.writing():
        pass
    assert store.database.path.exists()
    store.close()


def test_reading_makes_no_file(tmp_path):
    """Asking a ledger that does not exist leaves no trace."""
    with Store(tmp_path / "none" / "ledger.db").reading() as connection:
        assert connection is None
    assert [] == list(tmp_path.iterdir())


def _fail():
    raise RuntimeError("on the way")
