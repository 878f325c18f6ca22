"""The demo's log: every event of the package is kept, and none is printed over the progress bar."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

from fast_litellm import events

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping


class Logbook:
    """
    Keeps events.

    It is a structlog processor; comparisons are made on threads of their own, so it may be called from any of them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[dict[str, Any]] = []

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
        """
        Keep an event.

        Raises:
            structlog.DropEvent: Always: it ends here.
        """
        with self._lock:
            self._events.append(dict(event))
        raise structlog.DropEvent

    @property
    def divergences(self) -> list[dict[str, Any]]:
        """Every divergence logged so far."""
        return self._named(events.DIVERGENCE)

    @property
    def blocked(self) -> list[dict[str, Any]]:
        """Every block logged so far."""
        return self._named(events.FEATURE_BLOCKED)

    def _named(self, name: str) -> list[dict[str, Any]]:
        with self._lock:
            return [event for event in self._events if event.get("event") == name]


@contextmanager
def keeping() -> Iterator[Logbook]:
    """
    Send the process's structlog events to a logbook for as long as the block lasts.

    Yields:
        The logbook.
    """
    before = structlog.get_config()
    logbook = Logbook()
    structlog.configure(processors=[logbook], cache_logger_on_first_use=False)
    try:
        yield logbook
    finally:
        structlog.configure(**before)
