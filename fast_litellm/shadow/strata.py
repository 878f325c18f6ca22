"""
Which calls are compared when there is not processor time enough for all: rare shapes first.

It is decided from a call's shape, a running number and the budget, before either side has run, so that what is found
cannot depend on what was looked for. While there is time enough, every call is taken.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from typing import Dict

FULL = 256
"""So many calls of each shape are taken whatever the pressure; as many prove a pair of values with its bound."""

COMFORT = 1 / 2
"""While so much of the budget is left, every call is taken."""
_MAX_SHAPES = 1_024
_SCALE = 1 << 64


class Strata:
    """
    Samples the calls of one feature in one process.

    Args:
        salt: Of its own, so that no other choice of calls goes with this one.
    """

    def __init__(self, salt: bytes = b"") -> None:
        self._salt = salt or os.urandom(16)
        self._seen: Dict[int, int] = {}
        self._total = 0

    def takes(self, shape: int, ease: float) -> bool:
        """
        Decide about a call.

        Args:
            shape: Of its arguments.
            ease: The share of the budget that is left, in [0, 1].

        Returns:
            Whether it is to be compared.
        """
        if ease >= COMFORT:
            return True
        seen = self._count(shape)
        return seen <= FULL or self._draws(self.share(shape, ease))

    def share(self, shape: int, ease: float) -> float:
        """
        Returns:
            Of the calls of a shape that has been seen often, how many are taken: the fewer the commoner it is.
        """
        commonness = self._seen.get(shape, 0) * len(self._seen) / max(self._total, 1)
        return float(min(1.0, max(0.0, ease) / COMFORT) ** commonness)

    def _count(self, shape: int) -> int:
        """Shapes beyond what can be remembered are rare."""
        seen = self._seen.get(shape, 0) + 1
        if seen > 1 or len(self._seen) < _MAX_SHAPES:
            self._seen[shape] = seen
            self._total += 1
        return seen

    def _draws(self, share: float) -> bool:
        number = self._total.to_bytes(8, "little")
        drawn = blake2b(number, digest_size=8, key=self._salt).digest()
        return int.from_bytes(drawn, "little") < share * _SCALE
