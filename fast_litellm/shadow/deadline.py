"""
One thread a process that looks after work which may never end.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from dataclasses import dataclass
from typing import Callable, Generic, List, Optional, Protocol, Tuple, TypeVar

from fast_litellm.shadow import forking, machinery

Work = TypeVar("Work")


@dataclass(frozen=True)
class Patience(Generic[Work]):
    """
    How long one job may take, and who is told of one that takes longer.

    Args:
        limit_ns: The longest a job may run, in nanoseconds.
        clock: What it is measured with, in nanoseconds; monotonic.
        hung: Called with a job that has run for too long, on another thread. Its own thread is not waited for any
            more, and whatever it still does counts for nothing.
        given_up: Called with each job that will not be begun because too many have hung.
    """

    limit_ns: float
    clock: Callable[[], int]
    hung: Callable[[Work], None]
    given_up: Callable[[Work], None]


class Watched(Protocol):
    """Something that is to be looked at while it is busy."""

    def look(self) -> Optional[float]:
        """Returns in how many seconds to look again; None when there is nothing to look after."""


class Watchdog:
    """
    Looks at what it was asked to look at, when it is time. Its thread is started by the first request and sleeps until
    the next look is due.
    """

    def __init__(self) -> None:
        self.after_fork()
        forking.restart_in_children(self)

    def after_fork(self) -> None:
        """Forgets what the parent looks after."""
        self._changed = threading.Condition()
        self._order = itertools.count()
        self._due: List[Tuple[float, int, Watched]] = []
        self._thread: Optional[threading.Thread] = None

    def expect(self, watched: Watched, seconds: float) -> None:
        """
        Args:
            watched: What to look at.
            seconds: When, from now.
        """
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), watched))
            if self._thread is None:
                self._start()
            self._changed.notify()

    def _start(self) -> None:
        thread = threading.Thread(target=self._loop, name="fast-litellm-watchdog", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # at exit whatever hangs ends with the process
            machinery.not_started("start_watchdog", error)
            return
        self._thread = thread

    def _loop(self) -> None:
        while True:
            watched = self._next()
            try:
                again = watched.look()
            except BaseException as error:
                machinery.failed("look_after", error)
                continue
            if again is not None:
                self.expect(watched, again)

    def _next(self) -> Watched:
        with self._changed:
            while not self._due or self._due[0][0] > time.monotonic():
                self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
            return heapq.heappop(self._due)[2]


watchdog = Watchdog()
"""The process's own."""
