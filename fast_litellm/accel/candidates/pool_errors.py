"""
What the references raise in the place of the pool's errors: their classes, and the texts that programs read.

LiteLLM decides by texts what an exception is to a caller, so under httpx's transports they are those of h11, of the
operating system and of Python's `ssl`. Where no connection came about nothing was sent, and the reference itself tries.

An error of the pool is neither the cause nor the context of what is raised, since the reference has its own there: so
whoever raises does so outside of its `except`, from a list that holds the exception no longer when its traceback holds
the list.
"""

from __future__ import annotations

import os
from typing import Any, List, Mapping, NamedTuple, Optional, Tuple, Type

import httpcore
import httpx

from fast_litellm.accel import native
from fast_litellm.errors import Declined

Error = Type[Exception]
Headers = List[Tuple[bytes, bytes]]

_TIMEOUTS: Mapping[str, Error] = {
    "connect_timeout": httpx.ConnectTimeout,
    "read_timeout": httpx.ReadTimeout,
    "write_timeout": httpx.WriteTimeout,
    "pool_timeout": httpx.PoolTimeout,
}
_ENDINGS = ("ended", "ended_unannounced")
_OVER_TLS = {"read_timeout": "The read operation timed out", "write_timeout": "The write operation timed out"}
_DISCONNECTED = "Server disconnected"
_NOTHING_CAME = "Server disconnected without sending a response."
_PART_CAME = "peer closed connection without sending complete message body"
_LENGTH, _CODING = b"content-length", b"transfer-encoding"


class Where(NamedTuple):
    """
    How far a request was when something went wrong.

    Args:
        is_asynchronous: httpx's transport for coroutines has no texts for timeouts and errors of the system.
        is_tls: Python's `ssl` has its own.
        headers: The response's, or None before it has begun.
        received: How many bytes of its body have come.
        is_http2: Its response comes over HTTP/2, where a body's end is always told.
    """

    is_asynchronous: bool
    is_tls: bool
    headers: Optional[Headers] = None
    received: int = 0
    is_http2: bool = False


class Errors(NamedTuple):
    """
    Which exception stands for what can go wrong.

    Args:
        broken: The connection broke, with an error of the operating system, before the response had begun.
        ended: It ended before that.
        wrong: What came over it is no HTTP.
        torn: It broke in the middle of a response.
        cut: It ended there.
        has_texts: The reference's texts are known; else they are the pool's.
    """

    broken: Error
    ended: Error
    wrong: Error
    torn: Error
    cut: Error
    has_texts: bool = False

    def of(self, error: native.PoolError, where: Where) -> Exception:
        """
        Returns:
            What is to be raised in the place of an error of the pool, with the cause that the reference's would have.
        """
        kind, said, _ = error.args
        if kind == "not_connected":
            return Declined(kind)
        raised = _TIMEOUTS.get(kind) or self._kind(kind, where)
        if not self.has_texts:
            return raised(said)
        return of_httpcore(raised, _timeout_text(kind, where) if kind in _TIMEOUTS else _text(error, where))

    def _kind(self, kind: str, where: Where) -> Error:
        has_begun = where.headers is not None
        if kind == "broken":
            return self.torn if has_begun else self.broken
        if kind in _ENDINGS:
            return self.cut if has_begun else self.ended
        return self.wrong


HTTPX = Errors(
    broken=httpx.ReadError,
    ended=httpx.RemoteProtocolError,
    wrong=httpx.RemoteProtocolError,
    torn=httpx.ReadError,
    cut=httpx.RemoteProtocolError,
    has_texts=True,
)


def litellm_errors(told: Mapping[Any, Error], aiohttp: Any) -> Errors:
    """
    Args:
        told: LiteLLM's own table: by the class that aiohttp raises, that of httpx.
        aiohttp: The module.
    """
    return Errors(
        broken=told[aiohttp.ClientOSError],
        ended=told[aiohttp.ServerDisconnectedError],
        wrong=told[aiohttp.ClientError],
        torn=told[aiohttp.ClientPayloadError],
        cut=told[aiohttp.ClientPayloadError],
    )


def of_httpcore(kind: Error, text: str) -> Exception:
    """
    Returns:
        An exception of httpx's, whose cause is httpcore's of the same name.
    """
    found = kind(text)
    found.__cause__ = getattr(httpcore, kind.__name__)(text)
    return found


def is_end(error: native.PoolError, where: Where) -> bool:
    """
    Returns:
        Whether a body is whole nevertheless: one without a length goes on until the connection ends, and to the
        references a connection over TLS may end unannounced.
    """
    names = {name for name, _ in where.headers or ()}
    is_told = where.is_http2 or not names.isdisjoint((_LENGTH, _CODING))
    return error.args[0] == "ended_unannounced" and not is_told


def _timeout_text(kind: str, where: Where) -> str:
    if where.is_asynchronous or kind == "pool_timeout":
        return ""
    return _OVER_TLS.get(kind, "timed out") if where.is_tls else "timed out"


def _text(error: native.PoolError, where: Where) -> str:
    kind, said, number = error.args
    if kind == "broken" and where.is_asynchronous:
        return ""
    if number is not None:
        return str(OSError(number, os.strerror(number)))
    if kind not in _ENDINGS:
        return str(said)
    if where.is_http2:
        return _DISCONNECTED
    return _NOTHING_CAME if where.headers is None else f"{_PART_CAME} ({_missing(dict(where.headers), where.received)})"


def _missing(headers: Mapping[bytes, bytes], received: int) -> str:
    """Chunks come before a length, where a response has both."""
    if _CODING in headers or _LENGTH not in headers:
        return "incomplete chunked read"
    return f"received {received} bytes, expected {int(headers[_LENGTH])}"
