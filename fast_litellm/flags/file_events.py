"""
When it is time to look at a file: after each change in the directories that lead to it, and every second anyway.

The system's notices are hints only. They get lost (a full queue, a network mount, a directory that is put back), so a
look every second is never left out, and whether the file changed is for its state to say.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Callable, Dict, Iterator, NamedTuple, Optional, Sequence, Tuple

# The documented entry below `watchfiles.watch`: only here does watching begin before the first look, so that a change
# between the two cannot be missed. Imported here and not by the thread: a process that forks while a thread imports
# leaves the child a module that can never be imported.
from watchfiles._rust_notify import RustNotify

if TYPE_CHECKING:
    import threading

INTERVAL = 1.0
"""Seconds between two looks at the file when nothing is heard of it."""

_STEP = 10
"""Milliseconds between two questions whether something was heard; a change is seen after one to three of them."""

_PATIENCE = 20
"""Milliseconds after which changes that do not end are looked at."""

Directories = Callable[[], Sequence[str]]
"""Returns the directories that lead to the file, or raises OSError."""


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


def looks(directories: Directories, stopped: threading.Event) -> Iterator[Way]:
    """
    Yield each time it is time to look at the file, the first time at once, until stopped.

    Args:
        directories: Where a change of an entry can change the file. Asked again at every look.
        stopped: Ends the waiting within some ten milliseconds.

    Yields:
        How the file is watched at this moment.
    """
    while not stopped.is_set():
        yield from _attempt(directories, stopped)


def _attempt(directories: Directories, stopped: threading.Event) -> Iterator[Way]:
    """Listens for as long as that can be done; otherwise has one look and waits, so that it is tried again."""
    try:
        yield from _heard(directories, stopped)
    except (OSError, RuntimeError, ValueError) as error:  # no directory, no inotify left, an undecodable path
        yield Way("polling", f"{type(error).__name__}: {error}")
        stopped.wait(INTERVAL)


def _heard(directories: Directories, stopped: threading.Event) -> Iterator[Way]:
    """Yields at once and at each notice, until the directories are no longer the same ones."""
    watched = _identities(directories)
    with _listener(list(watched)) as listener:
        while not stopped.is_set():
            yield EVENTS
            if _identities(directories) != watched:
                return
            listener.watch(_PATIENCE, _STEP, int(INTERVAL * 1000), stopped)


def _listener(watched: Sequence[str]) -> RustNotify:
    return RustNotify(
        list(watched),
        debug=False,
        force_polling=False,
        poll_delay_ms=int(INTERVAL * 1000),
        recursive=False,
        ignore_permission_denied=False,  # what cannot be listened to must show as polling
    )


def _identities(directories: Directories) -> Dict[str, Tuple[int, int]]:
    """Returns what tells a directory from another one that was put in its place."""
    states = {directory: os.stat(directory) for directory in directories()}  # noqa: PTH116 - asked every second
    return {directory: (state.st_dev, state.st_ino) for directory, state in states.items()}
