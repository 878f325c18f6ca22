"""
Numbers that may differ a little.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, FrozenSet, Hashable, Optional, Tuple

from fast_litellm.shadow.comparators.exact import NEVER_CONTENT, equal
from fast_litellm.shadow.comparators.matching import HasNoKey
from fast_litellm.shadow.comparators.structure import Structure, identity


@dataclass(frozen=True)
class Tolerance(Structure):
    """
    Like `exact`, but two ints or two floats are equal when they are near enough by one of the limits.

    Types are still identical: 1 is not 1.0, and a bool is no number. Infinity is near to nothing but itself, NaN equals
    NaN, and -0.0 is at no distance from 0.0. Distances are computed exactly, whatever the size of an int.

    Args:
        absolute: How far apart two numbers may be.
        relative: The same, as a share of the larger magnitude.
        ulp: How many representable floats further; it means nothing for ints.
        safe_types: Types whose values are never content, such as float where the values are costs.
        known_keys: Dict keys that may be shown in paths.

    Raises:
        ValueError: A limit is negative or not finite.
    """

    absolute: float = 0
    relative: float = 0
    ulp: int = 0
    safe_types: Tuple[type, ...] = NEVER_CONTENT
    known_keys: FrozenSet[str] = frozenset()
    takes_snapshots = True

    def __post_init__(self) -> None:
        for limit in ("absolute", "relative", "ulp"):
            if not 0 <= getattr(self, limit) < math.inf:
                raise ValueError(f"{limit} must be finite and not negative, got {getattr(self, limit)}")

    @property
    def name(self) -> str:
        """Its limits and its version."""
        limits = [(limit, getattr(self, limit)) for limit in ("absolute", "relative", "ulp")]
        return f"tolerance({','.join(f'{limit}={value!r}' for limit, value in limits if value)})/1"

    def scalars(self, control: Any, candidate: Any) -> Optional[str]:
        """
        Returns:
            "tolerance" for numbers too far apart, "value" for anything else that differs, or None.

        Raises:
            TypeError: The type is not plain.
        """
        if equal(control, candidate):
            return None
        if type(control) not in (int, float):
            return "value"
        return None if self._is_near(control, candidate) else "tolerance"

    def scalar_key(self, value: Any) -> Hashable:
        """
        Returns:
            A stand-in for everything but numbers.

        Raises:
            HasNoKey: Of a number: nearness is not passed on from one to the next.
        """
        if type(value) in (int, float):
            raise HasNoKey
        return identity(value)

    def _is_near(self, control: Any, candidate: Any) -> bool:
        if not (_is_finite(control) and _is_finite(candidate)):
            return False
        one, other = Fraction(control), Fraction(candidate)
        apart = abs(one - other)
        if apart <= max(Fraction(self.absolute), Fraction(self.relative) * max(abs(one), abs(other))):
            return True
        return type(control) is float and ulps(control, candidate) <= self.ulp


def ulps(control: float, candidate: float) -> int:
    """
    Args:
        control: A finite float.
        candidate: Another.

    Returns:
        How many representable floats lie from one to the other; none from -0.0 to 0.0.
    """
    return abs(_rank(control) - _rank(candidate))


def tolerance(*, absolute: float = 0, relative: float = 0, ulp: int = 0) -> Tolerance:
    """
    Returns:
        `exact` for everything but numbers, which may differ by any one of the limits; see `Tolerance`.
    """
    return Tolerance(absolute, relative, ulp)


def _is_finite(number: Any) -> bool:
    return type(number) is int or math.isfinite(number)


def _rank(number: float) -> int:
    """The position of a float among all floats: IEEE 754's bits are in order, apart from the sign."""
    bits: int = struct.unpack("<q", struct.pack("<d", number))[0]
    return bits if bits >= 0 else -(bits + 2**63)
