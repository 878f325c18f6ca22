"""
The vocabularies of tiktoken's encodings and of Anthropic's tokenizer, from the files that LiteLLM brings. Nothing is
ever fetched.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from pathlib import Path
from typing import Any, Dict, NamedTuple

from fast_litellm import settings
from fast_litellm.accel.native import Encoding
from fast_litellm.errors import Declined


class _File(NamedTuple):
    """tiktoken caches a file under the SHA-1 of its address, and checks the SHA-256 of its content before use."""

    name: str
    sha256: str


_FILES: Dict[str, _File] = {
    "cl100k_base": _File(
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4", "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
    ),
    "o200k_base": _File(
        "fb374d419588a4632f3f557e76b4b70aebbca790", "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
    ),
    "p50k_base": _File(
        "ec7223a39ce59f226a68acc30dc1af2788490e15", "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069"
    ),
    "r50k_base": _File(  # LiteLLM brings none; there is one where CUSTOM_TIKTOKEN_CACHE_DIR names tiktoken's own files
        "0ea1e91bbb3a60f729a8dc8f777fd2fc07cd8df4", "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"
    ),
}

ANTHROPIC = "anthropic"
"""The name under which Anthropic's tokenizer goes among the encodings."""

_FILES[ANTHROPIC] = _File(
    "anthropic_tokenizer.json", "c241737df24b4e7f7c9af4fdcee29a0ca903dcb288a8b753bc346a3092911767"
)

_TELLS_TIKTOKEN = "litellm.litellm_core_utils.default_encoding"
"""LiteLLM imports it with its first count, whatever is counted."""

_SAME_ORDINARY_TOKENS = {"p50k_edit": "p50k_base"}
"""Encodings that differ in special tokens only, which LiteLLM never lets a text have."""


@functools.cache
def load(name: str, directory: str) -> Encoding:
    """
    Read an encoding from a directory of tiktoken's cache files.

    Args:
        name: tiktoken's name of it.
        directory: Where the files are.

    Returns:
        The encoding, read once a process.

    Raises:
        Declined: The encoding is another one, or its file is missing or not the one tiktoken expects.
    """
    name = _SAME_ORDINARY_TOKENS.get(name, name)
    file = _FILES.get(name)
    if file is None:
        raise Declined("encoding")
    try:
        data = (Path(directory) / file.name).read_bytes()
    except OSError:
        raise Declined("vocabulary_missing") from None
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise Declined("vocabulary_changed")
    return Encoding.from_anthropic(data) if name == ANTHROPIC else Encoding.from_tiktoken(name, data)


def directory(litellm: Any, name: str) -> str:
    """
    Say where LiteLLM finds a vocabulary.

    Args:
        litellm: The loaded module.
        name: The encoding.

    Returns:
        The directory LiteLLM makes tiktoken use: the one named in the environment, or the one LiteLLM brings, where
        Anthropic's tokenizer always is.
    """
    own = str(Path(litellm.__file__).parent / "litellm_core_utils" / "tokenizers")
    return own if name == ANTHROPIC else settings.tiktoken_cache_directory() or own


@functools.cache
def announce(cache_directory: str) -> None:
    """
    Tell tiktoken where LiteLLM's vocabularies are, as LiteLLM does with its first count, unless LiteLLM has.

    A program whose own use of tiktoken follows a count of LiteLLM's finds them there, and fetches nothing.

    Args:
        cache_directory: The directory of tiktoken's encodings.
    """
    if _TELLS_TIKTOKEN not in sys.modules:
        os.environ["TIKTOKEN_CACHE_DIR"] = cache_directory
