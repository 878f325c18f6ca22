"""
The OpenAI SDK's parameter types, compiled into the nodes by which the native transformer walks a request body.

The reference applies the members of a union one after the other, and each copies the dicts and lists that it describes.
For plain values that is one walk which copies what any member describes, as long as no member renames a key. So a node
stands for a set of types that all describe the same place.
"""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Iterator, List, Mapping, Optional, Tuple

from fast_litellm.errors import Declined

Node = Tuple[Optional[Dict[str, int]], Optional[int], bool, Optional[int]]
_NOTHING_DESCRIBED: Node = (None, None, False, None)


class RequestTypes:
    """
    Compiles types, each once.

    Args:
        reference: The loaded module `openai._utils._transform`, whose own functions say what a type is.
    """

    def __init__(self, reference: Any) -> None:
        self.nodes: List[Node] = [_NOTHING_DESCRIBED]
        self._reference = reference
        self._indices: Dict[FrozenSet[Any], int] = {frozenset(): 0}

    def index(self, expected: Any) -> int:
        """
        Args:
            expected: A type as the SDK passes it.

        Returns:
            The node that a body of that type is at.

        Raises:
            Declined: "request_type": the type renames keys, or is not one the reference itself could follow.
        """
        known = len(self.nodes)
        try:
            return self._node(frozenset(self._members(expected)))
        except (Declined, IndexError, NameError, TypeError):
            del self.nodes[known:]  # half a type must not be taken for one
            self._indices = {members: index for members, index in self._indices.items() if index < known}
            raise Declined("request_type") from None

    def _members(self, annotation: Any) -> Iterator[Any]:
        """The types of a union, or the type itself, without what describes no parts."""
        stripped = self._reference.strip_annotated_type(annotation)
        if self._reference.is_union_type(stripped):
            for member in self._reference.get_args(stripped):
                yield from self._members(member)
        elif self._is_typed_dict(stripped) or self._is_dict(stripped) or self._is_list(stripped):
            yield stripped

    def _node(self, members: FrozenSet[Any]) -> int:
        found = self._indices.get(members)
        if found is None:
            found = self._indices[members] = len(self.nodes)
            self.nodes.append(_NOTHING_DESCRIBED)  # its place, should it describe itself
            self.nodes[found] = self._compiled(members)
        return found

    def _compiled(self, members: FrozenSet[Any]) -> Node:
        typed = [self._fields(member) for member in members if self._is_typed_dict(member)]
        anything = [self._argument(member, 1) for member in members if self._is_dict(member)]
        items = [
            it
            for it in (self._argument(member, 0) for member in members if self._is_list(member))
            if it not in (int, float)
        ]
        named = None
        if typed or anything:
            keys = {key for fields in typed for key in fields}
            named = {key: self._union([fields[key] for fields in typed if key in fields] + anything) for key in keys}
        others = self._union(anything) if anything else None
        return named, others, bool(typed), self._union(items) if items else None

    def _union(self, annotations: List[Any]) -> int:
        return self._node(frozenset(member for annotation in annotations for member in self._members(annotation)))

    def _fields(self, typed_dict: Any) -> Mapping[str, Any]:
        fields: Mapping[str, Any] = self._reference.get_type_hints(typed_dict, include_extras=True)
        if any(self._reference._maybe_transform_key(key, hint) != key for key, hint in fields.items()):
            raise Declined("request_type")
        return fields

    def _argument(self, annotation: Any, index: int) -> Any:
        return self._reference.get_args(annotation)[index]

    def _is_typed_dict(self, annotation: Any) -> bool:
        return bool(self._reference.is_typeddict(annotation))

    def _is_dict(self, annotation: Any) -> bool:
        return (self._reference.get_origin(annotation) or annotation) is dict

    def _is_list(self, annotation: Any) -> bool:
        reference = self._reference
        kinds = (reference.is_list_type, reference.is_iterable_type, reference.is_sequence_type)
        return any(is_kind(annotation) for is_kind in kinds)
