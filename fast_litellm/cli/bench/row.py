"""What one line of the tables measures, and the number it should reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from itertools import repeat
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Measure(Enum):
    """How the two sides of a row become one number."""

    SPEEDUP = "speedup"  # theirs / ours: how many times faster we are; more is better
    COST = "cost"  # ours / theirs: how many of theirs ours costs; less is better
    ADDED_NS = "added_ns"  # ours - theirs in nanoseconds a call; less is better


@dataclass(frozen=True)
class Goal:
    """
    The number a row should reach.

    Args:
        measure: How it is computed.
        value: At least this for a speed-up, at most this for the others.
    """

    measure: Measure
    value: float

    def of(self, ours_ns: float, theirs_ns: float) -> float:
        """
        Returns:
            The measure of one round, from nanoseconds a call of both sides.
        """
        if self.measure is Measure.SPEEDUP:
            return theirs_ns / ours_ns
        if self.measure is Measure.COST:
            return ours_ns / theirs_ns
        return ours_ns - theirs_ns

    def met_by(self, value: float) -> bool:
        """
        Returns:
            Whether the value reaches the goal.
        """
        return value >= self.value if self.measure is Measure.SPEEDUP else value <= self.value


@dataclass(frozen=True)
class Statement:
    """
    One line of Python to be timed, run once for each `item`.

    A statement and not a callable, because the frame of a wrapping lambda costs more than some of the calls measured.

    Args:
        source: The line, such as "count(item)".
        names: The names it uses, besides `item`.
    """

    source: str
    names: Mapping[str, object] = field(default_factory=dict)


def _nothing(count: int) -> Iterable[object]:
    return repeat(None, count)


def _equal() -> str:
    return ""


@dataclass(frozen=True)
class Row:
    """
    One line of the table.

    Args:
        name: What is measured, at most 30 characters.
        theirs: The other side: the original, or an empty call.
        ours: Our side.
        goal: The number to reach.
        difference: Run before the timing: what the two sides answer differently, or "" when they agree. A row whose
            sides disagree is never timed.
        items: Makes the items of a batch; called anew for each round, so that texts can be fresh in every one.
        most_calls: A batch has no more, however short it is.
        is_wall_time: Measured in wall time instead of this thread's CPU time, because the row has threads of its own.
        is_process_time: Measured in the CPU time of all threads, because one side works on a thread of its own.
    """

    name: str
    theirs: Statement
    ours: Statement
    goal: Goal
    difference: Callable[[], str] = _equal
    items: Callable[[int], Iterable[object]] = _nothing
    most_calls: int | None = None
    is_wall_time: bool = False
    is_process_time: bool = False


@dataclass(frozen=True)
class Series:
    """
    One line of the table whose sides take turns by a plan of their own, because changing sides costs more than a
    batch, or because each side is another process.

    Args:
        name: What is measured, at most 30 characters.
        goal: The number to reach.
        pairs: Takes a number of rounds, and returns nanoseconds a call of our side and of the other for each; it may
            make fewer.
        calls: Calls of each side in a round.
        difference: As for `Row`.
    """

    name: str
    goal: Goal
    pairs: Callable[[int], Sequence[tuple[float, float]]]
    calls: int = 1
    difference: Callable[[], str] = _equal


@dataclass(frozen=True)
class Figure:
    """
    One number that is compared with nothing but its goal.

    Args:
        name: What is measured, at most 30 characters.
        unit: Of what, such as "rows/s".
        goal: The number to reach.
        is_least: The goal is a lower limit, not an upper one.
        values: Takes a number of rounds, and returns a value for each; it may make fewer.
    """

    name: str
    unit: str
    goal: float
    values: Callable[[int], Sequence[float]]
    is_least: bool = False

    def met_by(self, value: float) -> bool:
        """
        Returns:
            Whether the value reaches the goal.
        """
        return value >= self.goal if self.is_least else value <= self.goal
