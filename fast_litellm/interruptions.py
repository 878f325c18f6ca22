"""
Exceptions that come from somewhere else than the code they come out of: a signal's handler raises wherever the main
thread stands at that moment, and a thread can have one set by another. They are the program's, and whoever takes an
exception for the failure of what it has called has to let these go on.
"""

from __future__ import annotations

import functools
import inspect
import signal
import traceback
from typing import TYPE_CHECKING, Any, Iterator, List, Optional

if TYPE_CHECKING:
    from types import CodeType, FrameType

_PACKAGE = __name__.partition(".")[0]


def is_from_elsewhere(error: BaseException) -> bool:
    """
    Args:
        error: Raised by something that was called, with its traceback; one that is no `Exception` tells by its class.

    Returns:
        Whether it came through a signal's handler, or out of this package's own code though that raises none of its
        kind. One that was set by another thread while somebody else's code ran cannot be told from that code's own.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return _passed_a_handler(frames) or _was_set(error, frames)


def _passed_a_handler(frames: List[FrameType]) -> bool:
    ran = {frame.f_code for frame in frames}
    return any(code in ran for code in _handlers())


def _handlers() -> Iterator[CodeType]:
    """What runs when a signal comes, of those handlers that are written in Python."""
    for number in signal.valid_signals():
        code = _code(signal.getsignal(number))
        if code is not None:
            yield code


def _code(handler: Any) -> Optional[CodeType]:
    while isinstance(handler, functools.partial):
        handler = handler.func
    called = (vars(kind)["__call__"] for kind in type(handler).__mro__ if "__call__" in vars(kind))
    function = handler if inspect.isroutine(handler) else next(called, None)
    return getattr(getattr(function, "__func__", function), "__code__", None)


def _was_set(error: BaseException, frames: List[FrameType]) -> bool:
    """This package raises what is Python's own or its own, or panics, and waits for nothing that could be late."""
    if not isinstance(error, Exception) or not frames or _package(frames[-1].f_globals.get("__name__")) != _PACKAGE:
        return False
    return isinstance(error, TimeoutError) or _package(type(error).__module__) not in ("builtins", _PACKAGE)


def _package(module: Any) -> str:
    return str(module).partition(".")[0]
