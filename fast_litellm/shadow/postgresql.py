"""
Connections to PostgreSQL that do not wait for ever.

A server's own timeouts end with it: one that is frozen, or behind a balancer that has lost it, keeps its connections
open and never answers, and neither keep-alive nor TCP_USER_TIMEOUT notices.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Generator, Optional

import psycopg

if TYPE_CHECKING:
    from sqlalchemy import Engine

_INTERVAL_SECONDS = 0.1
"""How often a wait is interrupted to look at the time, as psycopg itself does it."""


def bound(engine: Engine, seconds: float) -> None:
    """
    Have an engine make connections that give up.

    Args:
        engine: Of psycopg's dialect.
        seconds: How long one statement may take, its way there and back included. A connection that has given up is
            closed, and raises `psycopg.OperationalError`.
    """
    from sqlalchemy import event

    def connect(_dialect: object, _record: object, arguments: Any, parameters: Any) -> Connection:
        connection = Connection.connect(*arguments, **parameters)
        connection.patience = seconds
        return connection

    event.listen(engine, "do_connect", connect)


class Connection(psycopg.Connection[Any]):
    """
    A connection whose statements end.

    Attributes:
        patience: For how many seconds a statement is waited for; None waits for ever.
    """

    patience: Optional[float] = None

    def wait(self, gen: Any, interval: float = _INTERVAL_SECONDS, timeout: Optional[float] = None) -> Any:
        """Waits as psycopg does, and no longer than `patience`, unless psycopg has a limit of its own."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        if self.patience is not None:
            gen = self._until(gen, time.monotonic() + self.patience)
        return super().wait(gen, interval)

    def _until(self, steps: Generator[Any, Any, Any], deadline: float) -> Generator[Any, Any, Any]:
        """Hands on what psycopg's generator waits for, and what it is told, until then."""
        try:
            wanted = next(steps)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > deadline:
                    self.pgconn.finish()
                    raise psycopg.OperationalError("the server does not answer")
                wanted = steps.send(ready) or wanted
        except StopIteration as result:
            return result.value
