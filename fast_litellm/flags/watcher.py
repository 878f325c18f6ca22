"""
A thread that takes a step whenever it is time to, also in forked children.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from typing import Any, Callable, Iterator, Optional

from fast_litellm.errors import try_to_start
from fast_litellm.flags.file_events import Way
from fast_litellm.flags.stopping import Stop

IDLE = Way(None, "nobody asked for it")
_STARTING = Way("polling", "the first look is still to come")
_PATIENCE = 1.0
"""Seconds that a process which ends waits for a step under way."""


class Watcher:
    """
    Takes a step after each look until it is stopped. Every method may be called from any thread.

    A thread does not survive a fork, which is how pre-forking servers come to serve old rules for ever; the child
    starts its own, which listens for itself.

    Args:
        step: What to do; it must not raise.
        looks: Yields whenever a step is due, with how it knows, and ends soon after the event is set.
    """

    def __init__(self, step: Callable[[], object], looks: Callable[[Stop], Iterator[Way]]) -> None:
        self._step = step
        self._looks = looks
        self._stopped = Stop()
        self._thread: Optional[threading.Thread] = None
        self._way = IDLE
        self._lock = threading.Lock()

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    @property
    def way(self) -> Way:
        """How it knows when a step is due."""
        return self._way if self.is_running else IDLE

    def start(self) -> None:
        """Starts the thread, unless it is running; at exit there is nothing left to follow."""
        with self._lock:
            if not self.is_running:
                _running.add(self)
                self._way = _STARTING
                stopped = Stop()
                thread = threading.Thread(target=self._run, args=(stopped,), name="fast-litellm-rules", daemon=True)
                if not try_to_start(thread):
                    return
                self._stopped, self._thread = stopped, thread  # not before: a thread cannot be joined until it starts

    def stop(self, patience: Optional[float] = None) -> None:
        """
        Stops the thread and waits for its end; a step may stop its own watcher.

        Args:
            patience: Seconds to wait at most.
        """
        with self._lock:
            _running.discard(self)
            thread, self._thread = self._thread, None
            self._stopped.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(patience)

    def restart_in_child(self) -> None:
        """Starts a thread of the forked child's own; the lock may have been held while the process was copied."""
        self._lock = threading.Lock()
        self.start()

    def _run(self, stopped: Stop) -> None:
        for way in self._looks(stopped):
            self._way = way
            self._step()


_running: weakref.WeakSet[Any] = weakref.WeakSet()


def _restart_in_child() -> None:
    for watcher in list(_running):
        watcher.restart_in_child()


def _stop_all() -> None:
    """A thread must not be inside a library while the interpreter is taken down around it."""
    for watcher in list(_running):
        watcher.stop(_PATIENCE)


atexit.register(_stop_all)
if hasattr(os, "register_at_fork"):  # absent where there is no fork
    os.register_at_fork(after_in_child=_restart_in_child)
