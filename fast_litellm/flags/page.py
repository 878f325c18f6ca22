"""
The file in which the processes of a host share what is stopped: made once, mapped by all, trusted only when it is ours.

It lies in memory by default (/dev/shm) and outlives every process; FAST_LITELLM_STATE names another directory.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Optional, Tuple

from fast_litellm import events, settings
from fast_litellm.flags import engine

if TYPE_CHECKING:
    from fast_litellm.flags.engine import StandingPage

_FORBIDDEN_TO_FILE = 0o077
_FORBIDDEN_TO_DIRECTORY = 0o022


def path_of(rule_file: os.PathLike[str] | str) -> Path:
    """
    Args:
        rule_file: A rule file, whether or not it exists.

    Returns:
        Where processes with that rule file share what is stopped. Links in the name are not resolved, so that a file
        that is exchanged by a link keeps its page.
    """
    name = hashlib.sha256(os.fsencode(os.path.abspath(rule_file))).hexdigest()[:32]  # noqa: PTH100 - links stay
    return settings.state_directory() / f"{name}.page"


class SharedPage:
    """
    A page mapped into this process.

    Args:
        path: Its file. It and its directory are made if need be, for the owner only.

    Raises:
        OSError: The file cannot be made or opened, or it is not this user's alone.
        ValueError: It holds something else.
    """

    def __init__(self, path: Path) -> None:
        if not hasattr(os, "O_NOFOLLOW"):
            raise OSError("pages are shared on POSIX systems only")
        self.path = path
        _make_directory(path.parent)
        descriptor = _opened(path)
        try:
            found = os.fstat(descriptor)
            _check(found, stat.S_ISREG, _FORBIDDEN_TO_FILE, "file")
            self.native: StandingPage = engine.current().StandingPage(descriptor)
        finally:
            os.close(descriptor)
        self._identity = _identity(found)

    def word(self, flag: str) -> int:
        """Returns a flag's word; 0, which is running, for a flag nobody has stopped."""
        entry = self.native.entry(flag)
        return 0 if entry is None else entry[0]

    def problem(self) -> str:
        """Returns why processes started later do not share this page, "" when they do."""
        try:
            is_here = _identity(os.lstat(self.path)) == self._identity
        except OSError:
            is_here = False
        return "" if is_here else "the page was removed while it was in use: processes started since share another one"


def shared(rule_file: Optional[str]) -> Tuple[Optional[SharedPage], str]:
    """
    Args:
        rule_file: None for rules that nobody shares.

    Returns:
        The rule file's page, or None and the reason why there is none.
    """
    if rule_file is None:
        return None, "the rules belong to this process alone"
    try:
        return SharedPage(path_of(rule_file)), ""
    except (OSError, ValueError) as error:
        events.logger("flags").warning(events.STOPS_NOT_SHARED, exception_class=type(error).__name__)
        return None, f"{type(error).__name__}: {error}"


def existing(rule_file: os.PathLike[str] | str) -> Optional[SharedPage]:
    """Returns the rule file's page for a look at it, None when there is none to be used; none is made."""
    return shared(os.fspath(rule_file))[0] if is_there(path_of(rule_file)) else None


def is_there(path: Path) -> bool:
    """Returns whether there is such a file, or a directory that does not let anybody know."""
    try:
        return path.exists()
    except OSError:
        return True


def _opened(path: Path) -> int:
    """Opens a page, or makes one: whoever comes first, whole or not at all."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        _make_file(path)
        return os.open(path, flags)


def _make_directory(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check(os.lstat(directory), stat.S_ISDIR, _FORBIDDEN_TO_DIRECTORY, "directory")


def _make_file(path: Path) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        # Every byte is written: a hole for which there is no memory later would end the process that touches it.
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:  # noqa: PTH123
            file.write(engine.current().blank_page())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _check(found: os.stat_result, is_kind: Callable[[int], bool], forbidden: int, kind: str) -> None:
    if not is_kind(found.st_mode):
        raise PermissionError(f"expected a {kind}, got something else")
    if found.st_uid != os.geteuid():
        raise PermissionError(f"expected a {kind} of user {os.geteuid()}, got one of user {found.st_uid}")
    if found.st_mode & forbidden:
        raise PermissionError(f"expected a {kind} that only its owner can change, got mode {found.st_mode & 0o777:o}")


def _identity(found: os.stat_result) -> Tuple[int, int]:
    return found.st_dev, found.st_ino
