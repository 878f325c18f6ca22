"""
The reference sources that candidates are known to equal.

A row is added after the differential tests have passed on that version: `make latest` with the version in the
Makefile, then `python -m fast_litellm doctor --json` prints the fingerprint it found.
"""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional, Tuple


class Reference(NamedTuple):
    """
    One known source of a control.

    Args:
        semantics: The name of the candidate's rule set that equals it.
        versions: The LiteLLM releases that carry exactly this text.
    """

    semantics: str
    versions: Tuple[str, ...]


KNOWN: Dict[str, Dict[str, Reference]] = {
    "token_counting": {
        "f818ae2acde266a8": Reference("1.106", ("1.106.2",)),
        "0c92367351423e3d": Reference("1.108", ("1.108.1",)),
        "15584a757bfc5ede": Reference("1.109", ("1.109.1",)),
    },
}


def known(feature: str, fingerprint: Optional[str]) -> Optional[Reference]:
    """Returns the reference a fingerprint stands for, or None when it is unknown."""
    return KNOWN.get(feature, {}).get(fingerprint or "")


def versions(feature: str) -> Tuple[str, ...]:
    """Returns the LiteLLM releases whose reference is known, in the order of the table."""
    return tuple(version for reference in KNOWN.get(feature, {}).values() for version in reference.versions)
