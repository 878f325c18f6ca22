"""
Who wrote to the ledger, and whether that process still lives.
"""

from __future__ import annotations

import os
import platform
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Mapping

SILENT_SECONDS = 60.0
"""A process of another host that has not been heard of for so long is taken to be gone."""
GONE_SECONDS = 3_600.0
"""And after so long nobody waits for a sign of it any more."""

_BIRTH = 19  # field 22 of proc(5): the two before the command's end are not counted here, nor does it count from 0


@dataclass(frozen=True)
class Process:
    """
    One life of one process. A forked child is another.

    Args:
        proc_uuid: Its name.
        host: A digest of its host's name and process namespace.
        pid: Its number there.
        birth: When the system started it, to tell it from a later process of the same number; "" where that is not
            known.
    """

    host: str
    pid: int
    birth: str
    proc_uuid: str = field(default_factory=lambda: uuid.uuid4().hex)


def current(digest: Callable[[bytes], str]) -> Process:
    """
    Args:
        digest: Makes the host's name unreadable.

    Returns:
        The calling process.
    """
    return Process(digest(_host().encode()), os.getpid(), _birth(os.getpid()))


def is_gone(row: Mapping[str, object], own_host: str, now: float) -> bool:
    """
    Args:
        row: A row of the table `process`.
        own_host: The host digest of the calling process.
        now: Seconds since 1970.

    Returns:
        Whether the process will never write again.
    """
    if row["ended_at"] is not None:
        return True
    if row["host"] != own_host:
        return now - float(str(row["last_seen"])) > SILENT_SECONDS
    pid = int(str(row["pid"]))
    return not _is_alive(pid) or _birth(pid) != row["birth"]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it exists and belongs to somebody else
        return True
    return not _is_zombie(pid)


def _host() -> str:
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return f"{platform.node()} {namespace}"


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name, which may hold anything; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _is_zombie(pid: int) -> bool:
    return _stat(pid)[:1] == ["Z"]


def _birth(pid: int) -> str:
    return next(iter(_stat(pid)[_BIRTH : _BIRTH + 1]), "")
