"""
A rule file as a tree in which everything knows where it was written, and the list of what is wrong with it.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Tuple, Union

from fast_litellm.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

DEPTH_LIMIT = 32
"""How deeply lists and mappings may nest. Real rules need about ten levels."""

_SHOWN_CHARACTERS = 60


class Node(NamedTuple):
    """
    A value and its place.

    Args:
        value: A scalar, a list of nodes, or a mapping of names to entries.
        path: Where it is in the tree, such as "flags.token_counting.rules[0]".
        line: 1-based, 0 for rules from memory.
        column: 1-based, 0 for rules from memory.
        text: A scalar as it was written.
    """

    value: Union[bool, int, float, str, List[Node], Dict[str, Entry], None]
    path: str
    line: int = 0
    column: int = 0
    text: str = ""

    def __str__(self) -> str:
        if isinstance(self.value, dict):
            return "a mapping"
        if isinstance(self.value, list):
            return "a list"
        if self.value is None:
            return "nothing"
        shown = self.text if len(self.text) <= _SHOWN_CHARACTERS else self.text[:_SHOWN_CHARACTERS] + "..."
        return f'the text "{shown}"' if isinstance(self.value, str) else shown


class Entry(NamedTuple):
    """One pair of a mapping."""

    key: Node
    value: Node


class Findings:
    """
    Collects every problem of one file.

    Args:
        file: How the file is named in the problems.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self._problems: List[Problem] = []

    def add(self, node: Node, message: str, hint: str = "") -> None:
        """Notes a problem at a node."""
        where = f"{node.path}: " if node.path else ""
        self._problems.append(Problem(self.file, node.line, node.column, where + message, hint))

    def expected(self, node: Node, wanted: str, hint: str = "") -> None:
        """Notes that a node is not what it should be."""
        self.add(node, f"expected {wanted}, got {node}", hint)

    def sorted(self) -> Tuple[Problem, ...]:
        """Returns the problems in the order of the file."""
        return tuple(sorted(self._problems, key=lambda problem: (problem.line, problem.column)))


def child(path: str, key: str) -> str:
    """Returns the path of an entry of a mapping."""
    return f"{path}.{key}" if path else key


def nearest(word: str, allowed: Iterable[str]) -> str:
    """Returns a hint that names the allowed word most like this one; empty when none is."""
    close = difflib.get_close_matches(word.lower(), list(allowed), n=1)
    return f'did you mean "{close[0]}"?' if close else ""
