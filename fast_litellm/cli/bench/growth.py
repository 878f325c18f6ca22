"""
How a process grows: `python -m fast_litellm.cli.bench.growth WHAT CALLS` does something again and again, and prints the
bytes that are resident after every tenth of the calls, as JSON.

    diverging   a pair of functions that never agree, every call compared
    windows     the limiter's store, one more window with every call
    shadow      LiteLLM's token counter with everything in shadow
    on          the same with everything on
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from fast_litellm.accel.native import Tally, WindowStore
from fast_litellm.cli.bench import stages
from fast_litellm.cli.reference import import_litellm
from fast_litellm.shadow import Budget, Epoch, Experiment, FunctionCandidate, Ledger, ShadowRunner, comparators

if TYPE_CHECKING:
    from collections.abc import Iterator

TENTHS = 10
STATM = Path("/proc/self/statm")

_FIELDS = 3_000
_DRAIN_EVERY = 1_000
_DRAIN_S = 60.0
_WINDOW_SECONDS = 60
_HELLO = [{"role": "user", "content": "Hello, how are you?"}]


def resident() -> int:
    """
    Returns:
        How many bytes of this process are in memory; Linux says so.
    """
    return int(STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def _diverging() -> Iterator[Callable[[int], Any]]:
    """Nobody blocks the candidate, so that one call after the other is compared, told and written."""
    tally = Tally()
    experiment = Experiment("bench", _control, FunctionCandidate(lambda _: {}), comparators.exact)
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="fast-litellm-bench-"))
        ledger = stack.enter_context(closing(Ledger.open(f"sqlite:///{Path(directory) / 'ledger.db'}")))
        ledger.attach(Epoch("bench", "1"), tally)
        ledger.flush()  # what the database's library takes to be loaded is no evidence
        runner = ShadowRunner(experiment, tally=tally, sink=ledger, budget=Budget(1))
        stack.callback(runner.close)
        yield lambda number: _observe(runner, number)
    if not tally.reading()["diverged"]:
        raise RuntimeError("no call has differed, so there is nothing to measure")


def _control(number: int) -> object:
    return {f"field_{number % _FIELDS}": number}


def _observe(runner: ShadowRunner, number: int) -> None:
    runner.observe((number,), {})
    if number % _DRAIN_EVERY == 0:
        runner.drain(_DRAIN_S)


@contextmanager
def _keeping() -> Iterator[Callable[[int], Any]]:
    store = WindowStore()
    yield lambda number: store.keep(store.plan(_keys(number), {}, {}, (0, _WINDOW_SECONDS, 0.5)))


def _keys(number: int) -> list[str]:
    return [f"{{api_key:{number}}}:{kind}" for kind in ("window", "requests")]


@contextmanager
def _counting(stage: str) -> Iterator[Callable[[int], Any]]:
    litellm = import_litellm()
    with stages.switch() as switch:
        switch.turn(stage)
        yield lambda _: litellm.token_counter(model="gpt-4o", messages=_HELLO)


def measure(what: str, calls: int) -> list[int]:
    """
    Args:
        what: "diverging", "windows", "shadow" or "on".
        calls: How many.

    Returns:
        Resident bytes before the first call, and after every tenth of all calls.
    """
    ways = {"diverging": _diverging, "windows": _keeping}
    with ways[what]() if what in ways else _counting(what) as call:
        found = [resident()]
        for number in range(1, calls + 1):
            call(number)
            if number % max(1, calls // TENTHS) == 0:
                found.append(resident())
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], int(sys.argv[2]))) + "\n")
