"""
Compares a candidate with its reference on inputs that are led to new ground: what libFuzzer does, from Python.

`python tests/accel/fuzz/fuzz.py TARGET [FOLDER...] [OPTION...]`, with the folders and options of libFuzzer. It takes
the package atheris, which comes for Python 3.11 to 3.13 on Linux (docs/decisions/0049).
"""

from __future__ import annotations

import collections
import importlib
import inspect
import itertools
import sys
import types
from typing import Iterator

import atheris

_STRATEGIES = ("simple_shuffle", "least_busy", "lowest_latency", "lowest_cost", "lowest_tpm_rpm_v2")
FOLLOWED = [
    *("openai._utils._transform", "openai._models", "litellm.litellm_core_utils.token_counter"),
    *(f"litellm.router_strategy.{name}" for name in _STRATEGIES),
    *("litellm.proxy.hooks.parallel_request_limiter_v3", "litellm.litellm_core_utils.streaming_handler"),
]
"""The references, whose branches say what ground is new."""


def functions() -> Iterator[types.FunctionType]:
    """Those that the references hold themselves, in their classes as well."""
    for name in FOLLOWED:
        held = [*vars(importlib.import_module(name)).values()]
        classes = [it for it in held if inspect.isclass(it) and it.__module__ == name]
        for function in (*held, *itertools.chain(*(vars(it).values() for it in classes))):
            if inspect.isfunction(function) and function.__module__ == name:
                yield function


def main() -> None:
    """Fuzz until an option ends it, or something differs; say how much of it was compared."""
    for function in functions():
        atheris.instrument_func(function)
    from targets import TARGETS  # makes candidates, and they are to know the functions as they are now

    counts: collections.Counter = collections.Counter()
    target = TARGETS[sys.argv.pop(1)]

    def follow(data: bytes) -> None:
        counts[target(data)] += 1
        inputs = sum(counts.values())
        if not inputs & (inputs - 1):  # libFuzzer, too, says something at every power of two
            sys.stderr.write(f"{inputs} inputs, {counts[True]} of them compared\n")

    atheris.Setup(sys.argv, follow)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
