"""
Who a call belongs to: the unit that is hashed for stickiness and the attributes that rules look at.

A context variable carries it, so it follows a call into tasks and into the threads LiteLLM copies its context to.
LiteLLM's own entry points open a scope (`entry_points.py`); a program may open one itself, and the outermost unit wins.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Dict, NamedTuple, Optional

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class CallContext(NamedTuple):
    """
    The facts of one call.

    Args:
        unit: The string that is hashed for stickiness; None means unknown, and percentages then serve Python.
        attributes: Attribute name to value, for conditions and for flags that hash another attribute.
    """

    unit: Optional[str] = None
    attributes: Dict[str, Any] = {}  # noqa: RUF012 - shared and never written: every scope builds its own


NOTHING_KNOWN = CallContext(None, {})

current: ContextVar[CallContext] = ContextVar("fast_litellm_call_context", default=NOTHING_KNOWN)


@contextmanager
def context(unit: str | None = None, attributes: Mapping[str, Any] = MappingProxyType({})) -> Iterator[CallContext]:
    """
    Attribute every call inside the block to a unit.

    Args:
        unit: What is hashed for stickiness, such as a user or tenant id; None keeps the unit already in force.
        attributes: Facts that rules may look at; they are added to those already in force.

    Returns:
        A context manager that yields the context in force inside the block.
    """
    token = current.set(joined(current.get(), unit, attributes))
    try:
        yield current.get()
    finally:
        current.reset(token)


def joined(outer: CallContext, unit: str | None, attributes: Mapping[str, Any]) -> CallContext:
    """Returns the outer context with a unit (when one is given) and further attributes on top."""
    return CallContext(outer.unit if unit is None else unit, {**outer.attributes, **attributes})
