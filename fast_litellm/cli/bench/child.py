"""A process of its own that is asked over its pipes: requests and answers are lines of JSON."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from collections.abc import Sequence

_STOP_S = 20.0


class Child:
    """
    Started at once; it ends when its input does, so that it never outlives whoever started it.

    Args:
        words: Its command.
        is_answer: Whether a line that it prints is an answer; others are passed over.
        options: For `subprocess.Popen`.
    """

    def __init__(self, words: Sequence[str], is_answer: Callable[[str], bool] = bool, **options: Any) -> None:
        self._words = words
        self._is_answer = is_answer
        self._process: subprocess.Popen[str] = subprocess.Popen(  # noqa: S603 - our own, and a Python the user names
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
        )

    def ask(self, *request: Any) -> Any:
        """Returns what it answers to a request."""
        assert self._process.stdin is not None  # noqa: S101 - as it was started
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self.told()

    def told(self) -> Any:
        """
        Returns:
            Its next answer.

        Raises:
            RuntimeError: It has ended.
        """
        assert self._process.stdout is not None  # noqa: S101 - as it was started
        for line in self._process.stdout:
            if self._is_answer(line):
                return json.loads(line)
        status = self._process.wait(_STOP_S)
        raise RuntimeError(f"`{' '.join(self._words)}` has ended with status {status} before it was told to")

    def close(self) -> None:
        """Ends it, at the latest after a while: nothing that it measures is lost."""
        try:
            self._process.communicate(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
