"""
What a ledger's processes do for each other: they write what killed ones have left, and forget what is old.
"""

from __future__ import annotations

import contextlib
from typing import Callable

from fast_litellm.shadow import recovery, ring
from fast_litellm.shadow.store import Store


def recover(store: Store, clock: Callable[[], float]) -> int:
    """
    Write what killed processes of this host have left.

    Args:
        store: The database.
        clock: Seconds since 1970.

    Returns:
        How many there were.

    Raises:
        LedgerError: The database is of a later version.
        OSError: The file or its directory cannot be made.
        SQLAlchemyError: It cannot be written; what is left stays for the next time.
    """

    def write(left: ring.Left) -> None:
        with _own(store) as own, own.writing() as connection:
            recovery.write(connection, left, clock())

    return ring.recover(store.database.rings(), write)


def tidy(store: Store, clock: Callable[[], float]) -> bool:
    """
    Forget what is old; see `retention`.

    Args:
        store: The database.
        clock: Seconds since 1970.

    Returns:
        Whether it was done: not where there is nothing yet, nor while another process does it.

    Raises:
        LedgerError: The database is of a later version.
        OSError: The file cannot be written.
        SQLAlchemyError: It cannot be written.
    """
    from fast_litellm.shadow import retention

    if not store.database.exists():
        return False
    with _own(store) as own, own.writing() as connection:
        return retention.tidy(connection, clock())


def _own(store: Store) -> contextlib.closing[Store]:
    """A connection of its own: the writer must notice when it opens another file."""
    return contextlib.closing(Store(store.database))
