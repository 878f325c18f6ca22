"""The ledger's tables over versions."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from fast_litellm.errors import LedgerError
from fast_litellm.shadow import schema


@pytest.fixture
def connection():
    """An empty database."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


def tables(connection):
    """The names of all tables."""
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_an_empty_database_gets_every_table(connection):
    """Migrating is complete, and doing it twice changes nothing."""
    schema.migrate(connection)
    schema.migrate(connection)
    expected = {"process", "epoch", "counter", "divergence_class", "sighting", "feature_state", "transition"}
    assert expected <= tables(connection)


def test_an_older_database_gets_what_is_missing(connection, monkeypatch):
    """A database of an earlier version keeps its rows and gets the later migrations only."""
    schema.migrate(connection)
    connection.execute("INSERT INTO epoch VALUES (1, 'f', 'b', 'r', 'c', 'v', 0.0)")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE later (x INTEGER);\n"))
    schema.migrate(connection)
    assert "later" in tables(connection)
    assert 1 == connection.execute("SELECT count(*) FROM epoch").fetchone()[0]


def test_a_migration_that_fails_changes_nothing(connection, monkeypatch):
    """Half a migration is rolled back, with the version."""
    monkeypatch.setattr(schema, "MIGRATIONS", ("CREATE TABLE half (x INTEGER);\nCREATE nonsense;\n",))
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(connection)
    assert set() == tables(connection)
    assert 0 == connection.execute("PRAGMA user_version").fetchone()[0]


def test_a_later_database_is_refused(connection):
    """A database of a version that is not known is left alone, and the message says what to do."""
    connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerError, match="upgrade fast-litellm"):
        schema.migrate(connection)
