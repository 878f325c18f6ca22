"""
How a process grows: `python -m fast_litellm.cli.bench.growth WHAT CALLS` does something again and again, and prints the
bytes that are resident after every tenth of the calls, as JSON.

    diverging   a pair of functions that never agree, every call compared
    shadow      LiteLLM's token counter with everything in shadow
    on          the same with everything on
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import fast_litellm
from fast_litellm.cli.bench import stages
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Iterator

TENTHS = 10
STATM = Path("/proc/self/statm")

_HELLO = [{"role": "user", "content": "Hello, how are you?"}]


def resident() -> int:
    """
    Returns:
        How many bytes of this process are in memory; Linux says so.
    """
    return int(STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def _diverging() -> Iterator[Callable[[int], Any]]:
    """No two calls alike, and no two differences either, as far as they can be told apart."""

    @fast_litellm.seam("bench_growth", candidate=lambda value: [value, "candidate"])
    def control(value: object) -> object:
        return [value, {str(value): "control"}]

    rules = {"bench_growth": {"stage": "shadow", "shadow": {"percent": 100, "budget": "100%"}}}
    with stages.switch({"version": 1, "flags": rules}) as switch:
        switch.turn(stages.SHADOW)
        yield control


@contextmanager
def _counting(stage: str) -> Iterator[Callable[[int], Any]]:
    litellm = import_litellm()
    with stages.switch() as switch:
        switch.turn(stage)
        yield lambda _: litellm.token_counter(model="gpt-4o", messages=_HELLO)


def measure(what: str, calls: int) -> list[int]:
    """
    Args:
        what: "diverging", "shadow" or "on".
        calls: How many.

    Returns:
        Resident bytes before the first call, and after every tenth of all calls.
    """
    with _diverging() if what == "diverging" else _counting(what) as call:
        found = [resident()]
        for number in range(1, calls + 1):
            call(number)
            if number % max(1, calls // TENTHS) == 0:
                found.append(resident())
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], int(sys.argv[2]))) + "\n")
