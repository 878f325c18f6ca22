"""
When it is time to look at a file: after each change of it or of a link that leads to it, and every second anyway.

The system's notices are hints only. They get lost (a full queue, a network mount, a directory that is put back), so a
look every second is never left out, and whether the file changed is for its state to say.
"""

from __future__ import annotations

import _thread
import contextlib
import os
from types import BuiltinFunctionType
from typing import TYPE_CHECKING, Callable, Dict, Iterator, NamedTuple, Optional, Sequence, Tuple

from fast_litellm.flags import engine

if TYPE_CHECKING:
    from fast_litellm.flags.stopping import Stop

INTERVAL = 1.0
"""Seconds between two looks at the file when nothing is heard of it."""

_PATIENCE = 0.02
"""Seconds after which changes that do not end are looked at."""

Entries = Callable[[], Sequence[str]]
"""Returns the paths of the file and of the links that lead to it, or raises OSError."""


class Way(NamedTuple):
    """
    How a file is watched.

    Attributes:
        name: `events` (the system tells of each change), `polling` (a look every second), or None.
        reason: Why not by events.
    """

    name: Optional[str]
    reason: Optional[str] = None


EVENTS = Way("events")


def looks(entries: Entries, stopped: Stop) -> Iterator[Way]:
    """
    Yield each time it is time to look at the file, the first time at once, until stopped.

    Args:
        entries: What a change of can change the file. Asked again at every look.
        stopped: Ends the waiting within some milliseconds.

    Yields:
        How the file is watched at this moment.
    """
    while not stopped.is_set():
        yield from _attempt(entries, stopped)


def _attempt(entries: Entries, stopped: Stop) -> Iterator[Way]:
    """Listens for as long as that can be done; otherwise has one look and waits, so that it is tried again."""
    try:
        _check_threads()
        yield from _heard(entries, stopped)
    except (OSError, RuntimeError, ValueError) as error:  # no directory, no inotify left, an undecodable path
        yield Way("polling", f"{type(error).__name__}: {error}")
        stopped.wait(INTERVAL)


def _check_threads() -> None:
    """
    Listening waits in native code.

    Raises:
        RuntimeError: That would be waited for by all of the program, because somebody, as gevent and eventlet do, has
            replaced the system's threads by some that take turns.
    """
    if type(_thread.start_new_thread) is not BuiltinFunctionType:
        raise RuntimeError("somebody else starts the threads of this program, which may take turns")


def _heard(entries: Entries, stopped: Stop) -> Iterator[Way]:
    """Yields at once and at each notice, until the entries or their directories are no longer the same ones."""
    watched = _identities(entries)
    with contextlib.closing(_listener(list(watched))) as listener, stopped.telling(listener.ring):
        while not stopped.is_set():
            yield EVENTS
            if _identities(entries) != watched:
                return
            listener.wait(INTERVAL, _PATIENCE)


def _listener(entries: Sequence[str]) -> engine.Listener:
    """Begins to listen before the first look, so that no change between the two can be missed."""
    return engine.current().Listener(entries)


def _identities(entries: Entries) -> Dict[str, Tuple[int, int]]:
    """Returns the entries, with what tells the directory of each from another one that was put in its place."""
    states = {entry: os.stat(os.path.dirname(entry)) for entry in entries()}  # noqa: PTH116, PTH120 - every second
    return {entry: (state.st_dev, state.st_ino) for entry, state in states.items()}
