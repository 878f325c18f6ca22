"""
Replacing functions everywhere they are held, and putting the identical objects back.

A function that modules import by name (`from litellm import token_counter`) lives in many namespaces. Replacing it
means finding every loaded module that holds that very object. Classes are never replaced: a method is exchanged in
the `__dict__` of the class that defines it.

Somebody who replaces a function for a while, as a test's mock does, puts back what stood there before: it may be a
replacement of ours that was taken away meanwhile. Where such a one is found, it stands for what it replaced.
"""

from __future__ import annotations

import sys
import weakref
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fast_litellm.accel import native

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_taken_away: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
"""Replacements that are out of force, by their identity: nobody's `__hash__` is asked."""


@dataclass(frozen=True)
class Patch:
    """
    One replacement in force.

    Args:
        original: The object found at the seam.
        replacement: The object that stands there instead.
        owner: The class, or the one module, whose `__dict__` holds it; None for a function wherever modules hold it.
        name: The attribute's name in that owner; unused for functions that are found by identity.
    """

    original: Any
    replacement: Any
    owner: type | ModuleType | None = None
    name: str = ""


def apply(patches: Iterable[Patch]) -> int:
    """
    Put replacements in place.

    Args:
        patches: Any number; the loaded modules are searched once for all of them.

    Returns:
        The number of places changed.
    """
    wanted = list(patches)
    for patch in wanted:
        _taken_away.pop(id(patch.replacement), None)
    return sum(_exchange([(patch, found, patch.replacement) for patch in wanted for found in _standing_for(patch)]))


def restore(patches: Iterable[Patch]) -> int:
    """
    Put originals back wherever their replacement stands; what others have put there since is left alone.

    Args:
        patches: Any number; the loaded modules are searched once for all of them.

    Returns:
        The number of places changed.
    """
    taken = list(patches)
    for patch in taken:
        _taken_away[id(patch.replacement)] = patch.replacement
    return sum(_exchange([(patch, patch.replacement, patch.original) for patch in taken]))


def original(found: Any) -> Any:
    """
    Returns:
        What a replacement has replaced that was taken away; anything else as it is.
    """
    return found.__wrapped__ if _is_taken_away(found) else found


def _is_taken_away(found: Any) -> bool:
    known = _taken_away.get(id(found))
    return known is not None and known is found and hasattr(found, "__wrapped__")


def _standing_for(patch: Patch) -> Iterator[Any]:
    """The original, and what may stand in its place again."""
    yield patch.original
    for found in list(_taken_away.values()):
        if original(found) is patch.original:
            yield found


def _exchange(orders: list[tuple[Patch, Any, Any]]) -> Iterator[int]:
    functions = {id(old): (old, new) for patch, old, new in orders if patch.owner is None}
    if functions:
        yield _exchange_in_modules(functions)
    for patch, old, new in orders:
        if patch.owner is not None and vars(patch.owner).get(patch.name) is old:
            setattr(patch.owner, patch.name, new)
            yield 1


def _exchange_in_modules(functions: dict[int, tuple[Any, Any]]) -> int:
    """Objects are looked up by identity: comparing them could run somebody's `__eq__`. Orders keep them alive."""
    places = native.holders(list(_namespaces()), [old for old, _ in functions.values()])
    for namespace, name, value in places:
        namespace[name] = functions[id(value)][1]
    return len(places)


def _namespaces() -> Iterator[dict[str, Any]]:
    """The namespace of every loaded module, once: a module may be registered under several names."""
    seen: set[int] = set()
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType) and id(module) not in seen:
            seen.add(id(module))
            yield module.__dict__


def held(module: ModuleType | None, name: str) -> tuple[type | None, str, Any]:
    """
    Find what stands under a dotted name of a module.

    Args:
        module: None while it is not loaded.
        name: A function's name, or `Class.method` for one that a class of that module holds itself.

    Returns:
        The class, or None for a function; the last part of the name; and the object in that very namespace, or None. A
        replacement that was taken away is what it replaced.
    """
    owner_name, _, attribute = name.rpartition(".")
    holder: Any = getattr(module, owner_name, None) if owner_name else module
    found = None if holder is None else vars(holder).get(attribute)
    return (holder if owner_name else None), attribute, original(found)


def owner_of(cls: type, name: str) -> type | None:
    """
    Find the class that defines a method.

    Args:
        cls: The class a caller sees.
        name: The method's name.

    Returns:
        The first class in the method resolution order whose own `__dict__` holds it; None when it is found another way,
        as by a metaclass.
    """
    return next((candidate for candidate in cls.__mro__ if name in vars(candidate)), None)
