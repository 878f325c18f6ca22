"""
Comparators: whether a control and a candidate did the same, and if not, how and where they differ.

`exact` is the strictest there is. Types must be identical, so 1, True and 1.0 are three different values. NaN equals
NaN, and -0.0 differs from 0.0. The order of a list or tuple counts, that of a dict or set does not. It compares plain
values only, which are what a frozen copy can hold: None, bool, int, float, str, bytes, bytearray, list, tuple, dict,
set and frozenset.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, FrozenSet, Hashable, Optional, Protocol, Tuple, Union

from fast_litellm.shadow.observation import Observation

KINDS = frozenset(
    {
        "value",  # same type, other value
        "type",  # another type
        "missing",  # only the control has it
        "extra",  # only the candidate has it
        "order",  # the same items in another order
        "length",  # more or fewer items
        "exception_class",  # both raised, exceptions of two classes
        "exception_text",  # both raised the same class with another text
        "exception_against_value",  # the control raised, the candidate returned
        "value_against_exception",  # the control returned, the candidate raised
        "panic",  # the candidate's native code panicked
        "timeout",  # the candidate took longer than its deadline
        "mutation",  # the candidate left its arguments in another state than the control
        "comparator_error",  # the comparator itself raised
    }
)
"""How two sides can differ. A difference has exactly one kind."""

NOTHING = object()
"""Stands for the side that has no value at a path."""

_MAX_DEPTH = 250


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
    """A step of a path with a fixed name: "members" of a set, or "arguments" after the call."""

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
    """

    kind: str
    path: Path = ()
    control: Any = field(default=NOTHING, repr=False)
    candidate: Any = field(default=NOTHING, repr=False)


class Comparator(Protocol):
    """
    Compares two returned values.

    `name` names the comparator and its version: evidence belongs to it. Values of `safe_types` and dict keys in
    `known_keys` are never content and may be shown. With `takes_snapshots`, it is given frozen copies, and a value of
    which none can be made is not compared.
    """

    @property
    def name(self) -> str: ...

    @property
    def safe_types(self) -> Tuple[type, ...]: ...

    @property
    def known_keys(self) -> FrozenSet[str]: ...

    @property
    def takes_snapshots(self) -> bool: ...

    def __call__(self, control: Any, candidate: Any, /) -> Optional[Difference]: ...


@dataclass(frozen=True)
class Exact:
    """
    Equal values of identical types; see the module's docstring.

    Args:
        safe_types: Types whose values are never content, such as int where the values are token counts.
        known_keys: Dict keys that may be shown in paths.
    """

    safe_types: Tuple[type, ...] = (bool, type(None))
    known_keys: FrozenSet[str] = frozenset()
    name: str = field(default="exact/1", init=False)
    takes_snapshots: bool = field(default=True, init=False)

    def __call__(self, control: Any, candidate: Any) -> Optional[Difference]:
        """
        Args:
            control: A plain value.
            candidate: A plain value.

        Returns:
            None when they are equal, otherwise the first difference.

        Raises:
            TypeError: Both are of one type that is not plain.
            RecursionError: They are nested more than 250 levels deep.
        """
        return _difference(control, candidate, ())


exact = Exact()
"""Shows no value but True, False and None."""


def compare(comparator: Comparator, control: Observation, candidate: Observation) -> Optional[Difference]:
    """
    Compare two observations: values by the comparator, exceptions by class and text.

    Returns:
        None when both sides did the same. A comparator that raises is a difference of its own kind.
    """
    if candidate.error_type is not None and is_panic(candidate.error_type):
        return Difference("panic", (), control, candidate)
    if control.error_type is not None:
        return _exceptions(control, candidate)
    if candidate.error_type is not None:
        return Difference("value_against_exception", (), control, candidate)
    try:
        return comparator(control.value, candidate.value)
    except BaseException as error:
        return Difference("comparator_error", (), control, Observation(error_type=type(error)))


def is_panic(error_type: type) -> bool:
    """
    Returns:
        Whether this is the class PyO3 raises for a panic; it has no importable name.
    """
    return error_type.__name__ == "PanicException" and error_type.__module__ == "pyo3_runtime"


def _exceptions(control: Observation, candidate: Observation) -> Optional[Difference]:
    if candidate.error_type is None:
        return Difference("exception_against_value", (), control, candidate)
    if control.error_type is not candidate.error_type:
        return Difference("exception_class", (), control, candidate)
    if control.error_text != candidate.error_text:
        return Difference("exception_text", (), control, candidate)
    return None


def _difference(control: Any, candidate: Any, path: Path) -> Optional[Difference]:
    if type(control) is not type(candidate):
        return Difference("type", path, control, candidate)
    if len(path) > _MAX_DEPTH:
        raise RecursionError
    if type(control) in (list, tuple):
        return _sequences(control, candidate, path)
    if type(control) is dict:
        return _dicts(control, candidate, path)
    if type(control) in (set, frozenset):
        return _members(control, candidate, (*path, Step("members")))
    return None if _scalars_equal(control, candidate) else Difference("value", path, control, candidate)


def _sequences(control: Any, candidate: Any, path: Path) -> Optional[Difference]:
    if len(control) != len(candidate):
        return Difference("length", path, control, candidate)
    for index, (one, other) in enumerate(zip(control, candidate)):
        found = _difference(one, other, (*path, Item(index)))
        if found is not None:
            same_items = Counter(map(_canonical, control)) == Counter(map(_canonical, candidate))
            return Difference("order", path, control, candidate) if same_items else found
    return None


def _dicts(control: Dict[Any, Any], candidate: Dict[Any, Any], path: Path) -> Optional[Difference]:
    # Looked up by canonical key, because a dict itself takes 1, True and 1.0 for one key.
    ours = {_canonical(key): key for key in control}
    theirs = {_canonical(key): key for key in candidate}
    for canonical, key in ours.items():
        if canonical not in theirs:
            return Difference("missing", (*path, Key(key)), control[key], NOTHING)
        found = _difference(control[key], candidate[theirs[canonical]], (*path, Key(key)))
        if found is not None:
            return found
    extra = next((key for canonical, key in theirs.items() if canonical not in ours), NOTHING)
    return None if extra is NOTHING else Difference("extra", (*path, Key(extra)), NOTHING, candidate[extra])


def _members(control: Any, candidate: Any, path: Path) -> Optional[Difference]:
    ours, theirs = set(map(_canonical, control)), set(map(_canonical, candidate))
    if len(ours) != len(theirs):
        return Difference("length", path, control, candidate)
    return None if ours == theirs else Difference("value", path, control, candidate)


def _scalars_equal(control: Any, candidate: Any) -> bool:
    kind = type(control)
    if kind is float:
        both_nan = math.isnan(control) and math.isnan(candidate)
        return both_nan or (control == candidate and math.copysign(1, control) == math.copysign(1, candidate))
    if kind in (type(None), bool, int, str, bytes, bytearray):
        return bool(control == candidate)
    raise TypeError(f"exact compares plain values, not {kind.__name__}")


def _canonical(value: Any) -> Hashable:
    """A hashable stand-in: two of them are equal exactly when their values are, by the rules of `exact`."""
    kind = type(value)
    if kind is float:
        return kind, math.copysign(1, value), "nan" if math.isnan(value) else value
    if kind in (list, tuple):
        return kind, tuple(map(_canonical, value))
    if kind is dict:
        return kind, frozenset((_canonical(key), _canonical(item)) for key, item in value.items())
    if kind in (set, frozenset):
        return kind, frozenset(map(_canonical, value))
    return kind, bytes(value) if kind is bytearray else value
