"""
Readers of the small things rule files are made of. Each notes what is wrong and returns None then.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Dict, List, Optional, Tuple

from fast_litellm.flags import percent
from fast_litellm.flags.nodes import Node, nearest

if TYPE_CHECKING:
    from fast_litellm.flags.nodes import Entry, Findings

NAME = re.compile(r"[a-z_][a-z0-9_]*\Z")
NAME_WANTED = "a name of lower-case letters, digits and _, not beginning with a digit"


def entries(node: Node, findings: Findings, wanted: str = "a mapping") -> Dict[str, Entry]:
    """Returns the entries of a mapping of any keys; empty when it is none."""
    if isinstance(node.value, dict):
        return node.value
    findings.expected(node, wanted, "write {} when it is to be empty" if node.value is None else "")
    return {}


def mapping(node: Node, findings: Findings, known: Tuple[str, ...]) -> Dict[str, Node]:
    """Returns the values of a mapping by key; other keys than the known ones are noted."""
    found = entries(node, findings, f"a mapping of {', '.join(known)}")
    for name, entry in found.items():
        if name not in known:
            findings.add(entry.key, f'expected one of {", ".join(known)}, got the key "{name}"', nearest(name, known))
    return {name: entry.value for name, entry in found.items() if name in known}


def named(node: Node, findings: Findings) -> Dict[str, Entry]:
    """Returns the entries of a mapping whose keys are names; the others are noted and left out."""
    found = entries(node, findings, "a mapping of names")
    for entry in found.values():
        if not NAME.match(entry.key.text):
            findings.expected(entry.key, NAME_WANTED)
    return {name: entry for name, entry in found.items() if NAME.match(name)}


def items(node: Node, findings: Findings) -> List[Node]:
    """Returns the items of a list that is not empty."""
    if not isinstance(node.value, list):
        findings.expected(node, "a list", "put it in [ ]")
        return []
    if not node.value:
        findings.add(node, "expected at least one item, got an empty list")
    return node.value


def text(node: Optional[Node], findings: Findings) -> Optional[str]:
    """Returns a text that is not empty; an absent node stays absent."""
    if node is None:
        return None
    if isinstance(node.value, str) and node.value and is_unicode(node.value):
        return node.value
    number = isinstance(node.value, (int, float))
    findings.expected(node, "a text that is not empty", "put it in quotes" if number else "")
    return None


def boolean(node: Node, findings: Findings) -> Optional[bool]:
    """Returns a truth value."""
    if isinstance(node.value, bool):
        return node.value
    findings.expected(node, "true or false")
    return None


def choice(node: Optional[Node], findings: Findings, allowed: Tuple[str, ...]) -> Optional[str]:
    """Returns one of the allowed words; an absent node stays absent."""
    if node is None:
        return None
    if isinstance(node.value, str) and node.value in allowed:
        return node.value
    findings.expected(node, f"one of {', '.join(allowed)}", nearest(node.text, allowed))
    return None


def attribute(node: Optional[Node], findings: Findings) -> Optional[str]:
    """Returns the name of an attribute, dotted when it is nested; an absent node stays absent."""
    name = text(node, findings)
    if node is not None and name is not None and "" in name.split("."):
        findings.expected(node, "an attribute such as team or org.tier")
        return None
    return name


def percentage(node: Optional[Node], findings: Findings, default: int) -> int:
    """Returns millionths; the default when the node is absent or no percentage."""
    value = percent.millionths(node, findings) if node is not None else default
    return default if value is None else value


def required(node: Node, found: Dict[str, Node], name: str, findings: Findings) -> Optional[Node]:
    """Returns the value of a key that must be there."""
    if name not in found and isinstance(node.value, dict):
        findings.add(node, f'expected the key "{name}", got none')
    return found.get(name)


def is_unicode(value: str) -> bool:
    """Whether a text can leave the process; lone surrogates cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in value)
