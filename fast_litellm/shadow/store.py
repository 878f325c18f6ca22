"""
The ledger's database file: where it is, who may read it, and one transaction at a time.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import time
from pathlib import Path
from typing import Iterator, List, Optional

from fast_litellm.errors import LedgerError
from fast_litellm.shadow import schema

_SQLITE = "sqlite:///"
_WRITE_TIMEOUT_SECONDS = 1.0
READ_TIMEOUT_SECONDS = 5.0
_RETRY_SECONDS = 0.02
_KEY_BYTES = 32

_abandoned: List[sqlite3.Connection] = []


def path_of(url: str) -> Path:
    """
    Args:
        url: `sqlite:///relative/path` or `sqlite:////absolute/path`.

    Returns:
        The database file.

    Raises:
        LedgerError: The URL names no SQLite file.
    """
    if url.startswith(("postgresql:", "postgres:")):
        raise LedgerError("a PostgreSQL ledger is not supported yet; use sqlite:///PATH")
    path = url[len(_SQLITE) :] if url.startswith(_SQLITE) else ""
    if not path:
        raise LedgerError("a ledger's URL is sqlite:///relative/path or sqlite:////absolute/path")
    return Path(path).expanduser().absolute()


class Store:
    """
    One process's access to a ledger file.

    Args:
        path: The database file. It and its directory are made when first written, for the owner only.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: Optional[sqlite3.Connection] = None
        self._inode = 0

    def is_fresh(self) -> bool:
        """Returns whether the next write opens the file, so that nothing written earlier may be taken to be in it."""
        return self._connection is None or self._inode != _inode(self.path)

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """
        One transaction, committed at the end.

        Yields:
            The connection.

        Raises:
            LedgerError: The database is of a later version.
            OSError: The file or its directory cannot be made.
            sqlite3.Error: It cannot be written; nothing has been.
        """
        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            self.close()  # whatever state it is in: the next transaction opens the file anew
            raise

    @contextlib.contextmanager
    def reading(self, timeout: float = READ_TIMEOUT_SECONDS) -> Iterator[Optional[sqlite3.Connection]]:
        """
        A connection for queries, or None while there is no ledger.

        Args:
            timeout: How long to wait for whoever has locked it, in seconds.

        Raises:
            LedgerError: It cannot be read.
        """
        if not self.path.exists():
            yield None
            return
        try:
            with contextlib.closing(sqlite3.connect(self.path, timeout=timeout)) as connection:
                connection.row_factory = sqlite3.Row
                if schema.is_empty(connection):  # its writer is just making it
                    yield None
                    return
                schema.migrate(connection)
                yield connection
        except sqlite3.Error as error:
            raise LedgerError(f"the ledger {self.path} cannot be read: {error}") from error

    def key(self) -> bytes:
        """
        Read the ledger's key, or make one. It lies beside the database, so that a ledger that is given away stays
        redacted.

        Returns:
            32 random bytes, the same in every process that uses this ledger.

        Raises:
            OSError: The key can be neither read nor made.
        """
        path = self.path.with_name(self.path.name + ".key")
        if not path.exists():
            _make_directory(path.parent)
            draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
            _make_file(draft, secrets.token_bytes(_KEY_BYTES))
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)  # whole or not at all, and the first one stays
            draft.unlink()
        return path.read_bytes()

    def close(self) -> None:
        """Closes the connection; the next transaction opens one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def after_fork(self) -> None:
        """Leaves the parent's connection alone for ever: SQLite forbids its use in a child, and closing it is one."""
        if self._connection is not None:
            _abandoned.append(self._connection)
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and not self.is_fresh():
            return self._connection
        self.close()
        _make_directory(self.path.parent)
        if not self.path.exists():  # closing a descriptor of a file drops every lock this process has on it
            _make_file(self.path)
        # The writer thread and whoever closes the ledger take turns; a lock of the ledger's sees to that.
        connection = sqlite3.connect(
            self.path, timeout=_WRITE_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection = connection
        self._inode = _inode(self.path)
        _use_write_ahead_log(connection)
        connection.execute(
            "PRAGMA synchronous = NORMAL"
        )  # kill -9 loses nothing that was committed, a power cut the last second
        schema.migrate(connection)
        return connection


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """The change to WAL, once in a file's life, is the one statement that does not wait for others by itself."""
    deadline = time.monotonic() + _WRITE_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:  # noqa: PERF203 - tried until it works
            if time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return


def _make_directory(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _make_file(path: Path, content: bytes = b"") -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0
