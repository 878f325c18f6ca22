"""
What a forked child does with the threads, queues and counters it inherits: its parent reports them, so it starts empty.
"""

from __future__ import annotations

import os
import weakref
from typing import Iterable, Protocol

from fast_litellm.shadow import machinery


class Inheritable(Protocol):
    """An object that can be made as good as fresh in a forked child."""

    def after_fork(self) -> None: ...


class Forkable(Inheritable, Protocol):
    """An object that must also let go of something while its process is copied."""

    def before_fork(self) -> None: ...

    def after_fork_in_parent(self) -> None: ...


_inherited: weakref.WeakSet[Inheritable] = weakref.WeakSet()


_held: weakref.WeakSet[Forkable] = weakref.WeakSet()


def let_go_before(forkable: Forkable) -> None:
    """
    Call an object's `before_fork` before every fork, then `after_fork_in_parent` here and `after_fork` in the child,
    after that of everything that is only restarted.

    Args:
        forkable: Something whose copy would be wrong in a child.
    """
    _held.add(forkable)
    restart_in_children(forkable)


def restart_in_children(inheritable: Inheritable) -> None:
    """
    Call an object's `after_fork` in every forked child for as long as the object lives.

    Args:
        inheritable: Something that holds a thread, a lock, a queue or a database connection.
    """
    _inherited.add(inheritable)


def _each(objects: Iterable[object], method: str) -> None:
    for each in list(objects):
        _attempt(each, method)


def _attempt(each: object, method: str) -> None:
    try:
        getattr(each, method)()
    except BaseException as error:
        machinery.failed(method, error)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _each(_held, "before_fork"),
        after_in_parent=lambda: _each(_held, "after_fork_in_parent"),
        after_in_child=lambda: _each(sorted(_inherited, key=_held.__contains__), "after_fork"),
    )
