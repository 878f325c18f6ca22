"""
Whole programs at three stages: a process for each that lives as long as its rows, asked in turn for small batches.

Nothing is installed or taken away between batches, and every side has been warmed up for its kind of call, so what is
measured is the steady state. The order of the sides is drawn anew for every round. Measured is the processor time of
the whole process, because comparisons run on threads of their own, and so does much of LiteLLM; and that of the calling
thread, which is what a caller waits for. What installing takes is a figure of its own.
"""

from __future__ import annotations

import functools
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Callable

import fast_litellm
from fast_litellm.cli import scratch
from fast_litellm.cli.bench import growth, stages
from fast_litellm.cli.bench.child import Child
from fast_litellm.cli.bench.row import Figure, Goal, Measure, Series

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FEWEST_ROUNDS = 3
_NS_PER_MS = 1e6
_INSTALLING_MS = 1_000
_BYTES_PER_MIB = 1 << 20
_RESIDENT_MIB = 32
"""Twice what a ledger may take: this package beside LiteLLM, with what it remembers, gets as much."""
PROCESS, CALLER = 0, 1

Start = Callable[[str], "Asked"]


@dataclass(frozen=True)
class Kind:
    """
    One kind of call.

    Args:
        name: What it is, at most 22 characters.
        calls: How many make a batch.
        speedup: What everything on is to gain.
        shadow_cost: How many times as much processor time it may take in shadow.
        caller_cost: How many times as much of it the calling thread may take in shadow.
    """

    name: str
    calls: int
    speedup: float = 1
    shadow_cost: float = 1.05
    caller_cost: float = 1.02


class Asked(Child):
    """
    One side, asked over its pipes.

    Args:
        stage: What everything is put at.
        words: What its process is told to send, and with what; see `side`.
        directory: Where its ledger is, and what its host shares.
    """

    def __init__(self, stage: str, words: Sequence[str], directory: Path) -> None:
        environment = {
            **os.environ,
            "FAST_LITELLM_LEDGER": f"sqlite:///{directory / stage}.db",
            "FAST_LITELLM_STATE": str(directory / f"{stage}-state"),
            "PYTHONHASHSEED": "0",  # the order of sets, and with it what LiteLLM does, is not one of the differences
        }
        super().__init__(
            [sys.executable, "-m", "fast_litellm.cli.bench.side", stage, *words],
            # As for the demo's server: `-m` would find a checkout's package first.
            cwd=Path(fast_litellm.__file__).parents[1],
            env=environment,
        )
        self.installing_ns = float(self.told()["installing_ns"])

    def ask(self, *request: Any) -> Any:
        """Returns what it answers to a request."""
        return super().ask(*request)["is"]


class Rotation:
    """
    Measures all kinds at all stages, once for all rows that are made of it.

    Args:
        kinds: What is sent.
        words: The `module:function` that sets it up in each side's process, and what it is given.
        sides: The stages that are measured against off.
        part: Of which part of the processor time: PROCESS | CALLER.
        start: Starts a side, given its stage; by default as `Asked`.
    """

    def __init__(
        self,
        kinds: Sequence[Kind],
        words: Sequence[str],
        *,
        sides: Sequence[str] = (stages.ON, stages.SHADOW),
        part: int = PROCESS,
        start: Start | None = None,
    ) -> None:
        self._kinds = kinds
        self._words = words
        self._stages = (stages.OFF, *sides)
        self._part = part
        self._start = start or self._started
        self._stack = ExitStack()
        self._random = Random(1)  # noqa: S311 - two runs have the same order
        self._times: dict[str, dict[str, list[tuple[float, float]]]] = {}

    def close(self) -> None:
        """Ends what was set up."""
        self._stack.close()

    def rows(self) -> Iterator[Series]:
        """
        Yields:
            Up to three rows for each kind: everything on, and everything in shadow, against everything off; and what
            shadow costs the calling thread.
        """
        for kind in self._kinds:
            on, shadow = Goal(Measure.SPEEDUP, kind.speedup), Goal(Measure.COST, kind.shadow_cost)
            if stages.ON in self._stages:
                yield self._row(f"{kind.name}, on", kind, stages.ON, on, self._part)
            if stages.SHADOW in self._stages:
                caller = Goal(Measure.COST, kind.caller_cost)
                yield self._row(f"{kind.name}, shadow", kind, stages.SHADOW, shadow, self._part)
                yield self._row(f"{kind.name}, caller", kind, stages.SHADOW, caller, CALLER)

    def figures(self) -> Iterator[Figure]:
        """
        Yields:
            What installing takes, once in a process's life; and what is resident more than without us, in a process
            that has done all kinds of calls, where the system says so.
        """
        for stage in (stages.ON, stages.SHADOW):
            installing = functools.partial(self._installing, stage)
            yield Figure(f"installing, everything {stage}", "ms", _INSTALLING_MS, installing)
        for stage in (stages.ON, stages.SHADOW) if growth.STATM.exists() else ():
            resident = functools.partial(self._resident, stage)
            yield Figure(f"resident, everything {stage}", "MiB", _RESIDENT_MIB, resident)

    def _row(self, name: str, kind: Kind, stage: str, goal: Goal, part: int) -> Series:
        pairs = functools.partial(self._pairs, kind, stage, part)
        return Series(name, goal, pairs, kind.calls, functools.partial(self._difference, kind.name, stage))

    def _installing(self, stage: str, _rounds: int) -> list[float]:
        return [self._sides[stage].installing_ns / _NS_PER_MS]

    def _resident(self, stage: str, _rounds: int) -> list[float]:
        more, without = (self._resident_bytes(self._sides[it]) for it in (stage, stages.OFF))
        return [(more - without) / _BYTES_PER_MIB]

    def _resident_bytes(self, side: Asked) -> int:
        for kind in self._kinds:
            side.ask("warm_up", kind.name)
        return int(side.ask("resident"))

    @functools.cached_property
    def _sides(self) -> dict[str, Asked]:
        sides = {}
        for stage in self._stages:
            sides[stage] = self._start(stage)
            self._stack.callback(sides[stage].close)
        return sides

    @functools.cached_property
    def _directory(self) -> Path:
        return self._stack.enter_context(scratch.directory("bench"))

    def _started(self, stage: str) -> Asked:
        return Asked(stage, self._words, self._directory)

    def _difference(self, name: str, stage: str) -> str:
        given, expected = (self._sides[it].ask("answer", name) for it in (stage, stages.OFF))
        return "" if expected == given else f"{stage} answers {given!r}, LiteLLM {expected!r}"

    def _pairs(self, kind: Kind, stage: str, part: int, rounds: int) -> list[tuple[float, float]]:
        """All rounds of a kind follow each other: another kind would change how much of the budget is left."""
        if kind.name not in self._times:
            self._times[kind.name] = {it: [] for it in self._stages}
            for side in self._sides.values():
                side.ask("warm_up", kind.name)
        times = self._times[kind.name]
        for _ in range(len(times[stages.OFF]), max(_FEWEST_ROUNDS, rounds)):
            for it in self._random.sample(self._stages, len(self._stages)):
                times[it].append(tuple(self._sides[it].ask("batch", kind.name, kind.calls)))
        return [(ours[part], theirs[part]) for ours, theirs in zip(times[stage], times[stages.OFF])]
