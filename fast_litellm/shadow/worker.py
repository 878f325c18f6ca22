"""
The thread on which comparisons are made, and the room in front of it.
"""

from __future__ import annotations

import threading
import time
from queue import Empty, SimpleQueue
from typing import Callable, Generic, List, Optional, Protocol, TypeVar

from fast_litellm.shadow import machinery

_STOP = None


class Sized(Protocol):
    """A piece of work that knows what it keeps alive."""

    size: int


Job = TypeVar("Job", bound=Sized)


class Worker(Generic[Job]):
    """
    Runs jobs one after the other on a daemon thread that is started by the first of them.

    Room is reserved before a job exists and given back when it is done, so that jobs still waiting for their control
    count.

    Args:
        name: The thread's name.
        run: Does one job. It may raise anything; that is counted.
        max_jobs: How many jobs may be reserved at once.
        max_bytes: How much they may keep alive together.
    """

    def __init__(self, name: str, run: Callable[[Job], None], max_jobs: int, max_bytes: int) -> None:
        self._name = name
        self._run = run
        self._max_jobs = max_jobs
        self._max_bytes = max_bytes
        self._closed = False
        self.after_fork()

    def after_fork(self) -> None:
        """Forgets every job: the parent does them."""
        self._queue: SimpleQueue[Optional[Job]] = SimpleQueue()  # put is re-entrant, as a signal handler needs
        self._changed = threading.Condition(threading.RLock())
        self._jobs = self._bytes = self._queued = 0
        self._thread: Optional[threading.Thread] = None

    def is_current_thread(self) -> bool:
        """Returns whether the caller is the worker itself."""
        return self._thread is threading.current_thread()

    def refusal(self) -> Optional[str]:
        """Returns why no further job can be reserved, or None."""
        if self._closed:
            return "shutdown"
        return "queue_full" if self._jobs >= self._max_jobs else None

    def reserve(self, size: int) -> Optional[str]:
        """
        Reserve room for a job of so many bytes.

        Returns:
            None, or why there is no room; then nothing is reserved.
        """
        with self._changed:
            refusal = self.refusal() or ("memory" if self._bytes + size > self._max_bytes else None)
            if refusal is None:
                self._jobs += 1
                self._bytes += size
            return refusal

    def release(self, size: int) -> None:
        """Gives back the room of a job that will not be put."""
        with self._changed:
            self._jobs -= 1
            self._bytes -= size
            if not self._jobs:
                self._changed.notify_all()

    def put(self, job: Job) -> bool:
        """
        Queue a job for which room is reserved.

        Returns:
            Whether it was taken; a closed worker takes none.
        """
        with self._changed:
            if self._closed:
                return False
            if self._thread is None:
                self._start()
            self._queued += 1
            self._queue.put(job)
            return True

    def drain(self, timeout: float) -> bool:
        """
        Wait until every queued job is done.

        Args:
            timeout: At most so many seconds.

        Returns:
            Whether all are done.
        """
        with self._changed:
            return self._changed.wait_for(lambda: not self._queued, timeout)

    def close(self, timeout: float) -> List[Job]:
        """
        Take no more jobs and let the thread finish.

        Args:
            timeout: How long the queued jobs may take, in seconds.

        Returns:
            The jobs that were not begun in time; the one that runs is left to end by itself.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            self._closed = True
        finished = self.drain(timeout)
        left = [] if finished else self._take_all()
        self._queue.put(_STOP)
        if finished and self._thread is not None and not self.is_current_thread():
            self._thread.join(max(0.0, deadline - time.monotonic()))
        return left

    def _start(self) -> None:
        thread = threading.Thread(target=self._loop, args=(self._queue,), name=self._name, daemon=True)
        thread.start()
        self._thread = thread

    def _loop(self, queue: SimpleQueue[Optional[Job]]) -> None:
        while (job := queue.get()) is not _STOP:
            try:
                self._run(job)
            except BaseException as error:
                machinery.failed("compare", error)
            self._finish(job)

    def _finish(self, job: Job) -> None:
        self.release(job.size)
        with self._changed:
            self._queued -= 1
            self._changed.notify_all()

    def _take_all(self) -> List[Job]:
        left: List[Job] = []
        while True:
            try:
                job = self._queue.get_nowait()
            except Empty:
                return left
            if job is not _STOP:
                left.append(job)
                self._finish(job)
