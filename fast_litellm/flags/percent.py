"""
Percentages as whole numbers of millionths: exact, or an error, never rounded.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Optional, Tuple

if TYPE_CHECKING:
    from fast_litellm.flags.nodes import Findings, Node

WHOLE = 1_000_000
"""All of it: 100 % in millionths."""

WANTED = "a percentage from 0 to 100, such as 10, 0.5 or 10%"

_WRITTEN = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?)%?\Z")
_PER_PERCENT = 10_000


def millionths(node: Node, findings: Findings) -> Optional[int]:
    """
    Read a percentage: a number, or a text that ends in %.

    Args:
        node: The value.
        findings: Where a problem is noted.

    Returns:
        Millionths, 0 to 1,000,000; None when the value is no percentage.
    """
    is_number = isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
    is_text = isinstance(node.value, str) and node.value.endswith("%")
    value, hint = parsed(node.text) if is_number or is_text else (None, "")
    if value is None:
        findings.expected(node, WANTED, hint)
    return value


def parsed(text: str) -> Tuple[Optional[int], str]:
    """
    Read a percentage as it was written, the sign optional.

    Returns:
        Millionths and an empty hint, or None and a hint.
    """
    written = _WRITTEN.match(text)
    if not written:
        return None, f"write 0{text}" if text[:1] == "." and text[1:2].isdigit() else ""
    exact = Decimal(written.group(1)) * _PER_PERCENT
    if exact > WHOLE:
        return None, ""
    if exact != exact.to_integral_value():
        return None, "0.0001 is the finest step; nothing is rounded"
    return int(exact), ""


def shown(value: int) -> str:
    """Returns millionths as people write them, such as "0.5"."""
    return f"{Decimal(value) / _PER_PERCENT:f}"


def as_number(value: int) -> float:
    """Returns millionths as a number of percent; exact to the last digit that is shown."""
    return value / _PER_PERCENT
