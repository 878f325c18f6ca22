"""
The OpenAI SDK's response types, compiled into the places by which the native constructor walks a response.

The reference finds out what a type is for every value again. Here that is done once for each class, from the same field
table and with the reference's own functions. What a place's type does not settle alone is left to the reference: a
value of a union that is no plain member of it, dates, types that are no types, and classes with code of their own.
"""

from __future__ import annotations

import inspect
from typing import Any, Callable, Dict, List, Optional, Tuple

Field = Tuple[str, str, bool, Any, int]
Node = Tuple[str, Optional[int], List[type], Optional[Callable[[Any], Any]], List[Field]]

_PLAIN: Node = ("plain", None, [], None, [])
_FLOAT: Node = ("float", None, [], None, [])
_SCALARS = (str, int, float, bool, type(None))


class ResponseTypes:
    """
    Compiles classes, each once.

    Args:
        reference: The loaded module `openai._models`, whose own functions say what a type is.
    """

    def __init__(self, reference: Any) -> None:
        self.nodes: List[Node] = []
        self._reference = reference
        self._indices: Dict[type, int] = {}

    def index(self, cls: type) -> Optional[int]:
        """
        Args:
            cls: A class of responses.

        Returns:
            The place that a response of that class is at; None when its objects are not made as the SDK makes its own.
        """
        return self._class(cls) if self._is_constructed(cls) else None

    @property
    def classes(self) -> List[type]:
        """Those of which objects are made."""
        return list(self._indices)

    def _place(self, annotation: Any, metadata: Tuple[Any, ...] = ()) -> int:
        node = self._compiled(annotation, metadata)
        if isinstance(node, int):
            return node
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _compiled(self, annotation: Any, metadata: Tuple[Any, ...]) -> Node | int:
        """In the reference's order: what it would ask first is asked first."""
        reference = self._reference
        if reference.is_type_alias_type(annotation):
            return self._asked(annotation, metadata)
        stripped = annotation
        if not metadata and reference.is_annotated_type(annotation):
            stripped = reference.extract_type_arg(annotation, 0)
        origin, arguments = reference.get_origin(stripped) or stripped, reference.get_args(stripped)
        if reference.is_union(origin):
            return self._asked(annotation, metadata, self._passed(arguments))
        if origin in (dict, list):
            return self._container(origin, arguments) or self._asked(annotation, metadata)
        if not reference.is_literal_type(stripped) and _is_class(origin, reference.BaseModel):
            return self._class(stripped) if self._is_constructed(stripped) else self._asked(annotation, metadata)
        if origin is float:
            return _FLOAT
        return _PLAIN if _is_passed_on(origin) else self._asked(annotation, metadata)

    def _container(self, origin: Any, arguments: Tuple[Any, ...]) -> Optional[Node]:
        """One that does not say what it holds is an error, which is the reference's to raise."""
        if len(arguments) != (2 if origin is dict else 1):
            return None
        return origin.__name__, self._place(arguments[-1]), [], None, []

    def _class(self, cls: type) -> int:
        found = self._indices.get(cls)
        if found is None:
            found = self._indices[cls] = len(self.nodes)
            self.nodes.append(_PLAIN)  # its place, should it hold itself
            extras = self._reference._get_extra_fields_type(cls)  # builds a class that has waited for its first use
            fields = None if extras is not None else self._fields(cls)
            self.nodes[found] = self._asked(cls, ()) if fields is None else ("model", None, [cls], None, fields)
        return found

    def _fields(self, cls: type) -> Optional[List[Field]]:
        """None when a field has no type, or a default that each object would have a copy of."""
        by_name = bool(self._reference.get_model_config(cls).get("populate_by_name"))
        compiled = []
        for name, field in self._reference.get_model_fields(cls).items():
            default = self._reference.field_get_default(field)
            if field.annotation is None or type(default) not in _SCALARS:
                return None
            place = self._place(field.annotation, tuple(field.metadata))
            compiled.append((name, field.alias or name, bool(field.alias) and by_name, default, place))
        return compiled

    def _is_constructed(self, cls: Any) -> bool:
        """Whether objects of a class are made by the SDK's own `construct`, without code of the class's own."""
        base = self._reference.BaseModel
        return (
            _is_class(cls, base)
            and cls.__new__ is object.__new__
            and getattr(cls.construct, "__func__", None) is base.construct.__func__
        )

    def _passed(self, members: Tuple[Any, ...]) -> List[type]:
        """The classes whose instances are what a union makes of them, whatever its other members are."""
        passed = [member for member in members if member in _SCALARS]
        if str not in passed and all(member is type(None) or self._is_words(member) for member in members):
            passed.append(str)  # a word that is none of them is passed on as well
        return passed

    def _is_words(self, member: Any) -> bool:
        is_literal = self._reference.is_literal_type(member)
        return is_literal and all(type(word) is str for word in self._reference.get_args(member))

    def _asked(self, annotation: Any, metadata: Tuple[Any, ...], passed: Optional[List[type]] = None) -> Node:
        construct = self._reference.construct_type

        def ask(value: Any) -> Any:
            return construct(value=value, type_=annotation, metadata=list(metadata))

        return "asked", None, passed or [], ask, []


def _is_class(value: Any, base: type) -> bool:
    return inspect.isclass(value) and issubclass(value, base)


def _is_passed_on(origin: Any) -> bool:
    """Whether the reference has nothing to say of a type, so that values are passed on as they are."""
    return origin in (str, int, bool, object, Any) or getattr(origin, "__name__", "") == "Literal"
