"""
Differences: how two sides differ, and the path that leads to the place.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Optional, Tuple, Union

KINDS = frozenset(
    {
        "value",  # same type, other value
        "type",  # another type
        "missing",  # only the control has it
        "extra",  # only the candidate has it
        "order",  # the same items in another order
        "length",  # more or fewer items
        "tolerance",  # two numbers of one type, further apart than allowed
        "exception_class",  # both raised, exceptions of two classes
        "exception_text",  # both raised the same class with another text
        "exception_against_value",  # the control raised, the candidate returned
        "value_against_exception",  # the control returned, the candidate raised
        "mutation",  # the candidate left its arguments in another state than the control
        "timeout",  # the candidate took longer than its deadline
        "panic",  # the candidate's native code panicked
        "crash",  # the candidate's process died
        "comparator_error",  # the comparator itself raised
    }
)
"""How two sides can differ. A difference has exactly one kind."""

NOTHING = object()
"""Stands for the side that has no value at a path."""


@dataclass(frozen=True)
class Item:
    """A step of a path: the item of a list or tuple at an index, or at any when it is None."""

    index: Optional[int]


@dataclass(frozen=True)
class Key:
    """A step of a path: a dict's value under a key. Keys are content."""

    key: Any = field(repr=False)


@dataclass(frozen=True)
class Step:
    """A step of a path with a fixed name: "members" in any order, or "arguments" after the call."""

    name: str


Path = Tuple[Union[Item, Key, Step], ...]


@dataclass(frozen=True)
class Difference:
    """
    The first difference found. It holds content, and is redacted before it is kept or shown.

    Args:
        kind: One of `KINDS`.
        path: The steps from the root to the place.
        control: The control's value at that place, an `Observation` when the sides differ as a whole, or `NOTHING`.
        candidate: The candidate's, likewise.
        rule: The comparator that found it, where several are combined; None when it was none of them.
        note: A word from a fixed set that says more than the kind, such as "tape_exhausted".
    """

    kind: str
    path: Path = ()
    control: Any = field(default=NOTHING, repr=False)
    candidate: Any = field(default=NOTHING, repr=False)
    rule: Any = field(default=None, repr=False, compare=False)
    note: str = ""

    def under(self, step: Union[Item, Key, Step]) -> Difference:
        """
        Returns:
            The same difference, seen from one step further up.
        """
        return replace(self, path=(step, *self.path))
