"""
The ledger's thread: it makes its rounds about once a second, and at once when it is woken.
"""

from __future__ import annotations

import threading
import time
from typing import Callable, Optional

from fast_litellm.shadow import machinery

_LEAST_REST = 0.25
"""Of the time from round to round: a database that is slow already is not asked without a break."""


class Rounds:
    """
    Makes rounds on a daemon thread, from when it is started until it is ended.

    Args:
        work: One round; it raises nothing.
        seconds: How often; after a round that took long, a quarter of it passes without one. None makes none.
        spend: Told of the processor time that a round has taken, in nanoseconds.
    """

    def __init__(
        self, work: Callable[[], object], seconds: Optional[float], spend: Optional[Callable[[int], object]] = None
    ) -> None:
        self._work = work
        self._seconds = seconds
        self._spend = spend
        self._ended = False
        self._last: Callable[[], object] = _nothing
        self._begin()

    def _begin(self) -> None:
        self._starting = threading.Lock()
        self._wake = threading.Event()
        self.thread: Optional[threading.Thread] = None

    def start(self) -> None:
        """Starts the thread, unless it runs, has been ended, or there is nothing to wait for."""
        if self._seconds is None or self.thread is not None or self._ended:
            return
        with self._starting:
            if self.thread is None:
                thread = threading.Thread(target=self._run, name="fast-litellm-ledger", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:  # at exit closing the ledger writes the rest
                    machinery.not_started("start_writer", error)
                    return
                self.thread = thread

    def wake(self) -> None:
        """Has the next round begin now."""
        self._wake.set()

    def finish(self, last: Callable[[], object], seconds: float) -> bool:
        """
        End the rounds with something that is done last: by the thread, or here where there is none.

        Args:
            last: What is done; it raises nothing.
            seconds: How long to wait for it.

        Returns:
            Whether it is done. If not, it may be yet.
        """
        self._last, self._ended = last, True
        thread = self.thread
        if thread is None or not thread.is_alive() or thread is threading.current_thread():
            last()
            return True
        self.wake()
        thread.join(seconds)
        return not thread.is_alive()

    def forget(self) -> bool:
        """Returns whether a thread was running that a forked child does not have; it may start its own."""
        was_running = self.thread is not None
        self._begin()
        return was_running

    def _run(self) -> None:
        seconds = self._seconds or 0.0
        while not self._ended:
            began, started = time.monotonic(), time.thread_time_ns()
            self._work()
            if self._spend is not None:
                self._spend(time.thread_time_ns() - started)
            self._wake.wait(max(seconds * _LEAST_REST, seconds - (time.monotonic() - began)))
            self._wake.clear()
        self._last()


def _nothing() -> None:
    """Stands for what is done last."""
