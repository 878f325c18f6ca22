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
        versions: The releases that carry exactly this text: of LiteLLM, or of the SDK that the control belongs to.
    """

    semantics: str
    versions: Tuple[str, ...]


KNOWN: Dict[str, Dict[str, Reference]] = {
    "token_counting": {
        "f818ae2acde266a8": Reference("1.106", ("1.106.2",)),
        "0c92367351423e3d": Reference("1.108", ("1.108.1",)),
        "15584a757bfc5ede": Reference("1.109", ("1.109.1",)),
    },
    "batch_token_counting": {
        "f8cb7b6dfe1f18fd": Reference("1.106", ("1.106.2",)),
        "c25b1bac8e769267": Reference("1.108", ("1.108.1",)),
        "9506c3abea24ee41": Reference("1.109", ("1.109.1",)),
    },
    "rate_limiting": {
        "cf5b51f2b2591eda": Reference("3", ("1.106.2",)),
    },
    "request_transform": {  # releases of the OpenAI SDK; LiteLLM 1.83.14 asks for 2.24.0, later ones for 2.20.0 and up
        "8db5a056881ccec1": Reference("2", ("2.20.0",)),
        "0d53b11a8864b66b": Reference(
            "2", ("2.21.0", "2.24.0", "2.26.0", "2.32.0", "2.38.0", "2.44.0", "2.50.0", "2.54.0", "3.0.0")
        ),
        "e417cdcb786516d9": Reference("2", ("3.30.0",)),
        "97a0ffcb5a55ddac": Reference("2", ("3.54.0",)),
    },
    "connection_pooling": {  # the transports are httpx's and LiteLLM's
        "ed6f3f4163ceafab": Reference("httpx", ("0.28.1",)),
        "6d17c06f42d8a467": Reference("aiohttp", ("1.106.2",)),
    },
    "stream_parsing": {  # releases of the OpenAI SDK
        "e031891b7ed1ce74": Reference("2", ("2.20.0",)),
        "83348b1e5359eec4": Reference(
            "2", ("2.21.0", "2.24.0", "2.26.0", "2.32.0", "2.38.0", "2.44.0", "2.50.0", "2.54.0")
        ),
    },
    "stream_wrapping": {
        "e8ff6be9197ff5b8": Reference("1", ("1.106.2",)),
        "9201098ef133de24": Reference("1", ("1.108.1",)),
        "0339f5d0e4f972b1": Reference("1", ("1.109.1",)),
        "72b4d2e94fb6cc80": Reference("1", ("1.83.14",)),
        "b98d2e8f765102b2": Reference("1", ("2.20.0", "2.24.0", "2.54.0", "3.0.0", "3.30.0", "3.54.0")),  # the SDK
    },
    "routing": {  # one row for each seam and text of it
        "73eb9f8733e1b33d": Reference("1.106", ("1.106.2", "1.108.1", "1.109.1")),  # simple_shuffle
        "7fbc728d97fda878": Reference("1.106", ("1.106.2", "1.108.1", "1.109.1")),  # _request_count_keys
        "51fdea7b77862d55": Reference("1.106", ("1.106.2", "1.108.1", "1.109.1")),  # _least_busy
        "f2e6b2adf4b1e8b6": Reference("1.106", ("1.106.2", "1.108.1")),  # lowest latency
        "3a5931ee4bdb7151": Reference("1.109", ("1.109.1",)),
        "0e7e6db9fc323a91": Reference("1.106", ("1.106.2", "1.108.1", "1.109.1")),  # lowest usage
    },
    "async_routing": {
        "df2d12418932feaa": Reference("1.106", ("1.106.2", "1.108.1")),
        "877a5a97ae79fa39": Reference("1.106", ("1.109.1",)),
    },
    "secret_redaction": {"0fa6340511f7c130": Reference("1.106", ("1.106.2", "1.108.1", "1.109.1"))},
}


def known(feature: str, fingerprint: Optional[str]) -> Optional[Reference]:
    """Returns the reference a fingerprint stands for, or None when it is unknown."""
    return KNOWN.get(feature, {}).get(fingerprint or "")


def versions(feature: str) -> Tuple[str, ...]:
    """Returns the releases whose reference is known, in the order of the table."""
    rows = KNOWN.get(feature, {}).values()  # of several seams, if the feature has them
    return tuple(dict.fromkeys(version for reference in rows for version in reference.versions))
