"""
How an older ledger becomes one of this version: one revision for each change of the tables, run by Alembic. A new one
is made of `schema`, which says the same.

A revision is never edited once released; a change of the schema is one more of them.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Final, Optional, Tuple

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, inspect, text

from fast_litellm.errors import LedgerError

REVISIONS: Final[Tuple[str, ...]] = ("0001", "0002", "0003")
HEAD: Final = REVISIONS[-1]

# As Alembic makes it.
_VERSION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
# Any number of processes may come to a new database at once; one of them migrates, the others wait for it.
_LOCK = text("SELECT pg_advisory_xact_lock(7316405881)")
# Alembic keeps the connection of the upgrade that runs in a global of the process.
_upgrading = threading.Lock()


def revision(connection: Connection) -> Optional[str]:
    """
    Args:
        connection: To any database.

    Returns:
        The revision a ledger is at; "legacy" for one that was written before there were revisions; None for a database
        without a ledger.

    Raises:
        LedgerError: The ledger is of a later version.
    """
    tables = inspect(connection)
    if not tables.has_table("alembic_version"):
        return "legacy" if tables.has_table("process") else None
    found: Optional[str] = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found not in REVISIONS:
        raise LedgerError(
            f"the ledger has schema {found}, this version knows {HEAD}; upgrade fast-litellm on this machine"
        )
    return found


def migrate(connection: Connection) -> None:
    """
    Bring a database to this version, whole or not at all. Processes may do so at the same time.

    Args:
        connection: In a transaction that may write; it is not committed here.

    Raises:
        LedgerError: The database is of a later version.
        SQLAlchemyError: It cannot be read or written.
    """
    if revision(connection) == HEAD:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
    if revision(connection) is None:
        _make(connection)
    else:
        upgrade(connection)


def _make(connection: Connection) -> None:
    """A new ledger at once as it is to be. Alembic, which takes 7 MiB of a process, is for older ones."""
    from fast_litellm.shadow.schema import METADATA

    METADATA.create_all(connection)
    _VERSION.create(connection)
    connection.execute(_VERSION.insert().values(version_num=HEAD))


def upgrade(connection: Connection) -> None:
    """
    Run the revisions that a database has not had.

    Args:
        connection: As for `migrate`.

    Raises:
        SQLAlchemyError: It cannot be read or written.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _upgrading:
        command.upgrade(config, "head")


def _begin_in_child() -> None:
    """A lock that another thread held at the fork would never be released here."""
    global _upgrading
    _upgrading = threading.Lock()


if hasattr(os, "register_at_fork"):  # absent where there is no fork
    os.register_at_fork(after_in_child=_begin_in_child)
