"""
How much processor time the shadow may use: a token bucket that is filled by time and emptied by work.
"""

from __future__ import annotations

import threading
import time
from typing import Callable

SHARE = 0.05
"""Of one core, unless something else is said."""
_NS_PER_MS = 1_000_000
_FIRST_ESTIMATE_NS = _NS_PER_MS // 10
_ESTIMATE_WEIGHT = 8


class Budget:
    """
    A share of one core.

    What a comparison will cost is not known when it is accepted, so the running average is taken at once and
    corrected when the work is done; a debt is paid off by time before the next comparison is accepted.

    Args:
        share: Of one core, in (0, 1].
        burst_ms: What may be used at once after a quiet time, in milliseconds of processor time.
        clock: The time, in nanoseconds; monotonic.
        cpu_clock: Processor time of the calling thread, in nanoseconds.

    Raises:
        ValueError: The share or the burst is out of range.
    """

    def __init__(
        self,
        share: float = SHARE,
        burst_ms: float = 250,
        *,
        clock: Callable[[], int] = time.monotonic_ns,
        cpu_clock: Callable[[], int] = time.thread_time_ns,
    ) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, not {share}")
        if not burst_ms > 0:
            raise ValueError(f"burst_ms must be above 0, not {burst_ms}")
        self.cpu_clock = cpu_clock
        self._share = share
        self._burst = float(burst_ms * _NS_PER_MS)
        self._clock = clock
        self._estimate = float(_FIRST_ESTIMATE_NS)
        self._balance = 0.0
        self.after_fork()

    def allows(self) -> bool:
        """
        Returns:
            Whether one more comparison may be accepted.
        """
        return self.ease() > 0

    def ease(self) -> float:
        """
        Returns:
            How much is left, from 1 down to 0, when nothing more may be accepted.
        """
        if self._share == 1:
            return 1.0
        with self._lock:
            self._refill()
            return max(0.0, self._balance / self._burst)

    def reserve(self) -> float:
        """
        Take what one comparison is expected to cost.

        Returns:
            What was taken, in nanoseconds: to be given to `settle`.
        """
        with self._lock:
            self._balance -= self._estimate
            return self._estimate

    def settle(self, reserved: float, spent: int) -> None:
        """
        Correct a reservation.

        Args:
            reserved: What `reserve` returned.
            spent: What the comparison did cost, in nanoseconds; 0 when it was given up.
        """
        with self._lock:
            self._balance = min(self._burst, self._balance + reserved - spent)
            if spent:
                self._estimate += (spent - self._estimate) / _ESTIMATE_WEIGHT

    def after_fork(self) -> None:
        """Starts with a full bucket; reservations of the parent are its own."""
        self._lock = threading.RLock()  # a signal handler may come back here in the middle
        self._balance = self._burst
        self._filled_at = self._clock()

    def _refill(self) -> None:
        now = self._clock()
        self._balance = min(self._burst, self._balance + (now - self._filled_at) * self._share)
        self._filled_at = now
