"""
Which reference source is installed, told by its text.

A candidate is the equal of one known source of the control. The fingerprint is the SHA-256 of that source: whole
files where a seam depends on most of a module, single functions where it depends on a few. A text that is not in the
table means an unknown reference, and the seam stays Python (invariant 8).
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import linecache
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Tuple

from fast_litellm.shadow.source import meaning

_FUNCTION = re.compile(r"^(?:async )?def (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """
    A part of the reference that a candidate reproduces.

    Args:
        module: The module's dotted name.
        names: Functions, methods (`Class.method`) and typed dictionaries of that module; empty means the whole file. A
            name that the installed version does not define is part of the fingerprint as absent.
    """

    module: str
    names: Tuple[str, ...] = ()


def fingerprint(sources: tuple[Source, ...]) -> Optional[str]:
    """
    Hash the installed text of a seam's reference.

    Args:
        sources: The parts, in a fixed order.

    Returns:
        The first 16 hexadecimal digits of the SHA-256, or None when a part has no readable source or is not what its
        source says, because a function has been replaced.
    """
    digest = hashlib.sha256()
    for source in sources:
        text = _text(source)
        if text is None:
            return None
        digest.update(f"{source.module}\0{text}\0".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def of_code(function: Any) -> Optional[str]:
    """Returns the fingerprint of what one function does, source or no source; None when it is not written in Python."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return None if code is None else hashlib.sha256(meaning(code).encode()).hexdigest()[:16]


def _text(source: Source) -> Optional[str]:
    try:
        module = importlib.import_module(source.module)
    except ImportError:
        return "absent"  # another version split the file out, or asks for what is not there: as telling as its text
    if not source.names:
        text = _file_text(module.__file__)
        return text if text is not None and _holds_its_own_functions(module, text) else None
    parts = [_definition_text(module, name) for name in source.names]
    return None if None in parts else "\0".join(part or "" for part in parts)


def _file_text(path: Optional[str]) -> Optional[str]:
    try:
        return None if path is None else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _holds_its_own_functions(module: Any, text: str) -> bool:
    """A file says nothing of a module in which somebody has put other functions in place of the file's."""
    return all(_file_of(getattr(module, name, None)) == module.__file__ for name in _FUNCTION.findall(text))


def _file_of(function: Any) -> Optional[str]:
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    return None if code is None else str(code.co_filename)


def _definition_text(module: Any, name: str) -> Optional[str]:
    definition = functools.reduce(lambda holder, part: getattr(holder, part, None), name.split("."), module)
    if definition is None:
        return f"{name} absent"
    if isinstance(definition, type):
        return f"{name} {' '.join(getattr(definition, '__annotations__', {}))}"
    return _code_text(definition)


def _code_text(function: Any) -> Optional[str]:
    """As `inspect.getsource` has it, which looks through all loaded modules for the file that the code itself names."""
    found = inspect.unwrap(function)
    code = getattr(found, "__code__", None)
    if code is None:
        return None
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, found.__globals__)[code.co_firstlineno - 1 :]
    return "".join(inspect.getblock(lines)) if lines else None
