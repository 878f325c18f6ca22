"""How much memory evidence takes, and whether a process goes on growing; each in a process of its own."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import fast_litellm
from fast_litellm.cli import console
from fast_litellm.cli.bench import growth
from fast_litellm.cli.bench.row import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

_MIB = 1024 * 1024
_DIVERGING_CALLS = 20_000
_WINDOWS = 100_000
_CALLS = 1_000_000
_COUNTED_CALLS = 100_000
_SETTLED = 3
"""Tenths of the calls after which caches are full: growth is what comes later."""


def rows() -> Iterator[Figure]:
    """
    Yields:
        What the ledger's libraries take, what a process takes more when every call differs, from before there is a
        ledger, what the limiter's store takes for a window, and how a process grows over a million calls.
    """
    if not growth.STATM.exists():
        console.say("memory is not measured: this system does not say what is resident")
        return
    yield Figure("memory, ledger's libraries", "MiB", 16, lambda _: [_libraries()])
    yield Figure("memory, every call differs", "MiB", 16, lambda _: [_added()])
    yield Figure("window store at 100k", "B/window", 200, lambda _: [_per_window()])
    for what, calls in (("shadow", _CALLS), ("on", _CALLS), ("counter", _COUNTED_CALLS)):
        yield Figure(f"growth over {calls:,}, {what}", "bytes a call", 1, functools.partial(_slope, what, calls))


def _libraries() -> float:
    before, after, *_ = _sizes("libraries", 0)
    return (after - before) / _MIB


def _added() -> float:
    sizes = _sizes("diverging", _DIVERGING_CALLS)
    return (max(sizes) - sizes[0]) / _MIB


def _per_window() -> float:
    sizes = _sizes("windows", _WINDOWS)
    return (sizes[-1] - sizes[1]) / _WINDOWS


def _slope(what: str, calls: int, _rounds: int) -> list[float]:
    sizes = _sizes(what, calls)[1 + _SETTLED :]
    return [(sizes[-1] - sizes[0]) / (calls * (len(sizes) - 1) / growth.TENTHS)]


def _sizes(what: str, calls: int) -> list[int]:
    command = [sys.executable, "-m", "fast_litellm.cli.bench.growth", what, str(calls)]
    # As for the demo's server: `-m` would find a checkout's package first.
    home = Path(fast_litellm.__file__).parents[1]
    done = subprocess.run(command, cwd=home, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - our own
    sizes: list[int] = json.loads(done.stdout)
    return sizes
