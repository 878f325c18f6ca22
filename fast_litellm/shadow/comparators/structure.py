"""
The walk through two plain values, step by step, that every structural comparator shares.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from typing import Any, Dict, FrozenSet, Hashable, Iterable, List, Optional

from fast_litellm.shadow.comparators.difference import NOTHING, Difference, Item, Key, Step
from fast_litellm.shadow.comparators.matching import HasNoKey, key_of, same_items

SEQUENCES = (list, tuple)
SETS = (set, frozenset)
SCALARS = (type(None), bool, int, float, str, bytes, bytearray)


class Structure(ABC):
    """
    Walks through lists, tuples, dicts and sets of identical types; what it finds at their ends is for a subclass.

    A subclass may name another comparator for an item or for a dict's value. Lists and tuples are compared in order;
    dicts and sets have none.
    """

    @abstractmethod
    def scalars(self, control: Any, candidate: Any) -> Optional[str]:
        """
        Args:
            control: A value that is no container.
            candidate: Another of the same type.

        Returns:
            The kind of their difference, or None.

        Raises:
            TypeError: The type is not plain.
        """

    def scalar_key(self, value: Any) -> Hashable:
        """
        Returns:
            A stand-in for a value that is no container: equal ones have equal stand-ins.

        Raises:
            HasNoKey: There is none, as for what a frozen copy shares without looking into it.
        """
        if type(value) not in SCALARS:
            raise HasNoKey
        return identity(value)

    def item(self, _index: Optional[int]) -> Any:
        """
        Returns:
            The comparator for an item; for None, the one for an item at any index.
        """
        return self

    def value(self, _key: Any) -> Any:
        """
        Returns:
            The comparator for a dict's value, or None when it does not matter whether the dict has the key.
        """
        return self

    @property
    def is_uniform(self) -> bool:
        """Whether every index has the same comparator."""
        return True

    @property
    def rule(self) -> Any:
        """The comparator to be named where two containers differ."""
        return self

    def __call__(self, control: Any, candidate: Any) -> Optional[Difference]:
        """
        Args:
            control: A plain value.
            candidate: A plain value.

        Returns:
            None when they are equal, otherwise the first difference.

        Raises:
            TypeError: Both are of one type that is not plain.
            RecursionError: They are nested too deeply, or contain themselves.
        """
        kind = type(control)
        if kind is not type(candidate):
            return self._found("type", control, candidate)
        if kind in SEQUENCES:
            return self._sequences(control, candidate)
        if kind is dict:
            return self._dicts(control, candidate)
        if kind in SETS:
            return self._members(list(control), list(candidate), control, candidate)
        found = self.scalars(control, candidate)
        return None if found is None else self._found(found, control, candidate)

    def key(self, value: Any) -> Hashable:
        """
        Returns:
            A hashable stand-in: two values are equal to this comparator exactly when their stand-ins are equal.

        Raises:
            HasNoKey: There is none.
            TypeError: The type is not plain.
        """
        kind = type(value)
        if kind in SEQUENCES:
            return kind, tuple(key_of(self.item(index), item) for index, item in enumerate(value))
        if kind is dict:
            named = ((identity(key), self.value(key), item) for key, item in value.items())
            return kind, bag((name, key_of(by, item)) for name, by, item in named if by is not None)
        if kind in SETS:
            return kind, bag(key_of(self.item(None), member) for member in value)
        return self.scalar_key(value)

    def _found(self, kind: str, control: Any, candidate: Any) -> Difference:
        return Difference(kind, (), control, candidate, self.rule)

    def _sequences(self, control: Any, candidate: Any) -> Optional[Difference]:
        if len(control) != len(candidate):
            return self._found("length", control, candidate)
        any_item = self.item(None) if self.is_uniform else None
        for index, (one, other) in enumerate(zip(control, candidate)):
            found = (any_item or self.item(index))(one, other)
            if found is not None:
                reordered = any_item is not None and _reordered(control, candidate, any_item)
                return self._found("order", control, candidate) if reordered else found.under(Item(index))
        return None

    def _dicts(self, control: Dict[Any, Any], candidate: Dict[Any, Any]) -> Optional[Difference]:
        # Looked up by identity, because a dict itself takes 1, True and 1.0 for one key.
        ours = {identity(key): key for key in control}
        theirs = {identity(key): key for key in candidate}
        if len(ours) < len(control) or len(theirs) < len(candidate):  # several NaN, which only a dict tells apart
            return self._members(list(control.items()), list(candidate.items()), control, candidate)
        for name, key in ours.items():
            found = self._values(key, control[key], candidate[theirs[name]] if name in theirs else NOTHING)
            if found is not None:
                return found
        extra = (self._values(key, NOTHING, candidate[key]) for name, key in theirs.items() if name not in ours)
        return next((found for found in extra if found is not None), None)

    def _values(self, key: Any, control: Any, candidate: Any) -> Optional[Difference]:
        by = self.value(key)
        if by is None:
            return None
        if control is NOTHING or candidate is NOTHING:
            kind = "missing" if candidate is NOTHING else "extra"
            return self._found(kind, control, candidate).under(Key(key))
        found: Optional[Difference] = by(control, candidate)
        return found and found.under(Key(key))

    def _members(self, ours: List[Any], theirs: List[Any], control: Any, candidate: Any) -> Optional[Difference]:
        if same_items(ours, theirs, self.item(None)):
            return None
        kind = "value" if len(ours) == len(theirs) else "length"
        return self._found(kind, control, candidate).under(Step("members"))


def identity(value: Any) -> Hashable:
    """
    Args:
        value: A scalar, or a dict's key.

    Returns:
        A stand-in that tells 1, True and 1.0 apart, and 0.0 from -0.0; all NaN are one.

    Raises:
        TypeError: The type is not plain.
    """
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]  # all other stand-ins are tuples
    if kind is float:
        return kind, math.copysign(1, value) if value == value else 0, repr(value)  # noqa: PLR0124 - NaN is unequal
    if kind is bytearray:
        return kind, bytes(value)
    if kind in SCALARS:
        return kind, value
    if kind is tuple:
        return kind, tuple(map(identity, value))
    if kind is frozenset:
        return kind, bag(map(identity, value))
    raise TypeError(f"only plain values are compared, not {kind.__name__}")


def bag(items: Iterable[Hashable]) -> FrozenSet[Any]:
    """
    Returns:
        A hashable stand-in for the items in any order.
    """
    return frozenset(Counter(items).items())


def _reordered(control: Any, candidate: Any, any_item: Any) -> bool:
    try:
        return same_items(control, candidate, any_item)
    except ValueError:  # too many to tell; the first difference stands for itself then
        return False
