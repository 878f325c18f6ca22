"""
Making a value smaller while something stays true of it.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, Callable, Iterator, List

_FEW = 16
"""From so few parts on, each is left out by itself."""

MAX_TRIES = 2_000


def smallest(value: Any, holds: Callable[[Any], bool], max_tries: int = MAX_TRIES) -> Any:
    """
    Leave out parts of a value, the greatest first, until nothing can be left out any more.

    Args:
        value: Plain values in lists, tuples and dicts; it is not changed.
        holds: Whether a smaller value will do.
        max_tries: How often that is asked.

    Returns:
        The value itself, or a smaller one that will do.
    """
    tries = iter(range(max_tries))
    found = _next(value, holds, tries)
    while found is not None:
        value, found = found[0], _next(found[0], holds, tries)
    return value


def _next(value: Any, holds: Callable[[Any], bool], tries: Iterator[int]) -> Any:
    """The first smaller value that will do, in a list of one; None when there is none, or no try left."""
    for smaller, _ in zip(reductions(value), tries):
        if holds(smaller):
            return [smaller]
    return None


def reductions(value: Any) -> Iterator[Any]:
    """
    Returns:
        Values that are a little smaller or simpler, those with the greatest part left out first.
    """
    if isinstance(value, str):
        return _texts(value)
    if isinstance(value, (list, tuple)):
        return chain(_cuts(value), _items(value))
    if isinstance(value, dict):
        return chain(_without_keys(value), _values(value))
    if type(value) is int and value not in (0, 1):
        return _numbers(value)
    return iter(())


def _numbers(value: int) -> Iterator[int]:
    """The simplest, the same without its sign, and ever less taken away: down to the smallest that will do."""
    yield from (0, 1)
    yield from (-value,) if value < 0 else ()
    away = (abs(value) + 1) // 2
    while away:
        yield value - away if value > 0 else value + away
        away //= 2


def _texts(text: str) -> Iterator[str]:
    yield from _cuts(text)
    yield from ("x" * len(text),) if text.strip("x") else ()


def _cuts(value: Any) -> Iterator[Any]:
    """Nothing, either half, all but a quarter, and all but each part where there are few."""
    size = len(value)
    if not size:
        return
    yield value[:0]
    step = size // 2
    while step > 1:
        yield from (value[:at] + value[at + step :] for at in range(0, size, step))
        step = step // 2 if step > size // _FEW else 0
    yield from (value[:at] + value[at + 1 :] for at in range(size) if size <= _FEW)


def _items(value: Any) -> Iterator[Any]:
    for at, item in enumerate(value):
        make: Callable[[List[Any]], Any] = type(value)
        yield from (make([*value[:at], smaller, *value[at + 1 :]]) for smaller in reductions(item))


def _without_keys(value: Any) -> Iterator[Any]:
    yield from ({other: value[other] for other in value if other != key} for key in value)


def _values(value: Any) -> Iterator[Any]:
    for key, held in value.items():
        yield from ({**value, key: smaller} for smaller in reductions(held))
