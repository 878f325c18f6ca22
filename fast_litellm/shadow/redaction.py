"""
Turning differences, which hold content, into records that hold none.

What is kept of a value is its type, its length and a keyed digest. The key is random and belongs to one ledger: a
digest of a short text could be guessed if anybody could compute it.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, FrozenSet, Optional

from fast_litellm.shadow.comparators import NOTHING, Comparator, Difference, Item, Key, Path, Step
from fast_litellm.shadow.observation import Observation, Summary

_DIGEST_BYTES = 16
_KEY_DIGEST_BYTES = 6


class Redactor:
    """
    Redacts with one key.

    Args:
        key: 32 random bytes.
    """

    def __init__(self, key: bytes) -> None:
        self.key = key

    def digest(self, data: bytes, size: int = _DIGEST_BYTES) -> str:
        """
        Returns:
            The keyed digest in hexadecimal.
        """
        return blake2b(data, digest_size=size, key=self.key).hexdigest()

    def summary(self, side: Any, comparator: Comparator) -> Summary:
        """
        Args:
            side: One side of a difference: a plain value, an `Observation`, or `NOTHING`.
            comparator: Says which types are safe.

        Returns:
            What may be kept of it.
        """
        if side is NOTHING:
            return Summary("nothing")
        if isinstance(side, Observation):
            if side.error_type is None:
                return self.summary(side.value, comparator)
            text = side.error_text
            digest = self.digest(_encoded(text))
            return Summary("exception", class_name(side.error_type), len(text), digest, frame=side.frame)
        safe = side if type(side) in comparator.safe_types else None
        return Summary("value", class_name(type(side)), _length(side), self._value_digest(side), safe)

    def path(self, path: Path, known_keys: FrozenSet[str]) -> str:
        """
        Args:
            path: The steps to a place.
            known_keys: Keys that may be shown.

        Returns:
            The path as text, such as `$[3].name[key:5d41402abc4b]`.
        """
        return "$" + "".join(self._step(step, known_keys) for step in path)

    def _step(self, step: Item | Key | Step, known_keys: FrozenSet[str]) -> str:
        if isinstance(step, Item):
            return "[*]" if step.index is None else f"[{step.index}]"
        if isinstance(step, Step):
            return f"<{step.name}>"
        if type(step.key) is str and step.key in known_keys:
            return f".{step.key}"
        return f"[key:{self._value_digest(step.key)[: 2 * _KEY_DIGEST_BYTES]}]"

    def _value_digest(self, value: Any) -> str:
        """Containers have none: their content is compared item by item."""
        data = _scalar_bytes(value)
        return "" if data is None else self.digest(type(value).__name__.encode() + b"\0" + data)


def pattern(difference: Difference) -> Path:
    """
    Returns:
        The path with every index the same, so that a difference in any item of a list is of one class.
    """
    return tuple(Item(None) if isinstance(step, Item) else step for step in difference.path)


def class_name(kind: type) -> str:
    """
    Returns:
        The qualified name of a class, without the module for builtins.
    """
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _length(value: Any) -> Optional[int]:
    return len(value) if type(value) in (str, bytes, bytearray, list, tuple, dict, set, frozenset) else None


def _scalar_bytes(value: Any) -> Optional[bytes]:
    kind = type(value)
    if kind is str:
        return _encoded(value)
    if kind in (bytes, bytearray):
        return bytes(value)
    if kind is int:
        return hex(value).encode()  # decimal digits of a very large int are refused by newer Pythons
    return repr(value).encode() if kind in (bool, float, type(None)) else None


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
