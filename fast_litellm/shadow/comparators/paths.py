r"""
Paths into plain values, as comparators are told them.

    $                     the whole value
    $.usage               the dict's value under the key "usage"
    $["odd key"]          the same for any key, written as a JSON string
    $.*                   the dict's value under any key
    $.choices[0]          an item of a list or tuple
    $.choices[*]          any item
    $.choices[*].message  and so on

Members of a set, and dict keys that are no text, have no path of their own.
"""

from __future__ import annotations

import json
import re
from typing import Any, List, Optional, Tuple

from fast_litellm.shadow.comparators.difference import Item, Key

ANY_KEY = Key(Ellipsis)
"""The step `.*`. An ellipsis is no plain value, so no dict has it for a key."""

Steps = Tuple[Any, ...]
_STEP = re.compile(r'\.(?P<name>[A-Za-z_][\w-]*|\*)|\[(?P<index>\d+|\*)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')


def parse(path: str) -> Steps:
    """
    Args:
        path: Such as `$.choices[*].message`.

    Returns:
        Its steps: `Item(None)` is any item, `ANY_KEY` any key.

    Raises:
        ValueError: It is no path; the message names the column.
    """
    if not path.startswith("$"):
        raise ValueError(f"a path begins with $, got {path!r}\n    hint: $ is the whole value, $.usage a key of it")
    steps: List[Any] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            hint = 'a step is .name, .*, ["any key"], [0] or [*]'
            raise ValueError(f"{path!r} is no path from column {position + 1} on\n    hint: {hint}")
        steps.append(_step(match))
        position = match.end()
    return tuple(steps)


def covers(pattern: Any, step: Any) -> bool:
    """
    Args:
        pattern: A step of a path that may be any item or any key.
        step: A step.

    Returns:
        Whether the step is one of those the pattern stands for.
    """
    if type(pattern) is not type(step):
        return False
    return pattern in (ANY_KEY, Item(None)) or _same(pattern, step)


def first_overlap(paths: List[Tuple[str, Steps]]) -> Optional[Tuple[str, str]]:
    """
    Returns:
        Two paths of which the second would never be looked at, because the first leads to something above it, or comes
        earlier and leads to the same; None when there are none such.
    """
    for rank, (above, upper) in enumerate(paths):
        for other_rank, (below, lower) in enumerate(paths):
            hides = len(upper) < len(lower) or (len(upper) == len(lower) and rank < other_rank)
            if hides and all(map(covers, upper, lower)):
                return above, below
    return None


def _step(match: re.Match[str]) -> Any:
    name, index, quoted = match.group("name", "index", "quoted")
    if index is not None:
        return Item(None if index == "*" else int(index))
    return ANY_KEY if name == "*" else Key(json.loads(quoted) if name is None else name)


def _same(pattern: Any, step: Any) -> bool:
    if isinstance(pattern, Item):
        return bool(pattern.index == step.index)
    return type(step.key) is str and bool(pattern.key == step.key)
