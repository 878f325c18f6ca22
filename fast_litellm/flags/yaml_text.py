"""
YAML text to a tree of nodes, with the place of everything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Dict, List, Optional

import yaml

from fast_litellm.flags import scalars
from fast_litellm.flags.nodes import DEPTH_LIMIT, Entry, Findings, Node, child

if TYPE_CHECKING:
    from collections.abc import Iterator

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _UnusableError(Exception):
    """The text cannot be read any further; the finding is already noted."""


def read(data: bytes, findings: Findings) -> Optional[Node]:
    """
    Read one YAML document.

    Args:
        data: The file's content.
        findings: Where problems are noted.

    Returns:
        The tree; None when the text is not one YAML document.
    """
    try:
        text = _decode(data, findings)
        return _Composer(text, findings).document()
    except _UnusableError:
        return None


def _decode(data: bytes, findings: Findings) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _place(data[: error.start].decode("utf-8", "replace"))
        findings.add(place, f"expected UTF-8 text, got the byte 0x{data[error.start]:02x}", "save the file as UTF-8")
        raise _UnusableError from None
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        place = _place(text[: unprintable.start()])
        findings.add(place, f"expected text, got the control character U+{ord(unprintable.group()):04X}")
        raise _UnusableError
    return text


def _place(before: str) -> Node:
    line_start = before.rfind("\n") + 1
    return Node(None, "", before.count("\n") + 1, len(before) - line_start + 1)


class _Composer:
    """Makes nodes of parser events. Aliases are refused, so the tree is never larger than the text."""

    def __init__(self, text: str, findings: Findings) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
        self._findings = findings

    def document(self) -> Node:
        self._next()  # the stream begins
        if isinstance(self._next(), yaml.StreamEndEvent):
            self._stop(Node(None, "", 1, 1), "expected a mapping with version and flags, got an empty file")
        root = self._node(self._next(), "", 0)
        self._next()  # the document ends
        after = self._next()
        if not isinstance(after, yaml.StreamEndEvent):
            self._stop(_at(after), "expected one YAML document, got a second one", "remove the line with ---")
        return root

    def _next(self) -> Any:
        try:
            return next(self._events)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Node(None, "", mark.line + 1, mark.column + 1) if mark else Node(None, "")
            context = f" ({error.context})" if error.context else ""
            self._stop(place, f"expected YAML, got broken YAML: {error.problem}{context}")
        except yaml.YAMLError:
            self._stop(Node(None, ""), "expected YAML, got text the parser cannot read")

    def _stop(self, place: Node, message: str, hint: str = "") -> Any:
        self._findings.add(place, message, hint)
        raise _UnusableError

    def _node(self, event: Any, path: str, depth: int) -> Node:
        self._refuse_extras(event, path)
        if depth > DEPTH_LIMIT:
            self._stop(_at(event), f"expected at most {DEPTH_LIMIT} levels, got more")
        if isinstance(event, yaml.MappingStartEvent):
            return _at(event, path, self._mapping(path, depth))
        if isinstance(event, yaml.SequenceStartEvent):
            return _at(event, path, self._sequence(path, depth))
        if isinstance(event, yaml.AliasEvent):
            return _at(event, path)
        value = scalars.resolve(event.value) if event.implicit[0] else event.value
        return _at(event, path, value, event.value)

    def _refuse_extras(self, event: Any, path: str) -> None:
        if event.anchor is not None:
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            self._findings.add(
                _at(event, path),
                f"expected a value, got the YAML reference {sign}{event.anchor}",
                "write the value out",
            )
        if getattr(event, "tag", None) is not None:
            self._findings.add(
                _at(event, path), f"expected a plain value, got the YAML tag {event.tag}", "remove the tag"
            )

    def _sequence(self, path: str, depth: int) -> List[Node]:
        items: List[Node] = []
        event = self._next()
        while not isinstance(event, yaml.SequenceEndEvent):
            items.append(self._node(event, f"{path}[{len(items)}]", depth + 1))
            event = self._next()
        return items

    def _mapping(self, path: str, depth: int) -> Dict[str, Entry]:
        entries: Dict[str, Entry] = {}
        event = self._next()
        while not isinstance(event, yaml.MappingEndEvent):
            key = self._node(event, path, depth + 1)
            value = self._node(self._next(), child(path, key.text), depth + 1)
            self._enter(entries, Entry(key, value))
            event = self._next()
        return entries

    def _enter(self, entries: Dict[str, Entry], entry: Entry) -> None:
        name = entry.key.value
        if not isinstance(name, str):
            self._findings.expected(entry.key, "a name as key", "put it in quotes" if isinstance(name, bool) else "")
        elif name in entries:
            first = entries[name].key.line
            self._findings.add(
                entry.key, f'expected each key once, got "{name}" again (first on line {first})', "remove one"
            )
        else:
            entries[name] = entry


def _at(event: Any, path: str = "", value: Any = None, text: str = "") -> Node:
    return Node(value, path, event.start_mark.line + 1, event.start_mark.column + 1, text)
