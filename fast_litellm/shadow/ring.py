"""
Rings: what a process counts and records, in a file beside the ledger that outlives it.

A killed process has no time to write to a database. Its counters are therefore words of a file that it has mapped, and
a record is in that file before `record` returns. Whoever finds a ring whose owner is gone writes what is in it to the
ledger and removes it. The owner is gone when its lock is: the system gives it back however a process ends.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from fast_litellm import events
from fast_litellm.shadow import engine, machinery
from fast_litellm.shadow.observation import type_name
from fast_litellm.shadow.process import Process

BLOCKS = 16
"""Epochs that a ring has room for; what is counted in further ones is written once a second only."""

_SUFFIX = ".ring"
_DRAFT = ".new"
_TORN = ".torn"
_DRAFT_SECONDS = 60.0
"""A draft is locked moments after it is made; one that is not by then never will be."""


class OwnRing:
    """
    The ring of this process.

    Args:
        path: Its file.
        lock: A descriptor that holds the file's lock.
        native: The mapped file.
    """

    def __init__(self, path: Path, lock: int, native: engine.Ring) -> None:
        self.path = path
        self.native: Optional[engine.Ring] = native
        self._lock = lock

    @classmethod
    def make(cls, directory: Path, process: Process, versions: Mapping[str, str]) -> Optional[OwnRing]:
        """
        Make this process's ring.

        Args:
            directory: Where rings lie; it is made when it is missing.
            process: Whose it is.
            versions: Package to version.

        Returns:
            The ring; None where there can be none, which is counted: then the last second is lost with the process.
        """
        try:
            return cls._make(directory, process, versions)
        except (OSError, ValueError, ImportError) as error:
            machinery.failed("ring", error)
            return None

    @classmethod
    def _make(cls, directory: Path, process: Process, versions: Mapping[str, str]) -> OwnRing:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = directory / f"{process.proc_uuid}{_SUFFIX}"
        draft = path.with_name(path.name + _DRAFT)
        descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            lock = _locked(draft)
            _reserve(descriptor, engine.current().Ring.size(BLOCKS))
            header = json.dumps({**asdict(process), "versions": dict(versions)})
            native = engine.current().Ring(descriptor, BLOCKS, header)
            draft.rename(path)
        except BaseException:
            draft.unlink()
            raise
        finally:
            os.close(descriptor)
        return cls(path, lock, native)

    def push(self, record: Mapping[str, Any]) -> bool:
        """Returns whether a record is kept, whatever becomes of this process."""
        return self.native is not None and self.native.push(json.dumps(record, default=type_name))

    def end(self) -> int:
        """Returns up to where there are records, for `drop_until`."""
        return 0 if self.native is None else self.native.end()

    def drop_until(self, end: int) -> None:
        """Drops the records that the ledger has."""
        if self.native is not None:
            self.native.drop_until(end)

    def let_go(self) -> None:
        """Leaves the ring to its owner: a forked child has inherited the descriptor, and with it the lock."""
        self.native = None
        os.close(self._lock)

    def remove(self) -> None:
        """Removes the file: the ledger has all that is in it."""
        self.path.unlink(missing_ok=True)
        self.let_go()


@dataclass(frozen=True)
class Left:
    """
    What a process has left.

    Args:
        process: Which one.
        versions: Package to version.
        blocks: The name of each epoch's block, its reading and its readings by shape.
        records: What it had recorded, in order.
    """

    process: Process
    versions: Mapping[str, str]
    blocks: List[Tuple[str, Dict[str, Any], List[Dict[str, Any]]]]
    records: List[Dict[str, Any]]


def recover(directory: Path, write: Callable[[Left], object]) -> int:
    """
    Write what killed processes have left.

    Args:
        directory: Where rings lie.
        write: Takes what one of them has left; what it raises leaves the ring for the next time. It may be given the
            same twice.

    Returns:
        How many rings were written and removed.
    """
    for draft in directory.glob(f"*{_SUFFIX}{_DRAFT}"):
        _remove_abandoned(draft)
    return sum(_recover(path, write) for path in sorted(directory.glob(f"*{_SUFFIX}")))


def _remove_abandoned(draft: Path) -> None:
    """A ring whose owner was killed while it made it, and has counted nothing yet."""
    try:
        if time.time() - draft.stat().st_mtime > _DRAFT_SECONDS:
            os.close(_locked(draft))
            draft.unlink()
    except (OSError, ImportError):  # its owner lives, or somebody else removes it
        return


def _recover(path: Path, write: Callable[[Left], object]) -> bool:
    try:
        lock = _locked(path)
    except (OSError, ImportError):  # its owner lives, or somebody else recovers it
        return False
    try:
        return _write_out(path, write)
    finally:
        os.close(lock)


def _write_out(path: Path, write: Callable[[Left], object]) -> bool:
    try:
        left = _read(path.read_bytes())
    except ValueError as error:  # torn, or of another version: kept for a person to look at
        path.rename(path.with_name(path.name + _TORN))
        events.tell("shadow", "error", events.RING_TORN, exception_class=type(error).__name__)
        return False
    write(left)
    path.unlink(missing_ok=True)
    return True


def _locked(path: Path) -> int:
    """A descriptor of its own: a mapping would keep the lock for a forked child, and for as long as that lives."""
    import fcntl

    lock = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _reserve(descriptor: int, size: int) -> None:
    """A page without space on its disk cannot be written, and the attempt would end the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.write(descriptor, bytes(size))


def _read(data: bytes) -> Left:
    header, blocks, records = engine.current().read_ring(data)
    said = json.loads(header)
    versions = said.pop("versions")
    return Left(Process(**said), versions, blocks, [json.loads(record) for record in records])
