"""
Equal values of identical types.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, FrozenSet, Optional, Tuple

from fast_litellm.shadow import engine
from fast_litellm.shadow.comparators.difference import Difference
from fast_litellm.shadow.comparators.structure import SCALARS, Structure

NEVER_CONTENT: Tuple[type, ...] = (bool, type(None))


@dataclass(frozen=True)
class Exact(Structure):
    """
    The strictest comparator there is.

    Types must be identical, so 1, True and 1.0 are three different values. NaN equals NaN, and -0.0 differs from 0.0.
    The order of a list or tuple counts, that of a dict or set does not. It compares plain values only, which are what
    a frozen copy can hold: None, bool, int, float, str, bytes, bytearray, list, tuple, dict, set and frozenset.

    Args:
        safe_types: Types whose values are never content, such as int where the values are token counts.
        known_keys: Dict keys that may be shown in paths.
    """

    safe_types: Tuple[type, ...] = NEVER_CONTENT
    known_keys: FrozenSet[str] = frozenset()
    name: str = field(default="exact/1", init=False)
    takes_snapshots: bool = field(default=True, init=False)

    def __call__(self, control: Any, candidate: Any) -> Optional[Difference]:
        """
        Returns:
            None when they are equal, otherwise the first difference. Most are equal, which is told natively; the walk
            finds what differs, and decides where there is a doubt.

        Raises:
            TypeError: Both are of one type that is not plain.
            RecursionError: They are nested too deeply, or contain themselves.
        """
        return None if engine.current().identical(control, candidate) else super().__call__(control, candidate)

    def scalars(self, control: Any, candidate: Any) -> Optional[str]:
        """
        Returns:
            "value" when they differ, else None.

        Raises:
            TypeError: The type is not plain.
        """
        return None if equal(control, candidate) else "value"


exact = Exact()
"""Shows no value but True, False and None."""


def equal(control: Any, candidate: Any) -> bool:
    """
    Returns:
        Whether two scalars of one type are equal, NaN to NaN and zero by its sign.

    Raises:
        TypeError: The type is not plain.
    """
    if control is candidate:  # also what a frozen copy shares without looking into it, such as a class
        return True
    kind = type(control)
    if kind is float:
        both_nan = math.isnan(control) and math.isnan(candidate)
        return both_nan or (control == candidate and math.copysign(1, control) == math.copysign(1, candidate))
    if kind in SCALARS:
        return bool(control == candidate)
    raise TypeError(f"only plain values are compared, not {kind.__name__}")
