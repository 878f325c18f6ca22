"""
Bodies of requests that can be read whole before anything goes out, and once more if the original is to send them.
"""

from __future__ import annotations

import io
import os
import stat
from typing import Any

import httpx
from httpx import _multipart

from fast_litellm.errors import Declined

_MOST_BYTES = 1 << 24
"""Of a form with files, which httpx reads piece by piece and the pool at once."""
_IN_MEMORY = (str, bytes, io.BytesIO)


def body_of(request: httpx.Request) -> bytes:
    """
    Raises:
        Declined: The body comes bit by bit, or is a large form.
    """
    stream = request.stream
    return b"".join(stream) if type(stream) is httpx.ByteStream else _form_of(stream)


def _form_of(stream: Any) -> bytes:
    """
    Returns:
        What httpx would send of a form with files, which it can send again: it goes back to their beginnings itself.

    Raises:
        Declined: It is something else, or the files may not be there another time.
    """
    if type(stream) is not _multipart.MultipartStream or not all(map(_is_there_again, stream.fields)):
        raise Declined("streamed_body")
    try:
        if (stream.get_content_length() or 0) > _MOST_BYTES:
            raise Declined("large_body")
        return b"".join(stream)
    except (OSError, ValueError):  # closed, for one, of which the original says so itself
        raise Declined("streamed_body") from None


def _is_there_again(field: Any) -> bool:
    """Returns whether a field's content is in memory or a file of its own."""
    if type(field) is _multipart.DataField:
        return True
    if type(field) is not _multipart.FileField:
        return False
    file = field.file
    return type(file) in _IN_MEMORY or (type(file) is io.BufferedReader and _is_regular(file))


def _is_regular(file: io.BufferedReader) -> bool:
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except (OSError, ValueError):
        return False
