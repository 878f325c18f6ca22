"""
The arguments of the sliding window's function.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from fast_litellm.accel.candidates import calls
from fast_litellm.errors import Declined

_LONGEST_WINDOW = 1 << 31
_LATEST_SECOND = 1 << 62


def _bound(self: Any, keys: Any, now_int: Any, window_size: Any) -> Tuple[Any, Any, Any, Any]:
    return self, keys, now_int, window_size


def bound(args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Tuple[Any, List[Any], int, int]:
    """
    Returns:
        The limiter, the keys, the second, and how many seconds a window lasts.

    Raises:
        Declined: The control would raise, or is given something else.
    """
    limiter, keys, second, window_size = calls.bound(_bound, args, kwargs)
    if (type(keys), type(second), type(window_size)) != (list, int, int):
        raise Declined("opaque_value")
    if len(keys) % 2:
        raise Declined("control_raises")
    if not (0 < window_size < _LONGEST_WINDOW and 0 <= second < _LATEST_SECOND):
        raise Declined("unusual_value")
    return limiter, keys, second, window_size
