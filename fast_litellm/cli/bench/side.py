"""
One side of whole programs, in a process of its own: `python -m fast_litellm.cli.bench.side STAGE CALLS [WORD...]`.

STAGE is what everything is put at, once and for good; CALLS is the `module:function` of a context manager that is given
the words and sets up what sends a call of each kind. Requests are lines of JSON on standard input, answers are lines of
JSON on standard output; the process ends when its input does, so that it never outlives whoever started it.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable
from unittest import mock

import fast_litellm
from fast_litellm.cli.bench import growth, stages
from fast_litellm.shadow import Budget

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Calls = dict[str, Callable[[], Any]]

_SETTLED_S = 2.0
_LONGEST_WARM_UP_S = 4.0
_LONGEST_WAIT_S = 5.0
_LOOK_S = 0.002
_PASS = 8


class BusyClock:
    """
    Nanoseconds of processor time of this side's turns. The budget of comparisons is filled by time: with the time in
    which other sides have their turn, or whoever else has the processor, a program would be measured that is idle for
    much of the time. It stands still during a turn: looking at it would be part of what is measured.
    """

    def __init__(self) -> None:
        self._passed = 0

    def __call__(self) -> int:
        """Returns the time."""
        return self._passed

    @contextmanager
    def running(self) -> Iterator[None]:
        """What the block takes has passed after it."""
        started = time.process_time_ns()
        try:
            yield
        finally:
            self._passed += time.process_time_ns() - started


class Side:
    """
    What is asked of one side.

    Args:
        calls: What sends a call of each kind.
        clock: Of the budget.
        is_compared: Calls are compared here.
    """

    def __init__(self, calls: Calls, clock: BusyClock, *, is_compared: bool) -> None:
        self._calls = calls
        self._clock = clock
        self._is_compared = is_compared

    def answer(self, kind: str) -> Any:
        """Returns what a caller is answered."""
        with self._clock.running():
            return self._calls[kind]()

    def warm_up(self, kind: str) -> None:
        """Sends calls; where they are compared, until more than half are left out of the sample."""
        until = time.monotonic() + _LONGEST_WARM_UP_S
        while True:
            before = stages.compared()
            with self._clock.running():
                for _ in range(_PASS):
                    self._calls[kind]()
            offered, left_out = (now - then for now, then in zip(stages.compared(), before))
            if not self._is_compared or left_out * 2 > offered or time.monotonic() > until:
                return

    def batch(self, kind: str, count: int) -> tuple[float, float]:
        """Returns nanoseconds a call: of the whole process, with the comparisons of these calls; and of this thread."""
        call = self._calls[kind]
        self._wait()
        gc.collect()
        with self._clock.running():
            thread, process = time.thread_time_ns(), time.process_time_ns()
            for _ in range(count):
                call()
            thread = time.thread_time_ns() - thread
            process = time.process_time_ns() - process
        return (process + self._wait()) / count, thread / count

    def resident(self) -> int:
        """Returns how many bytes of this process are in memory."""
        gc.collect()
        return growth.resident()

    def _wait(self) -> int:
        """Returns the nanoseconds that comparisons took until none was left, without those of looking."""
        if not self._is_compared:
            return 0
        process, thread = time.process_time_ns(), time.thread_time_ns()
        until = time.monotonic() + _LONGEST_WAIT_S
        while stages.in_flight() and time.monotonic() < until:
            time.sleep(_LOOK_S)
        return time.process_time_ns() - process - (time.thread_time_ns() - thread)


@contextmanager
def _installed(stage: str, clock: BusyClock) -> Iterator[float]:
    """Yields the processor time of installing, and of what its threads did within two seconds, in nanoseconds."""
    budget = functools.partial(Budget, clock=clock)
    with mock.patch("fast_litellm.accel.evidence.Budget", budget), stages.switch() as switch:
        started = time.process_time_ns()
        switch.turn(stage)
        if stage != stages.OFF:
            time.sleep(_SETTLED_S)
        yield time.process_time_ns() - started


def serve(stage: str, calls: str, words: list[str]) -> None:
    """
    Answer requests until there are no more: `["answer", KIND]`, `["warm_up", KIND]`, `["batch", KIND, COUNT]`,
    `["resident"]`.

    Args:
        stage: What everything is put at.
        calls: As above.
        words: Told to it.
    """
    module, _, name = calls.partition(":")
    make = getattr(importlib.import_module(module), name)
    clock = BusyClock()
    with make(*words) as made, _installed(stage, clock) as installing:
        side = Side(dict(made), clock, is_compared=stage == stages.SHADOW)
        _say({"installing_ns": installing})
        for line in sys.stdin:
            what, *rest = json.loads(line)
            _say({"is": getattr(side, what)(*rest)})


def _say(document: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    fast_litellm.uninstall()  # whatever the environment has installed while Python started
    serve(sys.argv[1], sys.argv[2], sys.argv[3:])
