"""
Which names a reference asks for when it runs, told from its bytecode.

A candidate reproduces what stands under those names. When somebody has put an object of his own under one of them, the
control would use it and the candidate would not, so the names are what a guard has to watch. They follow from the
sources that the fingerprint covers, whatever release is loaded.
"""

from __future__ import annotations

import functools
import inspect
import sys
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Dict, FrozenSet, Iterable, Iterator, List, Tuple, Union

from fast_litellm.accel.patching import held

if TYPE_CHECKING:
    from fast_litellm.accel.fingerprint import Source

Place = Tuple[Union[Dict[str, Any], type], str]
"""A namespace, or a class, and a name in it."""


def places(sources: Tuple[Source, ...], entry: str, beyond: FrozenSet[str] = frozenset()) -> List[Place]:
    """
    Follow the calls of a reference through the modules of its sources.

    A global name that stands for a module counts with those of its attributes that the code asks for, except for
    LiteLLM's own package, whose attributes are settings that candidates read on every call.

    Args:
        sources: The parts of the reference; the first is the module of the control. Functions that others name are
            followed too.
        entry: The control's name; `Class.method` for one that a class holds.
        beyond: Functions that are watched but not followed, because a candidate declines every call that reaches them.

    Returns:
        Every place once, in the order it was found; the control's own is not among them.
    """
    modules = [vars(sys.modules[source.module]) for source in sources if source.module in sys.modules]
    owner, attribute, control = held(sys.modules[sources[0].module], entry)
    own = modules[0] if owner is None else owner
    search = _Search(modules, beyond)
    search.functions(control)
    for source in sources:
        namespace = vars(sys.modules[source.module]) if source.module in sys.modules else {}
        search.follow(namespace, source.names)
    return [place for place in search.found.values() if not (place[0] is own and place[1] == attribute)]


def methods(owner: type) -> FrozenSet[str]:
    """
    Returns:
        The names of a class's methods, also of those it inherits. An instance that has one of them itself was given it
        by somebody, who expects to see it called.
    """
    of_no_instance = (classmethod, staticmethod)
    return frozenset(
        name
        for kind in owner.__mro__
        for name, it in vars(kind).items()
        if callable(it) or isinstance(it, of_no_instance)
    )


class _Search:
    """
    One walk over namespaces.

    Args:
        inside: The namespaces whose functions are followed.
        beyond: The names of functions that are not.
    """

    def __init__(self, inside: List[Dict[str, Any]], beyond: FrozenSet[str]) -> None:
        self.found: Dict[Tuple[int, str], Place] = {}
        self._inside = {id(namespace) for namespace in inside}
        self._beyond = beyond

    def follow(self, namespace: Dict[str, Any], names: Iterable[str]) -> None:
        """Notes those names that a namespace has, and what stands under them asks for in turn."""
        for name in names:
            owner, _, method = name.rpartition(".")
            if owner:
                self._method(namespace.get(owner), method)
            elif name in namespace and (id(namespace), name) not in self.found:
                self.found[id(namespace), name] = (namespace, name)
                if name not in self._beyond:
                    self.functions(namespace[name])

    def functions(self, value: Any) -> None:
        """Follows a function, or the methods of a class."""
        if isinstance(value, type):
            self._methods(value)
        function = inspect.unwrap(value) if callable(value) else value
        if isinstance(function, FunctionType) and id(function.__globals__) in self._inside:
            names = list(_names(function.__code__))
            self.follow(function.__globals__, names)
            for name in names:
                self._imported(name, names)
                self._attributes(function.__globals__.get(name), names)

    def _methods(self, owner: type) -> None:
        for name in list(vars(owner)):
            self._method(owner, name)

    def _method(self, owner: Any, name: str) -> None:
        """Notes and follows what a class holds itself."""
        held = vars(owner).get(name) if isinstance(owner, type) else None
        written = [it for it in _functions(held) if id(it.__globals__) in self._inside]
        if written and (id(owner), name) not in self.found:
            self.found[id(owner), name] = (owner, name)
            for function in written:
                self.functions(function)

    def _imported(self, name: str, names: List[str]) -> None:
        """A function that imports from a module when it runs has the module's name among its own."""
        namespace = vars(sys.modules[name]) if name in sys.modules else {}
        if id(namespace) in self._inside:
            self.follow(namespace, names)

    def _attributes(self, module: Any, names: List[str]) -> None:
        if isinstance(module, ModuleType) and module.__name__ != "litellm":
            self.follow(vars(module), names)


def _functions(held: Any) -> List[FunctionType]:
    """The written functions of a method, be it of instances, of the class or of neither, or of a property."""
    parts: Tuple[Any, ...] = (getattr(held, "__func__", held),)
    if isinstance(held, property):
        parts = (held.fget, held.fset, held.fdel)
    elif isinstance(held, functools.cached_property):
        parts = (held.func,)
    return [it for it in parts if type(it) is FunctionType and _is_written(it)]


def _is_written(function: FunctionType) -> bool:
    """Whether it has a place in a file; what a dataclass makes for itself has none."""
    return not function.__code__.co_filename.startswith("<")


def _names(code: CodeType) -> Iterator[str]:
    """The names that a function and the functions inside it look up: globals and attributes alike."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
