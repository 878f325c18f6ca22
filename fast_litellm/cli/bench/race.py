"""
Times the two sides of a row.

Batches of both sides alternate and each round makes its own ratio, so that a slower moment of the machine meets both
sides. The clock counts this thread's CPU time: other programs, and our own worker threads, do not disturb it. The cost
of the loop itself is measured in every round and taken off both sides.
"""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

from fast_litellm.cli.bench.row import Statement
from fast_litellm.cli.bench.spread import Spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fast_litellm.cli.bench.row import Goal, Row, Series

Clock = Callable[[], int]
Batch = Callable[["Iterable[object]", Clock], int]

_LOOP = Statement("pass")


@dataclass(frozen=True)
class Result:
    """
    What a race measured.

    Args:
        value: The row's measure, one per round.
        ours_ns: Nanoseconds a call of our side.
        theirs_ns: Nanoseconds a call of the other side.
        calls: Calls of each side in one batch.
    """

    value: Spread
    ours_ns: Spread
    theirs_ns: Spread
    calls: int

    @classmethod
    def of(cls, goal: Goal, rounds: Sequence[tuple[float, float]], calls: int) -> Result:
        """
        Args:
            goal: How a round's two sides become its measure.
            rounds: Nanoseconds a call of our side and of the other, for each round.
            calls: Calls of each side in one batch.

        Returns:
            Medians and spreads over all rounds.
        """
        return cls(
            Spread.of([goal.of(*pair) for pair in rounds]),
            Spread.of([pair[0] for pair in rounds]),
            Spread.of([pair[1] for pair in rounds]),
            calls,
        )


@dataclass(frozen=True)
class Course:
    """
    How a race is run.

    Args:
        clock: Returns nanoseconds of CPU time.
        rounds: How many batches of each side.
        slower_ns: The slower side's batch lasts at least this long, so that the clock's own cost disappears in it.
        faster_ns: The same for the faster side.
    """

    clock: Clock = time.thread_time_ns
    rounds: int = 41
    slower_ns: int = 4_000_000
    faster_ns: int = 200_000

    def run(self, row: Row) -> Result:
        """
        Race the two sides of a row.

        Args:
            row: Whose sides are known to agree.

        Returns:
            Medians and spreads over all rounds.
        """
        collecting = gc.isenabled()
        gc.disable()  # a collection would fall into one side's batch and not into the other's
        try:
            return self._run(row, compiled(row.ours), compiled(row.theirs), compiled(_LOOP))
        finally:
            if collecting:
                gc.enable()

    def _clock_of(self, row: Row) -> Clock:
        if row.is_wall_time:
            return time.perf_counter_ns
        return time.process_time_ns if row.is_process_time else self.clock

    def follow(self, series: Series) -> Result:
        """
        Have a series run as many rounds as every race.

        Args:
            series: Whose sides are known to agree.

        Returns:
            Medians and spreads over all rounds.
        """
        return Result.of(series.goal, series.pairs(self.rounds), series.calls)

    def _run(self, row: Row, ours: Batch, theirs: Batch, loop: Batch) -> Result:
        clock = self._clock_of(row)
        calls = self._calls(row, ours, theirs, clock)
        rounds: list[tuple[float, float]] = []
        for index in range(self.rounds):
            # Each side has items of its own: CPython keeps a text's UTF-8 form once somebody has asked for it.
            our_items, their_items = list(row.items(calls)), list(row.items(calls))
            loop_ns = loop(our_items, clock)
            if index % 2:
                ours_ns, theirs_ns = ours(our_items, clock), theirs(their_items, clock)
            else:
                theirs_ns, ours_ns = theirs(their_items, clock), ours(our_items, clock)
            rounds.append((_per_call(ours_ns, loop_ns, calls), _per_call(theirs_ns, loop_ns, calls)))
        return Result.of(row.goal, rounds, calls)

    def _calls(self, row: Row, ours: Batch, theirs: Batch, clock: Clock) -> int:
        calls = 1
        while True:
            our_items, their_items = list(row.items(calls)), list(row.items(calls))
            faster, slower = sorted((ours(our_items, clock), theirs(their_items, clock)))
            long_enough = faster >= self.faster_ns and slower >= self.slower_ns
            if long_enough or (row.most_calls is not None and calls * 2 > row.most_calls):
                return calls
            calls *= 2


def compiled(statement: Statement) -> Batch:
    """
    Args:
        statement: The line to time.

    Returns:
        A function of (items, clock) that runs the line once for each item and returns the clock's difference. The names
        of the line are local to it: looking up a global would be timed too.
    """
    parameters = "".join(f", {name}={name}" for name in statement.names)
    source = (
        f"def batch(items, clock{parameters}):\n"
        "    start = clock()\n"
        "    for item in items:\n"
        f"        {statement.source}\n"
        "    return clock() - start\n"
    )
    names = dict(statement.names)
    exec(compile(source, "<bench>", "exec"), names)  # noqa: S102 - our own lines, as in the standard library's timeit
    batch: Batch = names["batch"]  # type: ignore[assignment]  # the name the source above defines
    return batch


def _per_call(batch_ns: int, loop_ns: int, calls: int) -> float:
    # Never zero: a ratio is made of it. A call cheaper than the loop's jitter reads as a thousandth of a nanosecond.
    return max(batch_ns - loop_ns, 0.001 * calls) / calls
