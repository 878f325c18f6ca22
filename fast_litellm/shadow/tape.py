"""
An entropy tape: every run of a function on one thread draws the same numbers and reads the same time.

For the time of a comparison, the places where Python code draws are taken by stand-ins: the functions of `random`,
`os.urandom` (and by it `uuid.uuid4` and `secrets`) and the clocks of `time`. A stand-in answers from the tape on a
thread that has one, and passes every other thread on to the original. Out of reach are names that were imported
before (`from time import time`), generators that a function makes for itself without a seed, `datetime.now()`, and
everything native: what draws there is still noise.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import os
import random
import secrets
import threading
import time
from collections import Counter
from types import ModuleType
from typing import Any, Callable, ContextManager, Dict, Iterator, List, Mapping, Optional, Tuple

from fast_litellm.shadow import forking

EXHAUSTED = "tape_exhausted"
"""The note of a difference, one of whose runs read a clock more often than the tape goes."""

_CLOCKS = ("time", "monotonic", "perf_counter")
_NS_PER_S = 1_000_000_000
_READINGS = 100
_SEED_BITS = 128

# The methods of the generator that all callers of the module share.
_NUMBERS = [it for it in random.__all__ if isinstance(getattr(getattr(random, it), "__self__", None), random.Random)]
_BYTES = ("urandom", "_urandom")

Place = Tuple[ModuleType, str]
Answer = Callable[..., Any]

_NAMES: Dict[ModuleType, Tuple[str, ...]] = {
    random: (*_NUMBERS, *(name for name in _BYTES if hasattr(random, name))),  # it may know urandom by another name
    time: tuple(name + unit for name in _CLOCKS for unit in ("", "_ns")),
    os: ("urandom",),
}
"""The places that stand-ins take."""


class Tape:
    """
    What all runs of one comparison draw. Numbers go on for ever.

    Clocks stand still at the moment in which the tape was made, because two implementations rarely look at them
    equally often. After a hundred readings in one run the tape is exhausted, and the clock goes: that run is waiting
    for time to pass.
    """

    def __init__(self) -> None:
        self.seed = secrets.randbits(_SEED_BITS)
        self.clocks = dict(_moments())
        self.is_exhausted = False

    @contextlib.contextmanager
    def on_this_thread(self) -> Iterator[None]:
        """While it is entered, each `run` of this thread begins at the tape's beginning."""
        _sources.hold()
        _thread.tape = self
        try:
            yield
        finally:
            _thread.tape = None
            _sources.release()


def _moments() -> Iterator[Tuple[str, float]]:
    """What every clock says, the same in either unit."""
    for name in _CLOCKS:
        nanoseconds = getattr(time, f"{name}_ns")()
        yield name, nanoseconds / _NS_PER_S
        yield f"{name}_ns", nanoseconds


class _Run:
    """How far one run has come on a tape."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._readings: Counter[str] = Counter()

    @functools.cached_property
    def _numbers(self) -> random.Random:
        return random.Random(self._tape.seed)  # noqa: S311 - the same numbers for both sides, not secret ones

    @functools.cached_property
    def _bytes(self) -> random.Random:
        return random.Random(self._tape.seed + 1)  # noqa: S311 - as above

    def source(self, place: Place, original: Answer) -> Answer:
        """Returns what answers at a place instead of the original."""
        module, name = place
        if module is time:
            return lambda: self._read(name, original)
        return self._bytes.randbytes if name in _BYTES else getattr(self._numbers, name)

    def _read(self, name: str, original: Answer) -> Any:
        self._readings[name] += 1
        if self._readings[name] <= _READINGS:
            return self._tape.clocks[name]
        self._tape.is_exhausted = True
        return original()


class _Thread(threading.local):
    """What the current thread draws from."""

    tape: Optional[Tape] = None
    run: Optional[_Run] = None


_thread = _Thread()
_NO_TAPE: ContextManager[None] = contextlib.nullcontext()


def run() -> ContextManager[None]:
    """
    Returns:
        While it is entered, one run of one side: from the beginning of the thread's tape, if it has one.
    """
    return _NO_TAPE if _thread.tape is None else _played(_thread.tape)


def is_playing() -> bool:
    """
    Returns:
        Whether the current thread is in a run of one side, on a tape.
    """
    return _thread.run is not None


def original(function: Answer) -> Answer:
    """
    Returns:
        What a stand-in stands for; the function itself when it is none.
    """
    return function.original if isinstance(function, _StandIn) else function


@contextlib.contextmanager
def _played(tape: Tape) -> Iterator[None]:
    earlier, _thread.run = _thread.run, _Run(tape)
    try:
        yield
    finally:
        _thread.run = earlier


class _StandIn:
    """
    Stands where a source was. It is no function, for it must be like the original in this, too: in a class's body it
    would become a method.

    Args:
        place: Where.
        original: What stood there.
    """

    def __init__(self, place: Place, original: Answer) -> None:
        self.original = original
        self._place = place
        self.__name__ = place[1]
        self.__doc__ = original.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        run = _thread.run
        answer = self.original if run is None else run.source(self._place, self.original)
        return answer(*args, **kwargs)


class _Module:
    """
    A module in which code draws. Its stand-ins are kept: to make them would take longer than most comparisons.

    Args:
        module: Which.
        names: The places in it.
    """

    def __init__(self, module: ModuleType, names: Tuple[str, ...]) -> None:
        self._module = module
        self._namespace = vars(module)
        self._originals: Dict[str, Answer] = {}
        self._stand_ins: Dict[str, _StandIn] = {}
        for name in names:
            self._learn(name, self._namespace[name])

    def place(self) -> None:
        """Puts stand-ins where functions are, be they Python's own or somebody else's."""
        for name, found in self._others(self._originals):
            self._learn(name, found)
        self._namespace.update(self._stand_ins)

    def restore(self) -> None:
        """What somebody else has put there meanwhile is left alone."""
        theirs = dict(self._others(self._stand_ins))
        self._namespace.update({name: it for name, it in self._originals.items() if name not in theirs})

    def _others(self, expected: Mapping[str, Answer]) -> List[Tuple[str, Answer]]:
        """What stands at the places instead, which is nothing nearly always."""
        found = list(map(self._namespace.__getitem__, expected))
        if all(map(operator.is_, found, expected.values())):
            return []
        return [(name, it) for name, it in zip(expected, found) if it is not expected[name]]

    def _learn(self, name: str, found: Answer) -> None:
        """Whoever else replaces such functions may have put back a stand-in of an earlier time."""
        stand_in = found if isinstance(found, _StandIn) else _StandIn((self._module, name), found)
        self._stand_ins[name] = stand_in
        self._originals[name] = stand_in.original


class _Sources:
    """The modules of a process in which code draws, and who holds stand-ins there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._modules = [_Module(module, names) for module, names in _NAMES.items()]
        forking.restart_in_children(self)

    def hold(self) -> None:
        """Puts stand-ins in place, for the first who asks."""
        with self._lock:
            self._holders += 1
            if self._holders == 1:
                for module in self._modules:
                    module.place()

    def release(self) -> None:
        """Puts the originals back, after the last."""
        with self._lock:
            self._holders = max(0, self._holders - 1)  # a child that a run has forked holds nothing any more
            if self._holders == 0:
                self._restore()

    def after_fork(self) -> None:
        """No thread that held a tape is in the child."""
        self._lock = threading.Lock()
        self._holders = 0
        self._restore()

    def _restore(self) -> None:
        for module in self._modules:
            module.restore()


_sources = _Sources()
