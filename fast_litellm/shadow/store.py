"""
Access to a ledger's database: one connection for writing, one transaction at a time, and short ones for reading.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Iterator, List, Optional, Union

from fast_litellm.errors import LedgerError
from fast_litellm.shadow import database
from fast_litellm.shadow.database import Database, SQLite

if TYPE_CHECKING:
    from sqlalchemy import Connection

_WRITE_TIMEOUT_SECONDS = 1.0
READ_TIMEOUT_SECONDS = 5.0
_RETRY_SECONDS = 0.02
_KEY = "digest key"

_abandoned: List[Connection] = []


class Store:
    """
    One process's access to a ledger.

    Args:
        where: The database, or the path of SQLite's file.
        patience: Seconds that a transaction waits for another one's lock.
    """

    def __init__(self, where: Union[Database, Path], patience: float = _WRITE_TIMEOUT_SECONDS) -> None:
        self._patience = patience
        self.database: Database = SQLite(where) if isinstance(where, Path) else where
        self._connection: Optional[Connection] = None
        self._identity: object = 0
        self._ready: object = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.database.name

    def is_fresh(self) -> bool:
        """Returns whether the next write opens the database: nothing written earlier may be taken to be in it."""
        return self._connection is None or self.is_replaced()

    def is_replaced(self) -> bool:
        """Returns whether the database that was last written is gone, or another one is in its place."""
        return self._connection is not None and self._identity != self.database.identity()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """
        One transaction, committed at the end.

        Yields:
            The connection.

        Raises:
            LedgerError: The database is of a later version.
            OSError: The file or its directory cannot be made.
            SQLAlchemyError: It cannot be written; nothing has been.
        """
        try:
            connection = self._open()
            with connection.begin():
                yield connection
        except BaseException:
            self.close()  # whatever state it is in: the next transaction opens the database anew
            raise

    @contextlib.contextmanager
    def reading(self, timeout: float = READ_TIMEOUT_SECONDS) -> Iterator[Optional[Connection]]:
        """
        A connection for queries that all see one moment, or None while there is no ledger.

        Args:
            timeout: How long to wait for whoever has locked it, in seconds.

        Raises:
            LedgerError: It cannot be read.
        """
        if not self.database.exists():
            yield None
            return
        from sqlalchemy.exc import SQLAlchemyError

        try:
            if not self._is_ready(timeout):
                yield None
                return
            with self.database.engine(timeout, for_writing=False).begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise LedgerError(f"the ledger {self.name} cannot be read: {reason(error)}") from error

    def key(self) -> bytes:
        """
        Read the ledger's key, or make one.

        Returns:
            32 random bytes, the same in every process that uses this ledger.

        Raises:
            OSError: The key can be neither read nor made.
            LedgerError: The database that holds it is out of reach.
        """
        path = self.database.key_file()
        return database.make_key(path) if path is not None else self._key_in_database()

    def close(self) -> None:
        """Closes the connection; the next transaction opens one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def after_fork(self) -> None:
        """Leaves the parent's connection alone for ever: no database's may be used or closed by two processes."""
        if self._connection is not None:
            _abandoned.append(self._connection)
            self._connection = None

    def _is_ready(self, timeout: float) -> bool:
        """
        Whether there are tables to be read, of this version; an older ledger is brought to it. Once there are, it is
        not asked again of the same database: a look at the fleet would take half as long again.
        """
        identity = self.database.identity()
        if self._ready is not None and self._ready == identity:
            return True
        from fast_litellm.shadow import migrations

        with self.database.engine(timeout, for_writing=False).begin() as connection:
            revision = migrations.revision(connection)
        if revision not in (None, migrations.HEAD):
            with self.database.engine(timeout, for_writing=True).begin() as connection:
                migrations.migrate(connection)
        self._ready = None if revision is None else identity
        return revision is not None

    def _open(self) -> Connection:
        if self._connection is not None and not self.is_fresh():
            return self._connection
        from fast_litellm.shadow import migrations

        self.close()
        self.database.prepare()
        connection = self.database.engine(self._patience, for_writing=True).connect()
        self._connection = connection
        self._identity = self.database.identity()
        if connection.dialect.name == "sqlite":
            _set_up(connection, self._patience)
        with connection.begin():
            migrations.migrate(connection)
        return connection

    def _key_in_database(self) -> bytes:
        from sqlalchemy import select
        from sqlalchemy.exc import SQLAlchemyError

        from fast_litellm.shadow import schema, writing

        table = schema.SECRET
        own = Store(self.database)  # whoever asks for the key may be in the middle of writing, on any thread
        try:
            with own.writing() as connection:
                row = {"name": _KEY, "value": secrets.token_bytes(32)}
                connection.execute(writing.insert(connection, table).values(row).on_conflict_do_nothing())
                found = connection.execute(select(table.c.value).where(table.c.name == _KEY)).scalar_one()
                return bytes(found)
        except SQLAlchemyError as error:
            raise LedgerError(f"the ledger {self.name} cannot be reached: {reason(error)}") from error
        finally:
            own.close()


def reason(error: Exception) -> str:
    """
    Returns:
        What the driver says, without the statement and its parameters; a server's message in one line.
    """
    original = getattr(error, "orig", None) or error
    return str(original).splitlines()[0] if str(original) else type(original).__name__


def _set_up(connection: Connection, patience: float) -> None:
    """The change to WAL, once in a file's life, is the one statement that does not wait for others by itself."""
    cursor = connection.connection.cursor()
    deadline = time.monotonic() + patience
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:  # noqa: PERF203 - tried until it works
            if time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            break
    cursor.execute("PRAGMA synchronous = NORMAL")  # kill -9 loses nothing committed, a power cut the last second
    cursor.close()
