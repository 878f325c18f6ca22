"""
Replacing functions everywhere they are held, and putting the identical objects back.

A function that modules import by name (`from litellm import token_counter`) lives in many namespaces. Replacing it
means finding every loaded module that holds that very object. Classes are never replaced: a method is exchanged in
the `__dict__` of the class that defines it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Patch:
    """
    One replacement in force.

    Args:
        original: The object found at the seam.
        replacement: The object that stands there instead.
        owner: The class whose `__dict__` holds it, or None for a module-level function.
        name: The attribute's name in that class; unused for functions, which are found by identity.
    """

    original: Any
    replacement: Any
    owner: type | None = None
    name: str = ""

    def apply(self) -> int:
        """Puts the replacement in place; returns the number of places changed."""
        return self._exchange(self.original, self.replacement)

    def restore(self) -> int:
        """Puts the original back wherever the replacement stands; returns the number of places changed."""
        return self._exchange(self.replacement, self.original)

    def _exchange(self, old: Any, new: Any) -> int:
        if self.owner is None:
            return _exchange_in_modules(old, new)
        if vars(self.owner).get(self.name) is not old:
            return 0
        setattr(self.owner, self.name, new)
        return 1


def _exchange_in_modules(old: Any, new: Any) -> int:
    places = [(namespace, name) for namespace in _namespaces() for name, value in _items(namespace) if value is old]
    for namespace, name in places:
        namespace[name] = new
    return len(places)


def _namespaces() -> Iterator[dict[str, Any]]:
    """The namespace of every loaded module, once: a module may be registered under several names."""
    seen: set[int] = set()
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType) and id(module) not in seen:
            seen.add(id(module))
            yield module.__dict__


def _items(namespace: dict[str, Any]) -> list[tuple[str, Any]]:
    # list() of a dict is one step for the interpreter, so an import running in another thread cannot change it
    # meanwhile.
    return list(namespace.items())


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
