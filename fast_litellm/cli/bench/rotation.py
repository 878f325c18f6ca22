"""
Whole programs at three stages in turn: one batch of every kind of call at off, in shadow and on, round by round.

Changing the stage takes longer than a batch, so all kinds share the change, and the stage that begins changes with
every round. Measured is the processor time of the whole process: comparisons run on threads of their own, and so does
much of LiteLLM. A call of its kind goes before every batch, untimed. Shadow is measured as it is most of the time, once
what comparisons may use at once is used up.
"""

from __future__ import annotations

import functools
import gc
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from fast_litellm.cli.bench import stages
from fast_litellm.cli.bench.row import Goal, Measure, Series

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from fast_litellm.cli.bench.stages import Switch

_SHARE_OF_ROUNDS = 4
_FEWEST_ROUNDS = 3
_MOST_PASSES = 20

Calls = Callable[[], "AbstractContextManager[Mapping[str, Callable[[], Any]]]"]
"""Sets up what sends a call of each kind, by its name; each returns what must be the same at every stage."""

Times = dict[str, dict[str, list[float]]]
"""Nanoseconds a call, one value a round, by kind and stage."""


@dataclass(frozen=True)
class Kind:
    """
    One kind of call.

    Args:
        name: What it is, at most 22 characters.
        calls: How many make a batch.
        speedup: What everything on is to gain.
        shadow_cost: How many times as much it may take in shadow.
    """

    name: str
    calls: int
    speedup: float = 1
    shadow_cost: float = 1.05


class Rotation:
    """
    Measures all kinds at all stages, once for all rows that are made of it.

    Args:
        kinds: What is sent.
        calls: Sets it up, when the first row asks for it.
        clock: Nanoseconds of processor time.
        sides: The stages that are measured against off.
    """

    def __init__(
        self,
        kinds: Sequence[Kind],
        calls: Calls,
        clock: Callable[[], int] = time.process_time_ns,
        sides: Sequence[str] = (stages.ON, stages.SHADOW),
    ) -> None:
        self._kinds = kinds
        self._make_calls = calls
        self._clock = clock
        self._sides = sides
        self._stages = tuple(stage for stage in stages.STAGES if stage == stages.OFF or stage in sides)
        self._stack = ExitStack()

    def close(self) -> None:
        """Ends what was set up."""
        self._stack.close()

    def rows(self) -> Iterator[Series]:
        """
        Yields:
            A row for each kind and side: everything on, or everything in shadow, against everything off.
        """
        for kind in self._kinds:
            on, shadow = Goal(Measure.SPEEDUP, kind.speedup), Goal(Measure.COST, kind.shadow_cost)
            for stage in self._sides:
                goal = on if stage == stages.ON else shadow
                pairs = functools.partial(self._pairs, kind.name, stage)
                difference = functools.partial(self._difference, kind.name, stage)
                yield Series(f"{kind.name}, {stage}", goal, pairs, kind.calls, difference)

    @functools.cached_property
    def _calls(self) -> Mapping[str, Callable[[], Any]]:
        return self._stack.enter_context(self._make_calls())

    @functools.cached_property
    def _switch(self) -> Switch:
        return self._stack.enter_context(stages.switch())

    @functools.cached_property
    def _answers(self) -> dict[str, dict[str, Any]]:
        """What each kind is answered, by stage."""
        answers: dict[str, dict[str, Any]] = {}
        for stage in self._stages:
            self._switch.turn(stage)
            answers[stage] = {kind.name: self._calls[kind.name]() for kind in self._kinds}
        return answers

    @functools.cached_property
    def _times(self) -> Times:
        return {kind.name: {stage: [] for stage in self._stages} for kind in self._kinds}

    def _difference(self, name: str, stage: str) -> str:
        expected, given = self._answers[stages.OFF][name], self._answers[stage][name]
        return "" if expected == given else f"{stage} answers {given!r}, LiteLLM {expected!r}"

    def _pairs(self, name: str, stage: str, rounds: int) -> list[tuple[float, float]]:
        wanted = max(_FEWEST_ROUNDS, rounds // _SHARE_OF_ROUNDS)
        times = self._times[name]
        for number in range(len(times[stage]), wanted):
            self._round(number)
        return list(zip(times[stage], times[stages.OFF]))

    def _round(self, number: int) -> None:
        first = number % len(self._stages)
        for stage in (*self._stages[first:], *self._stages[:first]):
            self._switch.turn(stage)
            if stage == stages.SHADOW:
                self._use_up()
            for kind in self._kinds:
                self._times[kind.name][stage].append(self._batch(kind))

    def _use_up(self) -> None:
        """What is left is more than half used up when more than half of the calls are left out."""
        for _ in range(_MOST_PASSES):
            before = stages.compared()
            for kind in self._kinds:
                self._calls[kind.name]()
            offered, left_out = (now - then for now, then in zip(stages.compared(), before))
            if left_out * 2 > offered:
                return

    def _batch(self, kind: Kind) -> float:
        call = self._calls[kind.name]
        call()
        gc.collect()
        started = self._clock()
        for _ in range(kind.calls):
            call()
        return (self._clock() - started) / kind.calls
