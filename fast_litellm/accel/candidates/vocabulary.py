"""
The vocabularies of tiktoken's encodings, from the files that LiteLLM brings. Nothing is ever fetched.
"""

from __future__ import annotations

import functools
import hashlib
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
}


@functools.cache
def load(name: str, directory: str) -> Encoding:
    """
    Read an encoding from a directory of tiktoken's cache files.

    Args:
        name: `cl100k_base` or `o200k_base`.
        directory: Where the files are.

    Returns:
        The encoding, read once a process.

    Raises:
        Declined: The encoding is another one, or its file is missing or not the one tiktoken expects.
    """
    file = _FILES.get(name)
    if file is None:
        raise Declined("encoding")
    try:
        data = (Path(directory) / file.name).read_bytes()
    except OSError:
        raise Declined("vocabulary_missing") from None
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise Declined("vocabulary_changed")
    return Encoding.from_tiktoken(name, data)


def directory(litellm: Any) -> str:
    """
    Returns the directory LiteLLM makes tiktoken use: the one named in the environment, or the one LiteLLM brings.

    Args:
        litellm: The loaded module.
    """
    return settings.tiktoken_cache_directory() or str(
        Path(litellm.__file__).parent / "litellm_core_utils" / "tokenizers"
    )
