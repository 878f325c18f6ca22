"""Whether two threads get in each other's way: the same decisions on one thread, and halved between two."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement
from fast_litellm.flags import FlagManager

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fast_litellm.flags.engine import FlagHandle

_CALLS = 100_000
_NO_SLOWDOWN = 0.95
_SCALES = 1.8


def rows() -> Iterator[Row]:
    """
    Yields:
        One row, named after whether this Python has a global lock; without one, two threads should be twice as fast.
    """
    locked = getattr(sys, "_is_gil_enabled", lambda: True)()
    split = {"split": {"rust": 10, "python": 90}}
    handle = FlagManager.from_dict({"version": 1, "flags": {"canary": {"otherwise": split}}}).bind("canary")
    names = {"alone": _alone, "together": _together, "handle": handle}
    yield Row(
        f"two threads, {'with' if locked else 'without'} the GIL",
        theirs=Statement("alone(handle)", names),
        ours=Statement("together(handle)", names),
        goal=Goal(Measure.SPEEDUP, _NO_SLOWDOWN if locked else _SCALES),
        is_wall_time=True,
    )


def _alone(handle: FlagHandle) -> None:
    _decide(handle, 2 * _CALLS)


def _together(handle: FlagHandle) -> None:
    threads = [threading.Thread(target=_decide, args=(handle, _CALLS)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _decide(handle: FlagHandle, calls: int) -> None:
    for _ in range(calls):
        handle("user-1")
