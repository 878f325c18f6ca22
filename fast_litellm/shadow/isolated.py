"""
The program of a worker process: it runs one candidate's calls, one after the other, until its parent is gone.

It is started as a file of its own and imports nothing of this package, so that it is up in milliseconds. Both sides
speak `marshal`, which knows plain builtin values and makes no objects of a class's choosing.
"""

from __future__ import annotations

import contextlib
import importlib
import marshal
import os
import signal
import sys
import time
from multiprocessing.connection import Connection
from typing import Any, Callable, Dict, Tuple

Run = Callable[[Any, Tuple[Any, ...], Dict[str, Any]], Any]
Answer = Tuple[Any, ...]

_SCALARS = frozenset({type(None), bool, int, float, str, bytes})
_SEQUENCES = frozenset({list, tuple, set, frozenset})


class NotPlainError(Exception):
    """A value has a type that cannot cross; the message is the type's name."""


def pack(value: Any) -> bytes:
    """
    Args:
        value: None, booleans, numbers, text, bytes, and lists, tuples, dicts, sets and frozensets of them.

    Returns:
        The value as bytes.

    Raises:
        NotPlainError: Something in it is of another type. `marshal` would send some of those as bytes.
    """
    pending, seen = [value], set()
    while pending:
        each = pending.pop()
        kind = type(each)
        if kind in _SCALARS or id(each) in seen:
            continue
        seen.add(id(each))
        if kind in _SEQUENCES:
            pending.extend(each)
        elif kind is dict:
            pending.extend(each.keys())
            pending.extend(each.values())
        else:
            raise NotPlainError(kind.__qualname__)
    return marshal.dumps(value)


def unpack(data: bytes) -> Any:
    """
    Returns:
        What was packed.
    """
    return marshal.loads(data)  # noqa: S302 - from a process that this one has started, or that has started this one


def serve(connection: Connection) -> None:
    """
    Answer calls until the other side is gone.

    The first message is `(sys.path, name, is_factory, seconds)`: where modules are, the `module:qualname` of what
    makes the candidate or of the candidate's function, which of the two, and the longest a call may take even when
    nobody is there any more to end it.

    Args:
        connection: To the parent.
    """
    path, name, is_factory, seconds = unpack(connection.recv_bytes())
    sys.path[:] = path
    try:
        run = _resolve(name, is_factory=is_factory)
    except BaseException as error:
        connection.send_bytes(pack(("failed", type(error).__qualname__)))
        return
    connection.send_bytes(pack(("ready",)))
    while True:
        request = connection.recv_bytes()
        _set_alarm(seconds)
        answer = _answer(run, *unpack(request))
        _set_alarm(0)
        connection.send_bytes(answer)


def _resolve(name: str, *, is_factory: bool) -> Run:
    module, _, qualname = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    if is_factory:
        run: Run = found().run
        return run
    return lambda _plan, args, kwargs: found(*args, **kwargs)


def _answer(run: Run, plan: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> bytes:
    """What the run did, the arguments as it left them, and its processor time in nanoseconds."""
    started = time.process_time_ns()
    did = _attempt(run, plan, args, kwargs)
    left = (args, kwargs, time.process_time_ns() - started)
    try:
        return pack((*did, *left))
    except (NotPlainError, ValueError) as error:
        return pack(("unsnapshotable", str(error), (), {}, left[2]))


def _attempt(run: Run, plan: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Answer:
    try:
        value = run(plan, args, kwargs)
        if hasattr(value, "__await__"):
            value = _await(value)
    except BaseException as error:
        kind = type(error)
        if (kind.__module__, kind.__qualname__) == ("fast_litellm.errors", "Declined"):
            return ("declined", getattr(error, "reason", "unspecified"))
        return ("raised", (kind.__module__, kind.__qualname__, _text(error)))
    return ("value", value)


def _await(awaitable: Any) -> Any:
    import asyncio

    async def outer() -> Any:
        return await awaitable

    return asyncio.run(outer())


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException as text_error:
        return f"str() raised {type(text_error).__qualname__}"


def _set_alarm(seconds: float) -> None:
    """The kernel ends a process whose alarm goes off, be it in an endless loop of native code."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _leave_no_core() -> None:
    """An image of a process that crashed would hold its call's content."""
    with contextlib.suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _leave_signals_to_the_parent() -> None:
    """A service manager tells every process to end. The parent then ends this one, when it needs it no more."""
    for name in ("SIGHUP", "SIGINT", "SIGTERM"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def main() -> None:
    """Serves on the descriptor that is named on the command line."""
    _leave_signals_to_the_parent()
    _leave_no_core()
    with contextlib.suppress(EOFError, OSError):  # the parent is gone
        serve(Connection(int(sys.argv[1])))
    os._exit(0)  # no thread that a candidate has left behind keeps it


if __name__ == "__main__":
    main()
