"""
Lists whose order does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, FrozenSet, Hashable, Optional, Tuple

from fast_litellm.shadow.comparators.comparison import Comparator
from fast_litellm.shadow.comparators.difference import Difference, Step
from fast_litellm.shadow.comparators.exact import exact
from fast_litellm.shadow.comparators.matching import key_of, same_items
from fast_litellm.shadow.comparators.structure import SEQUENCES, bag


@dataclass(frozen=True)
class Unordered:
    """
    Two lists or two tuples are equal when their items are, one to one, in any order. Only the outermost order is left
    out of account; anything that is neither a list nor a tuple is compared by `items` itself.

    Args:
        items: Says which items are equal.
    """

    items: Comparator = exact

    @property
    def name(self) -> str:
        """What it compares items by, and its version."""
        return f"unordered({self.items.name})/1"

    @property
    def safe_types(self) -> Tuple[type, ...]:
        """Those of the items."""
        return self.items.safe_types

    @property
    def known_keys(self) -> FrozenSet[str]:
        """Those of the items."""
        return self.items.known_keys

    @property
    def takes_snapshots(self) -> bool:
        """Whether the items' comparator does."""
        return self.items.takes_snapshots

    def __call__(self, control: Any, candidate: Any) -> Optional[Difference]:
        """
        Returns:
            None when they are equal, otherwise their first difference.

        Raises:
            ValueError: More than 200 items have no key to be found by, as numbers within a tolerance have none.
        """
        if type(control) is not type(candidate) or type(control) not in SEQUENCES:
            return self.items(control, candidate)
        if same_items(control, candidate, self.items):
            return None
        kind = "value" if len(control) == len(candidate) else "length"
        return Difference(kind, (Step("members"),), control, candidate, self)

    def key(self, value: Any) -> Hashable:
        """
        Returns:
            A stand-in that is equal for equal values.

        Raises:
            HasNoKey: The items have none.
        """
        if type(value) not in SEQUENCES:
            return key_of(self.items, value)
        return type(value), bag(key_of(self.items, item) for item in value)


def unordered(items: Comparator = exact) -> Unordered:
    """
    Returns:
        A comparator of lists in any order; see `Unordered`.
    """
    return Unordered(items)
