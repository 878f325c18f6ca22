"""
The project that had this name before, fast-litellm 0.1.10, in an environment of its own: what applying it costs, how
many shapes of calls it counts wrong, and how fast it counts.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fast_litellm.cli import scratch
from fast_litellm.cli.bench import former_side
from fast_litellm.cli.bench.child import Child
from fast_litellm.cli.bench.row import Figure, Goal, Measure, Series
from fast_litellm.cli.bench.rows.counting import requests
from fast_litellm.cli.demo import rules
from fast_litellm.cli.demo.traffic import TOOLS
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODEL = "gpt-4o"
_CALLS = {"short chat": 100, "chat of 20": 20, "chat of 20, 8 tools": 20, "100k characters": 3}
_MOST_ROUNDS = 15
_APPLIED = 3
_HELLO = {"role": "user", "content": "Hello, how are you?"}
_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}


def rows(python: Path) -> Iterator[Series | Figure]:
    """
    Args:
        python: Of an environment with fast-litellm 0.1.10 and this LiteLLM.

    Yields:
        Applying either of them beside LiteLLM, what is counted wrong, and the time of counting.
    """
    with ExitStack() as stack:
        race = _Race(stack, python)
        yield Series("0.1.10, applying", Goal(Measure.COST, 1), race.applying)
        yield Figure(f"0.1.10, wrong of {len(_SHAPES)} shapes", "shapes", 0, lambda _: [race.wrong(ours=False)])
        yield Figure(f"not 0.1.10, wrong of {len(_SHAPES)}", "shapes", 0, lambda _: [race.wrong(ours=True)])
        for name, arguments in requests().items():
            pairs = functools.partial(race.counting, {"model": _MODEL, **arguments}, _CALLS[name])
            yield Series(f"0.1.10, {name}", Goal(Measure.SPEEDUP, 1), pairs, _CALLS[name])


def _shapes() -> dict[str, dict[str, Any]]:
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}}
    parts = [{"type": "text", "text": "What is this?"}, picture]
    answer = {"role": "tool", "tool_call_id": "call_1", "name": "weather", "content": "Sunny."}
    return {
        "text": {"text": "Hello, how are you?"},
        "one message": {"messages": [_HELLO]},
        "system": {"messages": [{"role": "system", "content": "Be brief."}, _HELLO]},
        "turns": {"messages": [_HELLO, {"role": "assistant", "content": "Fine."}, _HELLO]},
        "name": {"messages": [{**_HELLO, "name": "ada"}]},
        "parts": {"messages": [{"role": "user", "content": parts[:1]}]},
        "picture": {"messages": [{"role": "user", "content": parts}]},
        "tools": {"messages": [_HELLO], "tools": TOOLS[:1]},
        "tool choice": {"messages": [_HELLO], "tools": TOOLS[:1], "tool_choice": "none"},
        "tool call": {"messages": [_HELLO, {"role": "assistant", "content": None, "tool_calls": [_CALL]}]},
        "tool answer": {"messages": [_HELLO, {"role": "assistant", "content": None, "tool_calls": [_CALL]}, answer]},
    }


_SHAPES = _shapes()


class _Side(Child):
    """One of the two; the earlier project prints words of its own."""

    def __init__(self, words: list[str]) -> None:
        super().__init__(words, lambda line: line.strip().replace(".", "", 1).isdigit(), stderr=subprocess.DEVNULL)
        self.applying_ns = float(self.told())


class _Race:
    def __init__(self, stack: ExitStack, python: Path) -> None:
        directory = stack.enter_context(scratch.directory("bench"))
        file = directory / "rollout.yaml"
        file.write_text(rules.at("on"), encoding="utf-8")
        script = str(former_side.__file__)
        self._stack = stack
        self._words = {True: [sys.executable, script, str(file)], False: [os.fspath(python), script]}

    def applying(self, _rounds: int) -> list[tuple[float, float]]:
        """Each time in processes of its own."""
        return [(self._applied(ours=True), self._applied(ours=False)) for _ in range(_APPLIED)]

    def wrong(self, *, ours: bool) -> float:
        """How many shapes are not counted as LiteLLM does, which is asked in this process."""
        control = import_litellm().litellm_core_utils.token_counter.token_counter
        asked = [{"model": _MODEL, **arguments} for arguments in _SHAPES.values()]
        return float(sum(self._sides[ours].ask("count", it) != control(**it) for it in asked))

    def counting(self, arguments: dict[str, Any], calls: int, rounds: int) -> list[tuple[float, float]]:
        """Batches of both in turn; their answers may differ, as the figures say."""
        for side in self._sides.values():
            side.ask("batch", arguments, calls)
        found = []
        for number in range(min(rounds, _MOST_ROUNDS)):
            order = (True, False) if number % 2 else (False, True)
            times = {ours: self._sides[ours].ask("batch", arguments, calls) for ours in order}
            found.append((times[True], times[False]))
        return found

    @functools.cached_property
    def _sides(self) -> dict[bool, _Side]:
        sides = {ours: _Side(words) for ours, words in self._words.items()}
        for side in sides.values():
            self._stack.callback(side.close)
        return sides

    def _applied(self, *, ours: bool) -> float:
        side = _Side(self._words[ours])
        side.close()
        return side.applying_ns
