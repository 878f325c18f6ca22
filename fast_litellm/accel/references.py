"""
The reference sources that candidates are known to equal.

A row is added after the differential tests have passed on that version: `make latest` with the version among
those of the Makefile, then `python -m fast_litellm doctor --json` prints the fingerprint it found.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple


class Reference(NamedTuple):
    """
    One known source of a control.

    Args:
        semantics: The name of the candidate's rule set that equals it.
        versions: The releases that carry exactly this text: of LiteLLM, or of the SDK that the control belongs to.
        seam: The name of the seam it is the text of, where a feature has several with texts of their own.
    """

    semantics: str
    versions: Tuple[str, ...]
    seam: Optional[str] = None


def _patches(line: str, first: int, last: int) -> Tuple[str, ...]:
    return tuple(f"{line}.{number}" for number in range(first, last + 1))


# The releases whose texts were looked at, by the lines between which LiteLLM's texts change.
_R106, _R108, _R109, _R110 = (
    _patches("1.106", 0, 12),
    _patches("1.108", 1, 14),
    _patches("1.109", 0, 3),
    _patches("1.110", 0, 2),
)

_WRAPPING = "CustomStreamWrapper.chunk_creator"
_DELTAS = "CustomStreamWrapper._accumulate_streamed_delta"
_USAGE_OF_STREAM = "ChunkProcessor._calculate_usage_per_chunk"
_LATENCY = "LowestLatencyLoggingHandler._get_available_deployments"
_USAGE = "LowestTPMLoggingHandler_v2._common_checks_available_deployment"

KNOWN: Dict[str, Dict[str, Reference]] = {
    "token_counting": {
        "f818ae2acde266a8": Reference("1.106", _R106),
        "0c92367351423e3d": Reference("1.108", _R108),
        "15584a757bfc5ede": Reference("1.109", _R109),
        "ee2c7119dd4e9dd5": Reference("1.110", _R110),
        "63dfaf35eb8a32a3": Reference("1.83", ("1.83.14",)),
    },
    "batch_token_counting": {
        "f8cb7b6dfe1f18fd": Reference("1.106", _R106),
        "c25b1bac8e769267": Reference("1.108", _R108),
        "9506c3abea24ee41": Reference("1.109", _R109),
        "eff66c8ef664929a": Reference("1.110", _R110),
        "25b132a2e731b556": Reference("1.83", ("1.83.14",)),
    },
    "rate_limiting": {
        "cf5b51f2b2591eda": Reference("3", _R106),
        "14c44405b2810d0f": Reference("3", ("1.108.0", *_R108)),
        "f45ae8eee182f9bd": Reference("3", _R109),
    },
    "request_transform": {  # releases of the OpenAI SDK; LiteLLM 1.83.14 asks for 2.24.0, later ones for 2.20.0 and up
        "8db5a056881ccec1": Reference("2", ("2.20.0",)),
        "0d53b11a8864b66b": Reference(
            "2", ("2.21.0", "2.24.0", "2.26.0", "2.32.0", "2.38.0", "2.44.0", "2.50.0", "2.54.0", "3.0.0")
        ),
        "e417cdcb786516d9": Reference("2", ("3.30.0",)),
        "97a0ffcb5a55ddac": Reference("2", ("3.54.0", "3.57.0")),
    },
    "connection_pooling": {  # the transports are httpx's and LiteLLM's
        "ed6f3f4163ceafab": Reference("httpx", ("0.28.1",)),
        "6d17c06f42d8a467": Reference("aiohttp", _R106),
        "e20fc9c0dcd17307": Reference("aiohttp", _R108[:10]),
    },
    "stream_parsing": {  # releases of the OpenAI SDK
        "e031891b7ed1ce74": Reference("2", ("2.20.0",)),
        "83348b1e5359eec4": Reference(
            "2", ("2.21.0", "2.24.0", "2.26.0", "2.32.0", "2.38.0", "2.44.0", "2.50.0", "2.54.0", "3.0.0")
        ),
        "f339d3b2e97756b4": Reference("2", ("3.54.0", "3.57.0")),
    },
    "stream_wrapping": {
        "e8ff6be9197ff5b8": Reference("1", _R106, _WRAPPING),
        "9201098ef133de24": Reference("1", _R108[:3], _WRAPPING),
        "7353e7bf4feff5f8": Reference("1", _R108[3:10], _WRAPPING),
        "2b9a6a3ef0d32f8d": Reference("1", _R108[10:], _WRAPPING),
        "0339f5d0e4f972b1": Reference("1", _R109, _WRAPPING),
        "f08b4ca65032207a": Reference("1", _R110, _WRAPPING),
        "72b4d2e94fb6cc80": Reference("1", ("1.83.14",), _WRAPPING),
        "b98d2e8f765102b2": Reference(  # of the OpenAI SDK
            "1", ("2.20.0", "2.24.0", "2.54.0", "3.0.0", "3.30.0", "3.54.0"), "AsyncStream.__aiter__"
        ),
        "2d2b622bd5706734": Reference("1", _R109, _DELTAS),
        "1a31741f69e1f3a5": Reference("1", _R110, _DELTAS),
        "def77f5e9e0538b6": Reference("1", ("1.83.14",), _USAGE_OF_STREAM),
        "ee44f01fc2d0ab51": Reference("1", (*_R106, "1.108.0", *_R108[:10]), _USAGE_OF_STREAM),
        "7c578dbe9f7ab212": Reference("1", _R108[10:], _USAGE_OF_STREAM),
        "84278bcf02586f82": Reference("1", (*_R109, *_R110), _USAGE_OF_STREAM),
    },
    "routing": {
        "73eb9f8733e1b33d": Reference("1.106", (*_R106, "1.108.0", *_R108, *_R109), "simple_shuffle"),
        "7fbc728d97fda878": Reference("1.106", (*_R106, "1.108.0", *_R108, *_R109), "_request_count_keys"),
        "51fdea7b77862d55": Reference("1.106", (*_R106, "1.108.0", *_R108, *_R109), "_least_busy"),
        "f2e6b2adf4b1e8b6": Reference("1.106", (*_R106, "1.108.0", *_R108), _LATENCY),
        "3a5931ee4bdb7151": Reference("1.109", _R109, _LATENCY),
        "0e7e6db9fc323a91": Reference("1.106", (*_R106, "1.108.0", *_R108, *_R109), _USAGE),
        "9f287acb6fd4401c": Reference("1.106", ("1.83.14",), _USAGE),
    },
    "async_routing": {
        "df2d12418932feaa": Reference("1.106", (*_R106[2:], "1.108.0", *_R108)),
        "877a5a97ae79fa39": Reference("1.106", _R109),
    },
    "secret_redaction": {"0fa6340511f7c130": Reference("1.106", (*_R106, "1.108.0", *_R108, *_R109, *_R110))},
}

NATIVE_ROUTER_SINCE = (1, 110)


def known(feature: str, fingerprint: Optional[str]) -> Optional[Reference]:
    """Returns the reference a fingerprint stands for, or None when it is unknown."""
    return KNOWN.get(feature, {}).get(fingerprint or "")


def versions(feature: str, seam: Optional[str] = None) -> Tuple[str, ...]:
    """
    Args:
        feature: The feature.
        seam: The name of one of its seams; all of them if None.

    Returns:
        The releases whose reference is known, in the order of the table.
    """
    rows = [row for row in KNOWN.get(feature, {}).values() if None in (seam, row.seam) or seam == row.seam]
    return tuple(dict.fromkeys(version for row in rows for version in row.versions))


def is_since(version: str, line: Tuple[int, int]) -> bool:
    """
    Args:
        version: A release of LiteLLM, such as "1.109.1".
        line: The first line of releases that has something, such as (1, 109).

    Returns:
        Whether the release has it, told by its number alone; False for what is no release.
    """
    numbers = version.split(".")[:2]
    return all(it.isdecimal() for it in numbers) and tuple(map(int, numbers)) >= line


def in_short(releases: Sequence[str]) -> str:
    """
    Args:
        releases: Releases in the order of the table.

    Returns:
        The same with their patch releases in a row as one: "1.83.14, 1.106.1 to 1.106.12".
    """
    rows: List[List[str]] = []
    for release in releases:
        if rows and release == _next(rows[-1][-1]):
            rows[-1].append(release)
        else:
            rows.append([release])
    return ", ".join(row[0] if len(row) == 1 else f"{row[0]} to {row[-1]}" for row in rows)


def _next(release: str) -> str:
    line, _, patch = release.rpartition(".")
    return f"{line}.{int(patch) + 1}"
