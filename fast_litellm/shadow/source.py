"""
Names for functions that change when their code does.
"""

from __future__ import annotations

import hashlib
import inspect
from types import CodeType
from typing import Any

_DIGITS = 8


def name(function: Any) -> str:
    """
    Returns:
        The function's qualified name with a digest of its code, such as `near@1f77104c`.
    """
    code = getattr(inspect.unwrap(function), "__code__", None)
    digest = "native" if code is None else hashlib.sha256(meaning(code).encode("utf-8", "replace")).hexdigest()
    return f"{getattr(function, '__qualname__', type(function).__qualname__)}@{digest[:_DIGITS]}"


def meaning(code: CodeType) -> str:
    """
    Returns:
        Instructions, names and constants, but no place in a file: moving a function does not change it.
    """
    constants = [meaning(it) if isinstance(it, CodeType) else _constant(it) for it in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {constants}"


def _constant(value: object) -> str:
    # The order of a set of text depends on the process.
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)
