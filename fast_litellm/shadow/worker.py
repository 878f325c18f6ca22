"""
The thread on which comparisons are made, and the room in front of it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Callable, Generic, Iterator, List, Optional, Protocol, TypeVar

from fast_litellm.errors import try_to_start
from fast_litellm.shadow import engine, machinery
from fast_litellm.shadow.deadline import Patience, watchdog

MAX_ABANDONED = 2
"""So many threads may hang; then the worker takes no more jobs."""

_STOP = None
_NS_PER_S = 1_000_000_000


class Sized(Protocol):
    """A piece of work that knows what it keeps alive."""

    @property
    def size(self) -> int: ...


Job = TypeVar("Job", bound=Sized)


@dataclass
class _Run(Generic[Job]):
    """A job that has begun."""

    job: Job
    started: int
    is_claimed: bool = False


class Worker(Generic[Job]):
    """
    Runs jobs one after the other on a daemon thread that is started by the first of them.

    Room is reserved before a job exists and given back when it is done, so that jobs still waiting for their control
    count. On the caller's path the room is asked, and a job is put, natively and without this object's lock. A thread
    cannot be ended from outside: one whose job hangs is abandoned, and another goes on in its place.

    Args:
        name: The thread's name.
        run: Does one job. It may raise anything; that is counted.
        max_jobs: How many jobs may be reserved at once.
        memory: What they may keep alive together, with those of other workers that have it.
        patience: With a job that does not end; None waits for ever.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[Job], None],
        max_jobs: int,
        memory: engine.Memory,
        patience: Optional[Patience[Job]] = None,
    ) -> None:
        self._name = name
        self._run = run
        self._patience = patience
        self.room = engine.current().Room(max_jobs, memory, MAX_ABANDONED)
        self.after_fork()

    def after_fork(self) -> None:
        """Forgets every job: the parent does them."""
        self._queue: SimpleQueue[Optional[Job]] = SimpleQueue()  # put is re-entrant, as a signal handler needs
        self._changed = threading.Condition(threading.RLock())
        self.room.empty()
        self._thread: Optional[threading.Thread] = None
        self._running: Optional[_Run[Job]] = None
        self._is_watched = False
        self._own = threading.local()

    def is_current_thread(self) -> bool:
        """Returns whether the caller is on a thread of the worker's, an abandoned one included."""
        return getattr(self._own, "is_worker", False)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """The calling thread counts as the worker's own."""
        before = self.is_current_thread()
        self._enter()
        try:
            yield
        finally:
            self.room.leave()
            self._own.is_worker = before

    def refusal(self) -> Optional[str]:
        """Returns why no further job can be reserved, or None."""
        return self.room.refusal()

    def reserve(self, size: int) -> Optional[str]:
        """
        Reserve room for a job of so many bytes.

        Returns:
            None, or why there is no room; then nothing is reserved.
        """
        return self.room.reserve(size)

    def release(self, size: int) -> None:
        """Gives back the room of a job that will not be put."""
        self.room.release(size)

    def put(self, job: Job) -> bool:
        """
        Queue a job for which room is reserved.

        Returns:
            Whether it was taken; a worker that is closed or has given up takes none, and so does one that would begin
            while the interpreter is shutting down.
        """
        with self._changed:
            if self.room.ending() is not None:
                return False
            if self._thread is None and not self._start():
                return False
            self.room.arrive()
            self._queue.put(job)
            return True

    def claim(self, job: Job) -> bool:
        """
        Ask, from within a job, whether what it has found still counts. From then on it does, however long it takes.

        Returns:
            False when the job was taken to hang.
        """
        with self._changed:
            run = self._running
            if run is None or run.job is not job:
                return False
            run.is_claimed = True
            return True

    def look(self) -> Optional[float]:
        """
        Abandon the running job if it has run for too long.

        Returns:
            In how many seconds to look again, or None when nothing runs.
        """
        with self._changed:
            run, patience = self._running, self._patience
            if run is None or patience is None:
                self._is_watched = False
                return None
            left = patience.limit_ns - (0 if run.is_claimed else patience.clock() - run.started)
            if left > 0:
                return left / _NS_PER_S
            self._abandon()
        _tell(patience.hung, run.job)
        self._finish(run.job)
        self._go_on(patience)
        return None

    def drain(self, timeout: float) -> bool:
        """
        Wait until every queued job is done.

        Args:
            timeout: At most so many seconds.

        Returns:
            Whether all are done.
        """
        with self._changed:
            return self._changed.wait_for(lambda: not self.room.queued, timeout)

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
            self.room.close()
        finished = self.drain(timeout)
        left = [] if finished else self._take_all()
        for job in left:
            self._finish(job)
        self._queue.put(_STOP)
        if finished and self._thread is not None and not self.is_current_thread():
            self._thread.join(max(0.0, deadline - time.monotonic()))
        return left

    def _start(self) -> bool:
        """Returns whether it has begun; at exit it cannot, and whoever closes it gets what is left."""
        thread = threading.Thread(target=self._loop, args=(self._queue,), name=self._name, daemon=True)
        if not try_to_start(thread):
            return False
        self._thread = thread
        self.room.attend(self._queue.put)
        return True

    def _enter(self) -> None:
        self._own.is_worker = True
        self.room.enter()

    def _loop(self, queue: SimpleQueue[Optional[Job]]) -> None:
        self._enter()
        while (job := queue.get()) is not _STOP:
            run = self._begin(job)
            try:
                self._run(job)
            except BaseException as error:
                machinery.failed("compare", error)
            if not self._end(run):
                return

    def _begin(self, job: Job) -> _Run[Job]:
        patience = self._patience
        run = _Run(job, 0 if patience is None else patience.clock())
        with self._changed:
            self._running = run
            is_watched, self._is_watched = self._is_watched, patience is not None
        if patience is not None and not is_watched:
            watchdog.expect(self, patience.limit_ns / _NS_PER_S)
        return run

    def _end(self, run: _Run[Job]) -> bool:
        """Returns whether the thread is still the worker's; an abandoned one has nothing left to end."""
        with self._changed:
            if self._running is not run:
                return False
            self._running = None
        self._finish(run.job)
        return True

    def _finish(self, job: Job) -> None:
        self.release(job.size)
        with self._changed:
            self.room.depart()
            self._changed.notify_all()

    def _abandon(self) -> None:
        self._running = self._thread = None
        self._is_watched = False
        self.room.abandon()

    def _go_on(self, patience: Patience[Job]) -> None:
        """With the next job on another thread, or not at all."""
        if self.room.ending() != "hung":
            with self._changed:
                if self.room.queued and self._thread is None:
                    self._start()
            return
        for job in self._take_all():
            _tell(patience.given_up, job)
            self._finish(job)

    def _take_all(self) -> List[Job]:
        left: List[Job] = []
        while True:
            try:
                job = self._queue.get_nowait()
            except Empty:
                return left
            if job is not _STOP:
                left.append(job)


def _tell(listener: Callable[[Job], None], job: Job) -> None:
    try:
        listener(job)
    except BaseException as error:
        machinery.failed("give_up", error)
