"""
Exceptions that come from somewhere else than the code they come out of: a signal's handler raises wherever the main
thread stands at that moment, and a thread can have one set by another. They are the program's, and whoever takes an
exception for the failure of what it has called has to let these go on.
"""

from __future__ import annotations

import inspect
import traceback
from types import FrameType
from typing import TYPE_CHECKING, Any, List, Optional

if TYPE_CHECKING:
    from types import TracebackType

_PACKAGE = __name__.partition(".")[0]


def is_from_elsewhere(error: BaseException, raised: Optional[TracebackType] = None) -> bool:
    """
    Args:
        error: Raised by something that was called.
        raised: Where; by default what it holds itself.

    Returns:
        Whether it came through a signal's handler, or was set by another thread while this package's own code ran. One
        that was set while somebody else's code ran cannot be told from that code's own.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__ if raised is None else raised)]
    return any(map(_handles_a_signal, frames)) or _was_set(error, frames)


def _handles_a_signal(frame: FrameType) -> bool:
    """
    Whether it was called with a frame, as Python calls a signal's handler: with the signal's number and the frame that
    it interrupts. So is what a handler hands them on to, and what traces a program, which is nobody's failure either.
    """
    code = frame.f_code
    names = list(code.co_varnames[: code.co_argcount])
    if code.co_flags & inspect.CO_VARARGS:
        names.append(code.co_varnames[code.co_argcount + code.co_kwonlyargcount])
    values = [frame.f_locals.get(name) for name in names]
    return any(type(it) is FrameType for value in values for it in (value if type(value) is tuple else (value,)))


def _was_set(error: BaseException, frames: List[FrameType]) -> bool:
    """
    Whether another thread has set it, which names a class alone: this package raises nothing of somebody else's without
    a word, nor does it wait for anything that could be late.
    """
    if not isinstance(error, Exception) or error.args or not frames:
        return False
    is_late = isinstance(error, TimeoutError)
    is_foreign = is_late or _package(type(error).__module__) not in ("builtins", _PACKAGE)
    return is_foreign and _package(frames[-1].f_globals.get("__name__")) == _PACKAGE


def _package(module: Any) -> str:
    return str(module).partition(".")[0]
