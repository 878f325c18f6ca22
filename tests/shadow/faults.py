"""
Candidates that do harm, each to a list that is not empty. A worker process imports them, so they are in a module of
their own; `later` has the same as coroutine functions.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading

release = threading.Event()
"""Ends what hangs in this process."""
FAULTS = {}


def fault(function):
    """The empty list is answered rightly, so that a candidate can prove itself before it does its harm."""

    @functools.wraps(function)
    def candidate(items):
        return function(items) if items else [0]

    FAULTS[function.__name__] = candidate
    return candidate


@fault
def agrees(items):
    return [sum(items)]


@fault
def exits(_items):
    raise SystemExit(3)


@fault
def interrupts(_items):
    raise KeyboardInterrupt


@fault
def cancels(_items):
    raise asyncio.CancelledError


@fault
def closes(_items):
    raise GeneratorExit


@fault
def recurses(items):
    return recurses(items)


@fault
def exhausts(_items):
    raise MemoryError


@fault
def panics(_items):
    """A panic of Rust code: a tokenizer whose pattern takes more steps back than its engine allows."""
    import tiktoken

    ranks = {bytes([number]): number for number in range(256)}
    encoding = tiktoken.Encoding("odd", pat_str=r"(a|aa|a*)*(?!a)\1b", mergeable_ranks=ranks, special_tokens={})
    return len(encoding.encode_ordinary("a" * 60 + "!"))


@fault
def mutates(items):
    items.append(1)
    return [sum(items) - 1]


@fault
def clears(items):
    total = sum(items)
    items.clear()
    return [total]


@fault
def hangs(_items):
    release.wait(60)


@fault
def aborts(_items):
    os.abort()


@fault
def ends(_items):
    os._exit(0)


class later:  # noqa: N801 - a namespace
    """The same, awaited."""

    @staticmethod
    async def waits(_items):
        await asyncio.Event().wait()


def _later(function):
    @functools.wraps(function)
    async def candidate(items):
        await asyncio.sleep(0)
        return function(items)

    candidate.__qualname__ = f"later.{function.__name__}"
    return candidate


for name, function in FAULTS.items():
    setattr(later, name, _later(function))
