"""
When a process that has ended before its time may be started again.
"""

from __future__ import annotations

import time
from typing import Callable, Optional

MAX_FAILURES = 8
_FORGIVEN_AFTER = 100
_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 60.0


class Restarts:
    """
    Allows the first restart at once, so that a crash can be confirmed, and doubles the wait before each further one. At
    the eighth failure there is none any more; a hundred calls without a failure make good what was before.

    Args:
        clock: Seconds; monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = self._successes = 0
        self._not_before = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing will ever be started again."""
        return self._failures >= MAX_FAILURES

    def refusal(self) -> Optional[str]:
        """Returns why nothing may be started now: "restarting" | "isolation_failed"; or None."""
        if self.is_over:
            return "isolation_failed"
        return "restarting" if self._clock() < self._not_before else None

    def failed(self) -> None:
        """Counts a process that had to be killed, that died or that could not be started."""
        self._failures += 1
        self._successes = 0
        if self._failures > 1:
            wait = _FIRST_WAIT_SECONDS * 2.0 ** (self._failures - 2)
            self._not_before = self._clock() + min(wait, _LONGEST_WAIT_SECONDS)

    def succeeded(self) -> None:
        """Counts a call that was answered."""
        self._successes += 1
        if self._successes >= _FORGIVEN_AFTER:
            self._failures = 0
