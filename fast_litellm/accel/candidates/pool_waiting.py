"""
Waiting for pyreqwest as for what it stands for: coroutines that can be cancelled, and threads that signals reach.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Awaitable, Generator

from fast_litellm.errors import Declined


def check_thread() -> None:
    """
    Leave the main thread's requests to httpx: Python handles signals there, and pyreqwest waits without looking for
    any, so that Ctrl-C would do nothing until the response has come.

    Raises:
        Declined: This is the main thread.
    """
    if threading.current_thread() is threading.main_thread():
        raise Declined("main_thread")


class Cancellable:
    """
    Awaits something of pyreqwest's. When it is cancelled, what has cancelled it comes out: pyreqwest raises another
    exception, without the message by which anyio tells its own cancellations from others.

    Args:
        awaited: A coroutine of pyreqwest's.
    """

    def __init__(self, awaited: Awaitable[Any]) -> None:
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        """Steps through the coroutine, as `yield from` does (PEP 380)."""
        steps: Any = self._awaited.__await__()
        step, sent, cancelled = steps.send, None, None
        while True:
            try:
                waited = step(sent)
            except StopIteration as done:
                return done.value
            except asyncio.CancelledError:
                if cancelled is None:
                    raise
                break
            try:
                step, sent = steps.send, (yield waited)
            except GeneratorExit:
                steps.close()
                raise
            except asyncio.CancelledError as error:
                step, sent, cancelled = steps.throw, error, error
        raise cancelled
