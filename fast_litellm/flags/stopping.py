"""
Stopping a thread that waits for something else than for being stopped.
"""

from __future__ import annotations

import contextlib
import threading
from typing import Callable, Iterator


class Stop(threading.Event):
    """Tells whoever waits for something else when it is set; an event wakes only those who wait for itself."""

    def __init__(self) -> None:
        super().__init__()
        self._tell: Callable[[], object] = _nobody

    @contextlib.contextmanager
    def telling(self, tell: Callable[[], object]) -> Iterator[None]:
        """Calls a function if it is set during the block; one that was set before calls nothing."""
        self._tell = tell
        try:
            yield
        finally:
            self._tell = _nobody

    def set(self) -> None:
        """Sets it, and tells whoever wants to be told."""
        super().set()
        self._tell()


def _nobody() -> None:
    """Stands for whoever does not wait."""
