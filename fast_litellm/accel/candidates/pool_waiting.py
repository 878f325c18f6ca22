"""Waiting in an event loop for what the pool's thread does."""

from __future__ import annotations

import asyncio
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
        _bell_of(asyncio.get_running_loop())
    except (RuntimeError, NotImplementedError, OSError, TypeError):
        raise Declined("event_loop") from None


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
        raise


def _bell_of(loop: asyncio.AbstractEventLoop) -> native.Bell:
    bell = _BELLS.get(loop)
    if bell is None:
        bell = native.Bell()
        loop.add_reader(bell.fileno(), bell.answer)
        _BELLS[loop] = bell
    return bell
