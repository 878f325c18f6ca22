"""Waiting in an event loop for what the pool's thread does."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import weakref
from typing import Any, Callable

from fast_litellm.accel import native
from fast_litellm.errors import Declined

_BELLS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, native.Bell] = weakref.WeakKeyDictionary()


def check_loop() -> None:
    """
    Raises:
        Declined: No loop of asyncio's runs here, or it watches no sockets of others, as Windows' usual one.
    """
    try:
        if asyncio.current_task() is None:  # another library's coroutine, which runs within a loop of asyncio's
            raise Declined("event_loop")
        _bell_of(asyncio.get_running_loop())
    except (RuntimeError, NotImplementedError, OSError, TypeError):
        raise Declined("event_loop") from None


def is_main_thread() -> bool:
    """Returns whether this is the thread in which Python handles signals, so that whoever waits has to look for any."""
    return threading.get_ident() == threading.main_thread().ident


async def waited(begin: Callable[[native.Bell, Any], native.Task]) -> Any:
    """
    Have something begun and wait for it. Whoever is interrupted meanwhile gives it up.

    Args:
        begin: Of an exchange or an answer.

    Returns:
        What comes of it.

    Raises:
        PoolError: What has gone wrong.
    """
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    task = begin(_bell_of(loop), future)
    try:
        return await future
    except BaseException:
        task.abort()
        _give_back(future)
        raise
    finally:
        del future  # which holds what is raised, which holds this frame


def _give_back(future: asyncio.Future[Any]) -> None:
    """Closes a response that has come in the same moment as an interruption, which nobody will read."""
    if future.done() and not future.cancelled() and future.exception() is None and future.result() is not None:
        future.result().close()


def _bell_of(loop: asyncio.AbstractEventLoop) -> native.Bell:
    bell = _BELLS.get(loop)
    if bell is None:
        bell = native.Bell()
        contextvars.Context().run(loop.add_reader, bell.fileno(), bell.answer)  # nobody's, as the loop keeps it
        _BELLS[loop] = bell
    return bell
