"""
What the references raise in the place of pyreqwest's errors: their classes, and the texts that programs read.

LiteLLM decides by texts what an exception is to a caller, so under httpx's transports they are those of h11, of the
operating system and of Python's `ssl`. Where no connection came about nothing was sent, and the reference itself tries.

An error of pyreqwest's names the whole address of its request, in which there may be keys. So it is neither the cause
nor the context of what is raised: whoever raises does so outside of its `except`, from a list that holds the exception
no longer when its traceback holds the list.
"""

from __future__ import annotations

import os
import re
from typing import Any, List, Mapping, NamedTuple, Optional, Tuple, Type

import httpcore
import httpx

from fast_litellm.errors import Declined
from fast_litellm.interruptions import is_from_elsewhere

Error = Type[Exception]
Headers = List[Tuple[bytes, bytes]]

_CONNECTING = "client error (Connect)"
_UNANNOUNCED = "without sending TLS close_notify"
_ENDINGS = ("connection closed", "end of file", "unexpected eof", _UNANNOUNCED.lower())
_ADDRESS = re.compile(r" for url \(.*\)", re.DOTALL)
_SYSTEMS = re.compile(r"\(os error ([0-9]+)\)")
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
        is_tunnelled: It goes through a proxy's tunnel, whose answer is waited for as any other.
        is_http2: Its response comes over HTTP/2, where a body's end is always told.
    """

    is_asynchronous: bool
    is_tls: bool
    headers: Optional[Headers] = None
    received: int = 0
    is_tunnelled: bool = False
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
        has_texts: The reference's texts are known; else they are pyreqwest's.
    """

    broken: Error
    ended: Error
    wrong: Error
    torn: Error
    cut: Error
    has_texts: bool = False

    def of(self, error: Exception, where: Where) -> Exception:
        """
        Returns:
            What is to be raised in the place of an error of pyreqwest, with the cause that the reference's would have;
            the error itself when it is none.
        """
        causes = [] if is_from_elsewhere(error) else _causes(error)
        if not causes:
            return error
        is_late = isinstance(error, TimeoutError)
        if _CONNECTING in causes and (where.is_tunnelled or not is_late):
            return Declined("not_connected")
        kind = _timeout(error, causes) if is_late else self._kind(causes, where)
        if not self.has_texts:
            return kind(causes[-1])
        return of_httpcore(kind, _timeout_text(kind, where) if is_late else _text(causes, where))

    def _kind(self, causes: List[str], where: Where) -> Error:
        has_begun = where.headers is not None
        if _systems(causes) is not None:
            return self.torn if has_begun else self.broken
        if _is_ending(causes):
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


def is_end(error: Exception, where: Where) -> bool:
    """
    Returns:
        Whether a body is whole nevertheless: one without a length goes on until the connection ends, and to the
        references a connection over TLS may end unannounced.
    """
    names = {name for name, _ in where.headers or ()}
    causes = _causes(error)
    is_told = where.is_http2 or not names.isdisjoint((_LENGTH, _CODING))
    return bool(causes) and _UNANNOUNCED in causes[-1] and not is_told


def _causes(error: Exception) -> List[str]:
    """Returns what pyreqwest says of its own errors, the first cause last; nothing of others."""
    details = getattr(error, "details", None)
    if details is None:
        return []
    found = [str(cause["message"]) for cause in details.get("causes") or ()] or [str(error)]
    return [_ADDRESS.sub("", text) for text in found]


def _systems(causes: List[str]) -> Optional[int]:
    """Returns the operating system's number of an error that it has reported."""
    found = next(filter(None, map(_SYSTEMS.search, causes)), None)
    return None if found is None else int(found[1])


def _is_ending(causes: List[str]) -> bool:
    return any(ending in cause.lower() for cause in causes for ending in _ENDINGS)


def _timeout(error: Exception, causes: List[str]) -> Error:
    if type(error).__name__ == "PoolTimeoutError":
        return httpx.PoolTimeout
    return httpx.ConnectTimeout if _CONNECTING in causes else httpx.ReadTimeout


def _timeout_text(kind: Error, where: Where) -> str:
    if where.is_asynchronous or kind is httpx.PoolTimeout:
        return ""
    return "The read operation timed out" if where.is_tls and kind is httpx.ReadTimeout else "timed out"


def _text(causes: List[str], where: Where) -> str:
    number = _systems(causes)
    if number is not None:
        return "" if where.is_asynchronous else str(OSError(number, os.strerror(number)))
    if not _is_ending(causes):
        return causes[-1]
    if where.is_http2:
        return _DISCONNECTED
    return _NOTHING_CAME if where.headers is None else f"{_PART_CAME} ({_missing(dict(where.headers), where.received)})"


def _missing(headers: Mapping[bytes, bytes], received: int) -> str:
    """Chunks come before a length, where a response has both."""
    if _CODING in headers or _LENGTH not in headers:
        return "incomplete chunked read"
    return f"received {received} bytes, expected {int(headers[_LENGTH])}"
