"""
Calls of which nothing is known but that they have arguments.
"""

from __future__ import annotations

from random import Random
from typing import Any, Callable, Dict, List, Mapping

from fast_litellm.shadow.candidate import Call
from fast_litellm.shadow.synthetic.text import size, text

_COUNTS = {"0": (0, 0), "1": (1, 1), "2": (2, 2), "3-4": (3, 4), "5+": (5, 7)}
_DEPTHS = {"0": 0, "1": 1, "2": 2, "3+": 3}


def call(values: Mapping[str, str], draw: Random) -> Call:
    """
    Args:
        values: A shape's values of the profile "plain".
        draw: Where the rest is drawn from.

    Returns:
        Positional arguments of these kinds, together of that size.
    """
    kinds = [kind for kind in values["kinds"].split("+") if kind not in ("-", "other")]
    count = draw.randint(*_COUNTS[values["arguments"]])
    maker = _Maker(kinds or ["none"], values["unicode"], draw)
    total = size(values["size"], draw)
    depth = _DEPTHS[values["depth"]]
    return tuple(maker.value(depth, draw.choice((total, total // count))) for _ in range(count)), {}


def _dict(items: List[Any]) -> Dict[str, Any]:
    return {chr(ord("a") + index): item for index, item in enumerate(items)}


_CONTAINERS: Dict[str, Callable[[List[Any]], Any]] = {"list": list, "tuple": tuple, "dict": _dict}


class _Maker:
    def __init__(self, kinds: List[str], unicode_class: str, draw: Random) -> None:
        self._containers = [kind for kind in kinds if kind in _CONTAINERS]
        self._leaves = [kind for kind in kinds if kind not in _CONTAINERS] or ["str"]
        self._unicode = unicode_class
        self._draw = draw

    def value(self, depth: int, share: int) -> Any:
        if self._containers and (depth or not self._draw.randrange(4)):
            return self._container(depth, share)
        return self._leaf(self._draw.choice(self._leaves), share)

    def _container(self, depth: int, share: int) -> Any:
        make = _CONTAINERS[self._draw.choice(self._containers)]
        count = self._draw.randint(min(1, share), max(1, min(share, 8)))
        left = max(0, share - count)
        return make([self.value(max(0, depth - 1), left // max(1, count)) if depth else None for _ in range(count)])

    def _leaf(self, kind: str, share: int) -> Any:
        if kind == "str":
            return text(self._unicode, share, self._draw)
        if kind in ("bytes", "set"):
            drawn = [self._draw.randrange(256) for _ in range(min(share, 4_096))]
            return bytes(drawn) if kind == "bytes" else set(drawn)
        number = self._draw.choice((0, 1, -1, self._draw.randrange(2**70), self._draw.randrange(1_000)))
        return {"bool": number % 2 == 1, "int": number, "float": number / 7}.get(kind)
