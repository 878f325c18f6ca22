"""
Plain values as text that Python reads, and back, without running anything.
"""

from __future__ import annotations

import ast
from typing import Any

from fast_litellm.shadow import comparators


def write(value: Any) -> str:
    """
    Args:
        value: None, booleans, numbers, text, bytes, and lists, tuples, dicts and sets of them.

    Returns:
        A literal: `read` makes an equal value of the same types of it.

    Raises:
        ValueError: There is none: something in it is of another type, or is not a number.
    """
    literal = repr(value)
    try:
        is_same = comparators.exact(value, read(literal)) is None
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        is_same = False
    if not is_same:
        raise ValueError("a value of this type has no literal")
    return literal


def read(literal: str) -> Any:
    """
    Returns:
        The value.

    Raises:
        SyntaxError: It is no literal.
        ValueError: As above.
    """
    return ast.literal_eval(literal)
