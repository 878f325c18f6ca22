"""
Whether two collections hold the same items when order is no matter.

Where a comparator can name what it takes for equal by a hashable key, items are counted by key. A tolerance cannot:
1.0 may be near 1.1 and 1.1 near 1.2, but not 1.0 near 1.2. Then the question is whether every item finds a partner of
its own, which is a bipartite matching, solved by augmenting paths (Kuhn's algorithm).
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Callable, Dict, Hashable, Sequence, Set

MAX_WITHOUT_KEY = 200
"""So many items can be compared in any order when they have no key; the work grows with their square at least."""


class HasNoKey(Exception):  # noqa: N818 - a signal, not an error: items are paired instead
    """A comparator takes values for equal without being able to name what they have in common."""


def key_of(comparator: Any, value: Any) -> Hashable:
    """
    Returns:
        What the comparator knows a value by: equal values have equal keys.

    Raises:
        HasNoKey: It has no keys, or none for this value.
    """
    find = getattr(comparator, "key", None)
    if find is None:
        raise HasNoKey
    found: Hashable = find(value)
    return found


def same_items(ours: Sequence[Any], theirs: Sequence[Any], comparator: Any) -> bool:
    """
    Args:
        ours: Items of one side.
        theirs: Items of the other.
        comparator: Says which items are equal; with a method `key`, equal items have equal keys.

    Returns:
        Whether the items are equal one to one.

    Raises:
        ValueError: More than 200 items have no key.
    """
    if len(ours) != len(theirs):
        return False
    try:
        return Counter(key_of(comparator, it) for it in ours) == Counter(key_of(comparator, it) for it in theirs)
    except HasNoKey:
        if len(ours) > MAX_WITHOUT_KEY:
            raise ValueError(f"only {MAX_WITHOUT_KEY} items without a key can be compared in any order") from None
    equal: Dict[Any, bool] = {}

    def is_equal(one: int, other: int) -> bool:
        if (one, other) not in equal:
            equal[one, other] = comparator(ours[one], theirs[other]) is None
        return equal[one, other]

    return _all_paired(len(ours), is_equal)


def _all_paired(count: int, is_equal: Callable[[int, int], bool]) -> bool:
    partner: Dict[int, int] = {}

    def place(one: int, tried: Set[int]) -> bool:
        for other in range(count):
            if other in tried or not is_equal(one, other):
                continue
            tried.add(other)
            if other not in partner or place(partner[other], tried):
                partner[other] = one
                return True
        return False

    return all(place(one, set()) for one in range(count))
