"""
Where rules come from: a file that may change at any time, or memory.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Protocol, Sequence, Tuple

from fast_litellm.errors import Problem, RuleError
from fast_litellm.flags import rule_file

if TYPE_CHECKING:
    from fast_litellm.flags.engine import Rules

SIZE_LIMIT = 4 * 1024 * 1024
"""Bytes. A thousand flags with three rules each come to less than one."""

_ATTEMPTS = 10
_LINKS = 40  # as many as Linux follows
_TICK = 2_000_000_000  # nanoseconds: the coarsest clock among file systems in use, that of FAT

Signature = Optional[Tuple[int, int, int, int, int]]
"""What tells two states of a file apart: device, inode, size, both times in nanoseconds; None when there is no file."""


class Source(Protocol):
    """Where rules come from."""

    path: Optional[str]

    def signature(self) -> Signature:
        """Returns what tells the present state from others."""

    def load(self) -> Tuple[Rules, Signature]:
        """Returns the rules and the state they belong to, or raises RuleError."""

    def entries(self) -> Sequence[str]:
        """Returns the paths of whatever a change of can change the rules."""


class FileSource:
    """
    A rule file, followed through symbolic links every time.

    Args:
        path: Relative paths are taken from the directory in force now, so that a later `chdir` changes nothing.
    """

    def __init__(self, path: os.PathLike[str] | str) -> None:
        self.path: Optional[str] = os.fspath(path)
        self._absolute = os.path.abspath(path)  # noqa: PTH100 - resolving links once would miss a swapped one
        self._read_last: Tuple[Signature, bytes] = (None, b"")

    def signature(self) -> Signature:
        """
        Return the file's state. Any difference counts: a new file may be older than the one it replaces.

        Two writes within one tick of the file system's clock may leave the same state. So for as long as a tick can
        last, the bytes are compared as well; None says that they are others.
        """
        state = self._state()
        read, data = self._read_last
        if state is None or state != read:
            return state
        if time.time_ns() - state[-1] > _TICK:
            self._read_last = (None, b"")
        return state if self._holds(data) else None

    def load(self) -> Tuple[Rules, Signature]:
        """
        Read and check the file, again if it changed meanwhile.

        Returns:
            The rules and the state of the file they came from.

        Raises:
            RuleError: The file cannot be read, or something in it is wrong.
        """
        for _ in range(_ATTEMPTS):
            before = self._state()
            data = self._read()
            if before == self._state():
                self._read_last = (before, data)
                return rule_file.from_bytes(data, str(self.path)), before
        raise self._unusable(
            "expected a file at rest, got one that changes while it is read", "write a copy and rename it"
        )

    def entries(self) -> Sequence[str]:
        """
        Follow the path through every symbolic link on it.

        A Kubernetes ConfigMap is changed by renaming a link, `..data`, to a directory; the file's own directory never
        tells of it.

        Returns:
            The paths of those links, and of the file itself, none of which leads through a link.

        Raises:
            OSError: A link cannot be read.
        """
        found: List[str] = []
        here, names = "", _names(self._absolute)
        while names and len(found) < _LINKS:
            entry = os.path.normpath(os.path.join(here, names.pop()))  # noqa: PTH118 - kept apart: `here` has no links
            if os.path.islink(entry):  # noqa: PTH114
                found.append(entry)
                names += _names(os.readlink(entry))  # noqa: PTH115
            else:
                here = entry
        swappable = [link for link in found if not _is_the_systems(link)]
        return list(dict.fromkeys([*swappable, here]))

    def _holds(self, data: bytes) -> bool:
        try:
            return self._read() == data
        except RuleError:
            return False

    def _state(self) -> Signature:
        try:
            state = os.stat(self._absolute)  # noqa: PTH116 - polled every second; a Path object adds nothing
        except (OSError, ValueError):
            return None
        return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns

    def _read(self) -> bytes:
        try:
            if not stat.S_ISREG(os.stat(self._absolute).st_mode):  # noqa: PTH116 - opening a pipe would wait for its writer
                raise self._unusable("expected a file, got something else", "name a file")
            with open(self._absolute, "rb") as file:  # noqa: PTH123
                data = file.read(SIZE_LIMIT + 1)
        except FileNotFoundError:
            raise self._unusable(
                "expected a rule file, got none at this path", "create it, or correct the path"
            ) from None
        except ValueError as error:  # a path that no system can have
            raise self._unusable(f"expected a path, got one with {error}", "correct the path") from None
        except OSError as error:
            is_loop = error.errno == errno.ELOOP
            hint = "name the file that the links were to lead to" if is_loop else "check its permissions"
            raise self._unusable(f"expected a readable file, got: {error.strerror}", hint) from None
        if len(data) > SIZE_LIMIT:
            raise self._unusable(f"expected at most {SIZE_LIMIT} bytes, got more", "is this the right file?")
        return data

    def _unusable(self, message: str, hint: str) -> RuleError:
        return RuleError((Problem(str(self.path), 0, 0, message, hint),))


class MemorySource:
    """
    Rules from memory; they never change.

    Args:
        rules: What a rule file holds.
    """

    path: Optional[str] = None

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self._rules = rules

    def signature(self) -> Signature:
        """Returns None: there is no file."""
        return None

    def load(self) -> Tuple[Rules, Signature]:
        """Returns the checked rules, or raises RuleError."""
        return rule_file.from_objects(self._rules), None

    def entries(self) -> Sequence[str]:
        """Returns nothing."""
        return ()


def _is_the_systems(link: str) -> bool:
    """Links in the root are."""
    place = os.path.dirname(link)  # noqa: PTH120
    return place == os.path.dirname(place)  # noqa: PTH120


def _names(path: str) -> List[str]:
    """Returns the parts of a path, the last one first; the root of an absolute path is a part."""
    return list(reversed(Path(path).parts))
