"""
Text to count: real prose, code and JSON that every installation has at hand, and the random texts that caches hate.

No two pieces are alike, so a cache of whole texts would gain nothing; words come again, as they do in every language.
"""

from __future__ import annotations

import base64
import functools
import json
import sysconfig
from pathlib import Path
from pydoc_data import topics
from string import ascii_lowercase
from typing import TYPE_CHECKING, Callable

from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from random import Random

PIECE_CHARS = 1_024
"""LiteLLM counts text in pieces of this many characters (TIKTOKEN_ENCODE_CHUNK_SIZE_CHARS)."""

_CODE_CHARS = 3_000_000

# CJK Unified Ideographs.
_HAN = range(0x4E00, 0x9FA6)


@functools.cache
def prose() -> str:
    """
    Returns:
        The language reference that Python's own help prints.
    """
    return "\n".join(topics.topics.values())


@functools.cache
def code() -> str:
    """
    Returns:
        Python's standard library, as far as the first three million characters.
    """
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    return "".join(file.read_text(encoding="utf-8", errors="replace") for file in files)[:_CODE_CHARS]


@functools.cache
def structured() -> str:
    """
    Returns:
        LiteLLM's table of models, as indented JSON.
    """
    return json.dumps(import_litellm().model_cost, indent=1)


def _slices(text: Callable[[], str]) -> Callable[[Random], str]:
    def piece(random: Random) -> str:
        start = random.randrange(len(text()) - PIECE_CHARS)
        return text()[start : start + PIECE_CHARS]

    return piece


def _words(random: Random) -> str:
    words = ("".join(random.choices(ascii_lowercase, k=random.randint(2, 12))) for _ in range(PIECE_CHARS // 2))
    return " ".join(words)[:PIECE_CHARS]


def _han(random: Random) -> str:
    return "".join(map(chr, random.choices(_HAN, k=PIECE_CHARS)))


def _base64(random: Random) -> str:
    return base64.b64encode(random.randbytes(PIECE_CHARS)).decode()[:PIECE_CHARS]


def _one_letter(random: Random) -> str:
    return random.choice(ascii_lowercase) * PIECE_CHARS


PIECES: dict[str, Callable[[Random], str]] = {
    "prose": _slices(prose),
    "code": _slices(code),
    "JSON": _slices(structured),
    "random words": _words,
    "Han": _han,
    "base64": _base64,
    "one letter": _one_letter,
}
"""Kind of text to the maker of a piece."""
