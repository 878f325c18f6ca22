"""
What becomes of a call of which nothing is known but its shape, where the control takes more than plain values.

Each value among its arguments, and each piece of a text, stands for one part of what the control works on, and all of
that part follows from it alone. So a call can be made smaller piece by piece, and what is left stays as it was.
"""

from __future__ import annotations

import re
import zlib
from itertools import islice
from random import Random
from typing import Any, Iterator, List

from fast_litellm.shadow.candidate import Call

_PIECE = re.compile(r".{1,8}", re.DOTALL)
_MOST = 200
"""Parts of one call; more of them would say nothing new."""


def dice(call: Call) -> List[Random]:
    """
    Args:
        call: Made up, with anything as arguments.

    Returns:
        Where each part is drawn from.
    """
    values = islice(_values((call[0], call[1])), _MOST)
    return [Random(zlib.crc32(repr(value).encode())) for value in values]  # noqa: S311 - no secret


def _values(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (list, tuple, set)):
        for item in value:
            yield from _values(item)
    elif isinstance(value, str):
        yield from _PIECE.findall(value)
    else:
        yield value
