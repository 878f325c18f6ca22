"""
Rules from memory to a tree of nodes, so that they are checked exactly as a file is.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Dict, Mapping

from fast_litellm.flags.nodes import DEPTH_LIMIT, Entry, Node, child

if TYPE_CHECKING:
    from fast_litellm.flags.nodes import Findings

_NODE_LIMIT = 500_000  # lists that contain each other many times grow without end; a rule file of 4 MiB stays below


class Converter:
    """
    Turns plain Python objects into nodes.

    Args:
        findings: Where problems are noted.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._left = _NODE_LIMIT

    def node(self, value: Any, path: str = "", depth: int = 0) -> Node:
        """Returns the tree of a value; what rules cannot contain is noted and read as nothing."""
        self._left -= 1
        if depth > DEPTH_LIMIT or self._left < 0:
            self._refuse(path, f"expected at most {DEPTH_LIMIT} levels and {_NODE_LIMIT} values, got more")
            return Node(None, path)
        if isinstance(value, Mapping):
            return Node(self._mapping(value, path, depth), path)
        if isinstance(value, (list, tuple)):
            return Node([self.node(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)], path)
        return self._scalar(value, path)

    def _mapping(self, value: Mapping[Any, Any], path: str, depth: int) -> Dict[str, Entry]:
        entries: Dict[str, Entry] = {}
        for key, item in value.items():
            if isinstance(key, str):
                entries[key] = Entry(Node(key, path, text=key), self.node(item, child(path, key), depth + 1))
            else:
                self._refuse(path, f"expected a name as key, got {_described(key)}")
        return entries

    def _scalar(self, value: Any, path: str) -> Node:
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return Node(value.isoformat(), path, text=value.isoformat())
        if value is None or isinstance(value, (bool, str)):
            return Node(value, path, text=str(value) if isinstance(value, str) else str(value).lower())
        if isinstance(value, int):
            return Node(value, path, text=str(value) if value.bit_length() <= 64 else "a number beyond 64 bits")  # noqa: PLR2004
        if isinstance(value, float):
            return Node(value, path, text=f"{Decimal(repr(value)):f}")
        self._refuse(path, f"expected a plain value, got {_described(value)}")
        return Node(None, path)

    def _refuse(self, path: str, message: str) -> None:
        if self._left >= -1:  # once too large, once said
            self._findings.add(Node(None, path), message)


def _described(value: Any) -> str:
    return f"an object of the type {type(value).__name__}"
