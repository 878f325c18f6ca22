"""
Where a ledger is: a file of SQLite's for the processes of one host, or a PostgreSQL database for those of many.

SQLAlchemy is imported when a database is first opened: many programs never come to that.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Optional, Protocol, Tuple

from fast_litellm import settings
from fast_litellm.errors import LedgerError

if TYPE_CHECKING:
    from sqlalchemy import Engine

_POSTGRESQL = ("postgresql://", "postgres://")
_NO_POSTGRESQL = "a PostgreSQL ledger's URL is postgresql://user@host/database; an @ in a password is written %40"
_KEY_BYTES = 32
_LOOKING = 1.0
"""Whoever reads with no more patience than this, in seconds, does so again and again, and keeps a connection."""


class Database(Protocol):
    """What a store needs to know of its database."""

    @property
    def name(self) -> str:
        """What messages call it; it holds no password."""

    def exists(self) -> bool:
        """Returns whether there is anything to be read."""

    def identity(self) -> object:
        """Returns something that changes when the database is another one; 0 when there is none."""

    def prepare(self) -> None:
        """Makes what must be there before a connection is opened for writing."""

    def engine(self, timeout: float, *, for_writing: bool) -> Engine:
        """Returns an engine that keeps no connection that could be in the way of a fork."""

    def release(self) -> None:
        """Closes what this process keeps open for reading; whoever reads again opens it anew."""

    def key_file(self) -> Optional[Path]:
        """Returns the file of the key of all digests; None when the database itself has to hold it."""

    def rings(self) -> Path:
        """Returns the directory in which the processes of this host keep what must outlive them."""


def at(url: str) -> Database:
    """
    Args:
        url: `sqlite:///relative/path`, `sqlite:////absolute/path` or `postgresql://user@host/database`.

    Returns:
        The database.

    Raises:
        LedgerError: The URL names none, or the driver is not installed.
    """
    if url.startswith(_POSTGRESQL):
        return PostgreSQL(url)
    return SQLite(path_of(url))


def path_of(url: str) -> Path:
    """
    Args:
        url: `sqlite:///relative/path` or `sqlite:////absolute/path`.

    Returns:
        The database file.

    Raises:
        LedgerError: The URL names no SQLite file.
    """
    path = url[len(settings.SQLITE) :] if url.startswith(settings.SQLITE) else ""
    if not path:
        raise LedgerError(
            "a ledger's URL is sqlite:///relative/path, sqlite:////absolute/path or postgresql://user@host/database"
        )
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:
        raise LedgerError(f"the ledger {url} cannot be found: nobody knows that home directory") from None


class _Engines:
    """
    The engines of a database, one for each use. An engine remembers its statements as text, which takes longer to make
    than most of them to run, and before the first one it asks a server a dozen questions.
    """

    def __init__(self) -> None:
        self._engines: Dict[Tuple[int, float, bool], Engine] = {}

    def _engine(self, timeout: float, *, for_writing: bool) -> Engine:
        raise NotImplementedError

    def engine(self, timeout: float, *, for_writing: bool) -> Engine:
        process_and_use = (os.getpid(), timeout, for_writing)  # a forked child may have copied a lock that is held
        if process_and_use not in self._engines:
            self._engines[process_and_use] = self._engine(timeout, for_writing=for_writing)
        return self._engines[process_and_use]

    def release(self) -> None:
        for (process, *_), engine in list(self._engines.items()):
            if process == os.getpid():  # a parent's connections are the parent's
                engine.dispose()


class SQLite(_Engines):
    """
    A file.

    Args:
        path: It and its directory are made when first written, for the owner only.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__()

    @property
    def name(self) -> str:
        return str(self.path)

    def exists(self) -> bool:
        return self.path.exists()

    def identity(self) -> object:
        try:
            return self.path.stat().st_ino
        except FileNotFoundError:
            return 0

    def prepare(self) -> None:
        make_directory(self.path.parent)
        if not self.path.exists():  # closing a descriptor of a file drops every lock this process has on it
            make_file(self.path)

    def _engine(self, timeout: float, *, for_writing: bool) -> Engine:
        from sqlalchemy import URL, create_engine, event
        from sqlalchemy.pool import NullPool

        # The writer thread and whoever closes the ledger take turns; a lock of the ledger's sees to that.
        arguments: Dict[str, Any] = {"timeout": timeout, "check_same_thread": False}
        url = URL.create("sqlite", database=str(self.path))  # as it is: no part of a path is a parameter or an escape
        engine = create_engine(url, poolclass=NullPool, connect_args=arguments)
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin_immediate if for_writing else _begin)
        return engine

    def key_file(self) -> Optional[Path]:
        """The key lies beside the database, so that a ledger that is given away stays redacted."""
        return self.path.with_name(self.path.name + ".key")

    def rings(self) -> Path:
        return self.path.with_name(self.path.name + ".rings")


class PostgreSQL(_Engines):
    """
    A database on a server.

    Args:
        url: As PostgreSQL's own tools take it.

    Raises:
        LedgerError: The URL cannot be read, or the driver is not installed.
    """

    def __init__(self, url: str) -> None:
        if importlib.util.find_spec("psycopg") is None:
            raise LedgerError(
                "a PostgreSQL ledger needs the package psycopg; hint: pip install 'fast-litellm[postgresql]'"
            )
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            self._url = make_url(url).set(drivername="postgresql+psycopg")
        except (ArgumentError, ValueError):
            raise LedgerError(_NO_POSTGRESQL) from None
        # What stands before a second one, or behind a slash, would be shown as a part of the host's or database's name.
        if url.count("@") > 1 or "@" in f"{self._url.host}{self._url.database}":
            raise LedgerError(_NO_POSTGRESQL)
        super().__init__()

    @property
    def name(self) -> str:
        port = f":{self._url.port}" if self._url.port else ""
        return f"postgresql://{self._url.host or ''}{port}/{self._url.database or ''}"

    def exists(self) -> bool:
        return True

    def identity(self) -> object:
        return 1

    def prepare(self) -> None:
        """The server has all that is needed."""

    def _engine(self, timeout: float, *, for_writing: bool) -> Engine:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool, QueuePool

        from fast_litellm.shadow import postgresql

        seconds = max(1, int(timeout))
        options = f"-c lock_timeout={seconds}s -c statement_timeout={10 * seconds}s"
        arguments = {"connect_timeout": max(2, seconds), "options": options}  # psycopg's own least is 2
        pool: Dict[str, Any] = {"poolclass": NullPool}
        if not for_writing and timeout <= _LOOKING:
            pool = {"poolclass": QueuePool, "pool_size": 1, "pool_pre_ping": True}
        engine = create_engine(self._url, connect_args=arguments, **pool)
        postgresql.bound(engine, 10 * seconds + 1)
        return engine

    def key_file(self) -> Optional[Path]:
        return None

    def rings(self) -> Path:
        """Those of one database: who uses it, and with which password, makes no difference."""
        from sqlalchemy import URL

        query = {name: it for name, it in self._url.query.items() if name not in ("user", "password")}
        url = URL.create(
            "postgresql", host=self._url.host, port=self._url.port, database=self._url.database, query=query
        )
        return settings.user_directory() / "rings" / blake2b(str(url).encode(), digest_size=8).hexdigest()


def _leave_transactions_to_us(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")


def make_key(path: Path) -> bytes:
    """
    Read a key's file, or make it.

    Args:
        path: Where it is.

    Returns:
        32 random bytes, the same for everybody who comes at the same time.

    Raises:
        OSError: The key can be neither read nor made.
    """
    if not path.exists():
        make_directory(path.parent)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        make_file(draft, secrets.token_bytes(_KEY_BYTES))
        try:
            os.link(draft, path)  # whole or not at all, and the first one stays
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()


def make_directory(path: Path) -> None:
    """Makes a directory for the owner only, unless it is there."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def make_file(path: Path, content: bytes = b"") -> None:
    """Makes a file for the owner only."""
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)
