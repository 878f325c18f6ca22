"""
A thread that takes one step every second, also in forked children.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any, Callable, Optional

INTERVAL = 1.0
"""Seconds between two looks at the file."""


class Watcher:
    """
    Calls a function at intervals until it is stopped.

    A thread does not survive a fork, which is how pre-forking servers come to serve old rules for ever; the child
    starts its own.

    Args:
        step: What to do; it must not raise.
        wait: Waits for an event for a number of seconds and returns whether it was set. Tests hand in their own.
    """

    def __init__(
        self, step: Callable[[], object], wait: Callable[[threading.Event, float], bool] = threading.Event.wait
    ) -> None:
        self._step = step
        self._wait = wait
        self._stopped = threading.Event()
        self._thread: Optional[threading.Thread] = None

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Starts the thread, unless it is running."""
        if not self.is_running:
            self._stopped = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(self._stopped,), name="fast-litellm-rules", daemon=True
            )
            self._thread.start()
            _running.add(self)

    def stop(self) -> None:
        """Stops the thread and waits for its end; a step may stop its own watcher."""
        _running.discard(self)
        self._stopped.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._thread = None

    def _run(self, stopped: threading.Event) -> None:
        while not self._wait(stopped, INTERVAL):
            self._step()


_running: weakref.WeakSet[Any] = weakref.WeakSet()


def _restart_in_child() -> None:
    for watcher in list(_running):
        watcher.start()


if hasattr(os, "register_at_fork"):  # absent where there is no fork
    os.register_at_fork(after_in_child=_restart_in_child)
