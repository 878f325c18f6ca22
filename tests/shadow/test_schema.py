"""The ledger's tables over versions."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, inspect, select, text

from fast_litellm.errors import LedgerError
from fast_litellm.shadow import migrations
from fast_litellm.shadow.schema import EPOCH, METADATA, TRANSITION
from fast_litellm.shadow.store import Store

LEGACY = """
CREATE TABLE process (proc_uuid TEXT PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, birth TEXT NOT NULL,
    versions TEXT NOT NULL, started_at REAL NOT NULL, last_seen REAL NOT NULL, ended_at REAL);
CREATE TABLE epoch (epoch_id INTEGER PRIMARY KEY, feature TEXT NOT NULL, candidate_build TEXT NOT NULL,
    reference TEXT NOT NULL, comparator TEXT NOT NULL, rules_revision TEXT NOT NULL, opened_at REAL NOT NULL,
    UNIQUE (feature, candidate_build, reference, comparator, rules_revision));
CREATE TABLE counter (epoch_id INTEGER NOT NULL REFERENCES epoch, proc_uuid TEXT NOT NULL REFERENCES process,
    counts TEXT NOT NULL, labels TEXT NOT NULL, updated_at REAL NOT NULL, PRIMARY KEY (epoch_id, proc_uuid));
CREATE TABLE divergence_class (fingerprint TEXT NOT NULL, epoch_id INTEGER NOT NULL REFERENCES epoch,
    kind TEXT NOT NULL, pattern TEXT NOT NULL, control_type TEXT NOT NULL, candidate_type TEXT NOT NULL,
    first_seen REAL NOT NULL, last_seen REAL NOT NULL, state TEXT NOT NULL, PRIMARY KEY (fingerprint, epoch_id));
CREATE TABLE sighting (fingerprint TEXT NOT NULL, epoch_id INTEGER NOT NULL REFERENCES epoch,
    proc_uuid TEXT NOT NULL REFERENCES process, count INTEGER NOT NULL, samples TEXT NOT NULL,
    PRIMARY KEY (fingerprint, epoch_id, proc_uuid));
CREATE TABLE feature_state (feature TEXT NOT NULL, candidate_build TEXT NOT NULL, state TEXT NOT NULL,
    reason TEXT NOT NULL, actor TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (feature, candidate_build));
CREATE TABLE transition (seq INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, at REAL NOT NULL,
    feature TEXT NOT NULL, candidate_build TEXT NOT NULL, from_state TEXT NOT NULL, to_state TEXT NOT NULL,
    actor TEXT NOT NULL, reason TEXT NOT NULL);
INSERT INTO epoch VALUES (1, 'f', 'b', 'r', 'c', 'v', 0.0);
INSERT INTO transition VALUES (1, 'u', 0.0, 'f', 'b', '', 'blocked', 'auto', 'a1');
PRAGMA user_version = 1;
"""
"""The tables of the first release, before the ledger knew pauses."""


@pytest.fixture
def connection():
    """An empty database, in a transaction."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def columns(connection):
    """The columns of every table."""
    tables = inspect(connection)
    return {name: {it["name"] for it in tables.get_columns(name)} for name in tables.get_table_names()}


def described(connection):
    """Every table with its columns, its keys and what is unique in it."""
    tables = inspect(connection)
    return {
        name: (
            [(it["name"], str(it["type"]), it["nullable"], it["default"]) for it in tables.get_columns(name)],
            tables.get_pk_constraint(name),
            *(sorted(map(str, ask(name))) for ask in (tables.get_unique_constraints, tables.get_indexes)),
            sorted(map(str, tables.get_foreign_keys(name))),
        )
        for name in tables.get_table_names()
    }


def test_migrations_make_the_tables_that_the_program_uses(connection):
    """What the migrations make, what a new ledger is made of, and what the statements are written for are the same."""
    migrations.upgrade(connection)
    migrated = described(connection)
    engine = create_engine("sqlite://")
    with engine.begin() as new:
        migrations.migrate(new)
        migrations.migrate(new)
        made = described(new)
    engine.dispose()

    assert migrated == made
    assert {name: {it.name for it in table.columns} for name, table in METADATA.tables.items()} == {
        name: {column[0] for column in table[0]} for name, table in made.items() if name != "alembic_version"
    }


def test_every_revision_is_known():
    """The last file in the directory is the one the program is written for."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(migrations.__path__[0]))
    found = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(found)) == migrations.REVISIONS


def test_a_ledger_from_before_there_were_migrations_is_taken_over(tmp_path):
    """Its rows stay, and what is missing is added."""
    path = tmp_path / "ledger.db"
    with contextlib.closing(sqlite3.connect(path)) as legacy:
        legacy.executescript(LEGACY)
    with Store(path).reading() as connection:
        assert ["f"] == list(connection.execute(select(EPOCH.c.feature)).scalars())
        assert [("blocked", "build", "")] == list(
            connection.execute(select(TRANSITION.c.to_state, TRANSITION.c.scope, TRANSITION.c.hash))
        )
        assert set(METADATA.tables) <= set(columns(connection))


def test_a_migration_that_fails_changes_nothing(tmp_path, monkeypatch):
    """Half a migration is rolled back, and the next one makes it whole."""
    store = Store(tmp_path / "ledger.db")
    with contextlib.closing(sqlite3.connect(store.database.path)) as legacy:
        legacy.executescript(LEGACY)
        before = list(legacy.execute("SELECT sql FROM sqlite_master"))
    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.add_column", _fail)
        with pytest.raises(RuntimeError, match="on the way"), store.writing():
            pass
    with contextlib.closing(sqlite3.connect(store.database.path)) as connection:
        assert before == list(connection.execute("SELECT sql FROM sqlite_master"))
    with store.writing() as connection:
        assert migrations.HEAD == migrations.revision(connection)
    store.close()


def test_a_later_database_is_refused(connection):
    """A database of a version that is not known is left alone, and the message says what to do."""
    migrations.migrate(connection)
    connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LedgerError, match="upgrade fast-litellm"):
        migrations.migrate(connection)


def _fail(*_, **__):
    raise RuntimeError("on the way")


def test_threads_bring_databases_of_their_own_to_this_version_at_once(tmp_path):
    """Ledgers of one process do not change each other's tables."""
    stores = [Store(tmp_path / f"{number}.db") for number in range(8)]
    together = threading.Barrier(len(stores))

    def write(store):
        together.wait(30)
        with store.writing() as connection:
            return migrations.revision(connection)

    with ThreadPoolExecutor(len(stores)) as threads:
        assert [migrations.HEAD] * len(stores) == list(threads.map(write, stores))
    for store in stores:
        store.close()
