"""
What an unquoted word in YAML 1.2 means (its core schema): `on`, `off`, `yes`, `no` and dates are text.

PyYAML resolves words by YAML 1.1, where `on: ...` is a mapping with the key True, so it is only asked for
the structure.
"""

from __future__ import annotations

import re
from typing import Union

_WORDS = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"]),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NUMERIC = frozenset("+-.0123456789")
_LONGEST = 400  # characters; Python limits how many digits it converts, and a double needs fewer
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")


def resolve(text: str) -> Union[bool, int, float, str, None]:
    """Returns the value of an unquoted word."""
    if text[:1] not in _NUMERIC or len(text) > _LONGEST:
        return _WORDS.get(text, text)
    if _INTEGER.match(text):
        return int(text)
    if _OCTAL.match(text) or _HEXADECIMAL.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        return float(text)
    return float(text.replace(".", "", 1)) if _INFINITE.match(text) else text
