"""
What a forked child does with the threads, queues and counters it inherits: its parent reports them, so it starts empty.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol

from fast_litellm.shadow import machinery


class Inheritable(Protocol):
    """An object that can be made as good as fresh in a forked child."""

    def after_fork(self) -> None: ...


_inherited: weakref.WeakSet[Inheritable] = weakref.WeakSet()


def restart_in_children(inheritable: Inheritable) -> None:
    """
    Call an object's `after_fork` in every forked child for as long as the object lives.

    Args:
        inheritable: Something that holds a thread, a lock, a queue or a database connection.
    """
    _inherited.add(inheritable)


def _restart_all() -> None:
    for inheritable in list(_inherited):
        _restart(inheritable)


def _restart(inheritable: Inheritable) -> None:
    try:
        inheritable.after_fork()
    except BaseException as error:
        machinery.failed("after_fork", error)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart_all)
