"""
How much processor time the shadow may use: a token bucket that is filled by time and emptied by work.
"""

from __future__ import annotations

import time
from typing import Callable

from fast_litellm.shadow import engine

SHARE = 0.05
"""Of one core, unless something else is said."""
_NS_PER_MS = 1_000_000


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
        self.bucket = engine.current().Bucket(
            share, burst_ms * _NS_PER_MS, None if clock is time.monotonic_ns else clock
        )

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
        return self.bucket.ease()

    def reserve(self) -> float:
        """
        Take what one comparison is expected to cost.

        Returns:
            What was taken, in nanoseconds: to be given to `settle`.
        """
        return self.bucket.reserve()

    def settle(self, reserved: float, spent: int) -> None:
        """
        Correct a reservation.

        Args:
            reserved: What `reserve` returned.
            spent: What the comparison did cost, in nanoseconds; 0 when it was given up.
        """
        self.bucket.settle(reserved, spent)

    def spend(self, spent: int) -> None:
        """
        Pay for what was done without a reservation.

        Args:
            spent: What it did cost, in nanoseconds.
        """
        self.bucket.spend(spent)

    def after_fork(self) -> None:
        """Starts with a full bucket; reservations of the parent are its own."""
        self.bucket.refill()
