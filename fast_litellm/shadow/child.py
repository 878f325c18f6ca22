"""
A worker process as its parent has it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from multiprocessing import Pipe
from typing import Any, Dict, Optional, Tuple

from fast_litellm import settings
from fast_litellm.shadow import isolated

_ALARM_FACTOR = 2.0
_ALARM_GRACE_SECONDS = 1.0
_END_SECONDS = 5.0


class Child:
    """
    Starts a worker process. It has this one's environment, no standard streams, and a pipe; when the pipe is closed it
    ends, and in the middle of a call an alarm ends it.

    Args:
        name: The candidate's `module:qualname`.
        deadline_s: How long a call may take, in seconds.
        is_factory: Whether the name makes the candidate, instead of being its function.

    Raises:
        OSError: No process could be started.
    """

    def __init__(self, name: str, deadline_s: float, *, is_factory: bool) -> None:
        self._is_ready = False
        self._connection, theirs = Pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter and a program of this package
                [sys.executable, "-I", "-X", f"utf8={sys.flags.utf8_mode}", isolated.__file__, str(theirs.fileno())],
                env=_environment(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt from the keyboard is the program's, not the worker's
            )
        finally:
            theirs.close()
        alarm = deadline_s * _ALARM_FACTOR + _ALARM_GRACE_SECONDS
        try:
            self._connection.send_bytes(isolated.pack(([*map(str, sys.path)], name, is_factory, alarm)))
        except OSError:
            self.kill()
            raise

    def is_ready(self, seconds: float) -> bool:
        """
        Args:
            seconds: How long to wait, at most.

        Returns:
            Whether it has imported its candidate.

        Raises:
            EOFError, OSError: It never will: it is gone, or could not.
        """
        if not self._is_ready and self._connection.poll(seconds):
            if isolated.unpack(self._connection.recv_bytes())[0] != "ready":
                raise EOFError
            self._is_ready = True
        return self._is_ready

    def ask(self, request: bytes, seconds: float) -> Optional[Tuple[Any, ...]]:
        """
        Args:
            request: A packed call.
            seconds: How long to wait, at most.

        Returns:
            The answer, or None when there was none in time.

        Raises:
            EOFError, OSError: The process is gone.
        """
        self._connection.send_bytes(request)
        if not self._connection.poll(seconds):
            return None
        answer: Tuple[Any, ...] = isolated.unpack(self._connection.recv_bytes())
        return answer

    def kill(self) -> None:
        """Ends the process, whatever it does. The pipe is left to whoever may be waiting for an answer, and is told."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # a process in the kernel's hands ends when that lets go
            self._process.wait(_END_SECONDS)

    def disown(self) -> None:
        """Forgets a process that is another's child: there is nothing to wait for."""
        self._process.returncode = 0


def _environment() -> Dict[str, str]:
    """This process's own, but nothing of this package is installed in there."""
    auto, disable = settings.PREFIX + "AUTO", settings.PREFIX + "DISABLE"
    return {**{name: value for name, value in os.environ.items() if name != auto}, disable: "1"}
