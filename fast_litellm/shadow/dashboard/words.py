"""
Figures as people read them.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timezone
from typing import List, Optional

NONE = "\N{EN DASH}"
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_FEW_DIGITS = 2


def number(value: Optional[int]) -> str:
    """
    Returns:
        The number with its thousands apart.
    """
    return NONE if value is None else f"{value:,}"


def share(value: Optional[float], total: float = 1) -> str:
    """
    Args:
        value: A part; None when it is not known.
        total: Of what.

    Returns:
        Percent, never rounded to all or nothing when it is neither.
    """
    if value is None or not total:
        return NONE
    percent = 100 * value / total
    if percent in {0, 100}:
        return f"{percent:.0f}%"
    return "<0.1%" if percent < 0.1 else f"{min(percent, 99.9):.1f}%"  # noqa: PLR2004 - what one decimal can show


def rate(value: Optional[float]) -> str:
    """
    Args:
        value: A small probability; None when it is not known.

    Returns:
        Percent with two digits that count, as rule files write rates, rounded up: a bound must not look better.
    """
    if value is None:
        return NONE
    if value <= 0 or value >= 1:
        return "0%" if value <= 0 else "100%"
    digits = _FEW_DIGITS - 1 - math.floor(math.log10(value * 100))
    rounded = math.ceil(round(value * 100 * 10**digits, 6)) / 10**digits
    return f"{rounded:.{max(digits, 0)}f}".rstrip("0").rstrip(".") + "%" if digits > 0 else f"{rounded:.0f}%"


def factor(value: Optional[float]) -> str:
    """
    Returns:
        How many times, with two or three digits that count.
    """
    if value is None:
        return NONE
    return f"{value:.0f}\N{MULTIPLICATION SIGN}" if value >= 100 else f"{value:.2g}\N{MULTIPLICATION SIGN}"  # noqa: PLR2004


def duration(seconds: Optional[float]) -> str:
    """
    Returns:
        The two largest units, such as "3 h 10 min"; a dash when it is not known.
    """
    if seconds is None or math.isinf(seconds):
        return NONE
    rest = max(math.ceil(seconds), 0)
    parts: List[str] = []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
        if len(parts) == _FEW_DIGITS:
            break
    return " ".join(filter(None, parts)) or "0 s"


def moment(seconds: Optional[float]) -> str:
    """
    Args:
        seconds: Since 1970; None when it has not come.

    Returns:
        The moment in UTC, to the minute.
    """
    return NONE if seconds is None else utc(seconds).strftime("%Y-%m-%d %H:%M")


def utc(seconds: float) -> datetime:
    """
    Args:
        seconds: Since 1970.

    Returns:
        The moment in UTC.
    """
    return datetime.fromtimestamp(seconds, timezone.utc)


def anchor(name: str) -> str:
    """
    Args:
        name: Any text.

    Returns:
        An identifier of HTML that no other name has and that needs no escape in an address.
    """
    return "feature-" + re.sub(r"[^A-Za-z0-9_-]", lambda found: f".{ord(found[0]):x}.", name)
