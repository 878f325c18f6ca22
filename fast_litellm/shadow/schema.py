"""
The ledger's tables, and how an older database becomes one of this version.

`PRAGMA user_version` holds the number of migrations a database has had. A migration is a script that is never edited
once released; a change of the schema is one more of them at the end.
"""

from __future__ import annotations

import sqlite3
from typing import Final, Tuple

from fast_litellm.errors import LedgerError

_FIRST: Final = """
CREATE TABLE process (
    proc_uuid TEXT PRIMARY KEY,
    host TEXT NOT NULL,          -- keyed digest of the host's name and process namespace
    pid INTEGER NOT NULL,
    birth TEXT NOT NULL,         -- tells two processes apart that were given one pid; '' where the system does not say
    versions TEXT NOT NULL,      -- JSON: package to version
    started_at REAL NOT NULL,
    last_seen REAL NOT NULL,
    ended_at REAL                -- NULL until the process has closed its ledger
);
CREATE TABLE epoch (
    epoch_id INTEGER PRIMARY KEY,
    feature TEXT NOT NULL,
    candidate_build TEXT NOT NULL,
    reference TEXT NOT NULL,
    comparator TEXT NOT NULL,
    rules_revision TEXT NOT NULL,
    opened_at REAL NOT NULL,
    UNIQUE (feature, candidate_build, reference, comparator, rules_revision)
);
CREATE TABLE counter (
    epoch_id INTEGER NOT NULL REFERENCES epoch,
    proc_uuid TEXT NOT NULL REFERENCES process,
    counts TEXT NOT NULL,        -- JSON: absolute values of one consistent reading; writing them twice is harmless
    labels TEXT NOT NULL,        -- JSON: what the process said of the feature
    updated_at REAL NOT NULL,
    PRIMARY KEY (epoch_id, proc_uuid)
);
CREATE TABLE divergence_class (
    fingerprint TEXT NOT NULL,
    epoch_id INTEGER NOT NULL REFERENCES epoch,
    kind TEXT NOT NULL,
    pattern TEXT NOT NULL,
    control_type TEXT NOT NULL,
    candidate_type TEXT NOT NULL,
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL,
    state TEXT NOT NULL,         -- noise < new < confirmed
    PRIMARY KEY (fingerprint, epoch_id)
);
CREATE TABLE sighting (
    fingerprint TEXT NOT NULL,
    epoch_id INTEGER NOT NULL REFERENCES epoch,
    proc_uuid TEXT NOT NULL REFERENCES process,
    count INTEGER NOT NULL,      -- absolute
    samples TEXT NOT NULL,       -- JSON: a few redacted events, drawn from all of this process
    PRIMARY KEY (fingerprint, epoch_id, proc_uuid)
);
CREATE TABLE feature_state (
    feature TEXT NOT NULL,
    candidate_build TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (feature, candidate_build)
);
CREATE TABLE transition (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL UNIQUE,    -- chosen by the writer, so that a retried write is one transition
    at REAL NOT NULL,
    feature TEXT NOT NULL,
    candidate_build TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL
);
"""

_PAUSES: Final = """
CREATE TABLE pause (
    feature TEXT PRIMARY KEY,
    state TEXT NOT NULL,         -- paused, or running: a pause ends by a row that says so, never by a missing one
    until REAL,                  -- NULL: it does not end by itself
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    at REAL NOT NULL
);
ALTER TABLE transition ADD COLUMN scope TEXT NOT NULL DEFAULT 'build';
ALTER TABLE transition ADD COLUMN until REAL
"""

MIGRATIONS: Final[Tuple[str, ...]] = (_FIRST, _PAUSES)


def migrate(connection: sqlite3.Connection) -> None:
    """
    Bring a database to this version, whole or not at all. Processes may do so at the same time.

    Args:
        connection: Opened for writing, outside a transaction.

    Raises:
        LedgerError: The database is of a later version.
        sqlite3.Error: It cannot be read or written.
    """
    if _version(connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for script in MIGRATIONS[_version(connection) :]:
            for statement in script.split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def is_empty(connection: sqlite3.Connection) -> bool:
    """
    Returns:
        Whether the database has had no migration at all.

    Raises:
        LedgerError: The database is of a later version.
        sqlite3.Error: It cannot be read.
    """
    return _version(connection) == 0


def _version(connection: sqlite3.Connection) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise LedgerError(
            f"the ledger has schema {version}, this version knows {len(MIGRATIONS)}; upgrade fast-litellm"
        )
    return version
