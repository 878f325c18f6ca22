"""
How a process grows: `python -m fast_litellm.cli.bench.growth WHAT CALLS` does something again and again, and prints the
bytes that are resident after every tenth of the calls, as JSON.

    libraries   nothing: how much the ledger's libraries take is the second number
    diverging   a pair of functions that never agree, every call compared, from before there is a ledger
    windows     the limiter's store, one more window with every call
    shadow      a pair of cheap functions in shadow, as much compared as the processor time allows
    on          the same at on, as much compared as the feature's step says
    counter     LiteLLM's token counter with everything in shadow
"""

from __future__ import annotations

import functools
import json
import os
import sys
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import fast_litellm
from fast_litellm.accel.native import Tally, WindowStore
from fast_litellm.cli import scratch
from fast_litellm.cli.bench import stages
from fast_litellm.cli.reference import import_litellm
from fast_litellm.shadow import Budget, Epoch, Experiment, FunctionCandidate, Ledger, ShadowRunner, comparators

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

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


def _load() -> None:
    """Has everything loaded that a ledger needs."""
    with ExitStack() as stack:
        directory = stack.enter_context(scratch.directory("bench"))
        url = f"sqlite:///{directory / 'ledger.db'}"
        ledger = stack.enter_context(closing(Ledger.open(url, flush_seconds=None)))
        ledger.attach(Epoch("bench", "1"), Tally())
        ledger.flush()


@contextmanager
def _idle() -> Iterator[Callable[[int], Any]]:
    _load()
    yield lambda _: None


@contextmanager
def _diverging() -> Iterator[Callable[[int], Any]]:
    """Nobody blocks the candidate, so that one call after the other is compared, told and written."""
    tally = Tally()
    experiment = Experiment("bench", _control, FunctionCandidate(lambda _: {}), comparators.exact)
    with ExitStack() as stack:
        directory = stack.enter_context(scratch.directory("bench"))
        ledger = stack.enter_context(closing(Ledger.open(f"sqlite:///{directory / 'ledger.db'}")))
        ledger.attach(Epoch("bench", "1"), tally)
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


def _length(text: str) -> int:
    return len(text)


@contextmanager
def _cheap(stage: str) -> Iterator[Callable[[int], Any]]:
    """Texts of all lengths up to a few hundred characters, ever new ones."""
    function = fast_litellm.seam("bench_growth", candidate=len)(_length)
    with stages.installed({"bench_growth": {"stage": stage}}):
        yield lambda number: function(f"{number:0{1 + number % 300}}")


@contextmanager
def _counting() -> Iterator[Callable[[int], Any]]:
    litellm = import_litellm()
    with stages.switch() as switch:
        switch.turn(stages.SHADOW)
        yield lambda _: litellm.token_counter(model="gpt-4o", messages=_HELLO)


_WAYS: dict[str, Callable[[], AbstractContextManager[Callable[[int], Any]]]] = {
    "libraries": _idle,
    "diverging": _diverging,
    "windows": _keeping,
    "shadow": functools.partial(_cheap, stages.SHADOW),
    "on": functools.partial(_cheap, stages.ON),
    "counter": _counting,
}


def measure(what: str, calls: int) -> list[int]:
    """
    Args:
        what: As above.
        calls: How many.

    Returns:
        Resident bytes before anything was set up, before the first call, and after every tenth of all calls.
    """
    if what != "libraries":
        _load()
    found = [resident()]
    with _WAYS[what]() as call:
        found.append(resident())
        for number in range(1, calls + 1):
            call(number)
            if number % max(1, calls // TENTHS) == 0:
                found.append(resident())
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], int(sys.argv[2]))) + "\n")
