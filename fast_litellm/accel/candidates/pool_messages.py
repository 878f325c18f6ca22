"""
Requests of httpx as the pool sends them, and what comes back as httpx would have it: headers and streams.
"""

from __future__ import annotations

from typing import Any, AsyncIterator, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

import h11
import httpx

from fast_litellm.accel import native
from fast_litellm.accel.candidates import pool_errors
from fast_litellm.accel.candidates.pool_errors import Errors, Headers, Where
from fast_litellm.accel.candidates.pool_waiting import is_main_thread, waited
from fast_litellm.errors import Declined

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SPECIAL = frozenset(
    {b"expect", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"proxy-authorization", b"proxy-connection"}
)
_BLANKS = b" \t"
_WITHOUT_LENGTH = ("GET", "HEAD")
_CHUNKED = [b"chunked"]
_HTTP2 = b"HTTP/2"
_SWITCHING = 101
_SWITCHED = "Received server _SWITCH_UPGRADE event without a pending proposal"


class Plan(NamedTuple):
    """
    One request, prepared.

    Args:
        exchange: What goes out when it is waited for.
        request: As httpx has it.
        where: How far it is.
    """

    exchange: native.Exchange
    request: Any
    where: Where


def url_of(request: httpx.Request) -> str:
    """
    Returns:
        The URL, which goes out as it is, without credentials: of those httpx has made a header.
    """
    found = request.url
    return f"{found.scheme}://{found.netloc.decode()}{found.raw_path.decode()}"


def check_headers(request: httpx.Request, headers: Headers, body: bytes) -> None:
    """
    Args:
        request: The request.
        headers: Its headers, as the reference sends them.
        body: Its body.

    Raises:
        Declined: They ask for something of the connection, or hyper would add or change one.
    """
    named: Dict[bytes, List[bytes]] = {}
    for name, value in headers:
        named.setdefault(name.lower(), []).append(value)
    hosts, lengths, connections = (named.get(name, []) for name in (b"host", b"content-length", b"connection"))
    is_usual = lengths in ([], [b"%d" % len(body)]) and [it.lower() for it in connections] in ([], [b"keep-alive"])
    if request.method not in _METHODS or len(hosts) != 1 or _SPECIAL & named.keys() or not is_usual:
        raise Declined("headers")


def by_authority(request: httpx.Request, headers: Headers) -> Headers:
    """
    Returns:
        The headers for a server that may choose HTTP/2: the host is told in another place there, so hyper writes it
        where it belongs.

    Raises:
        Declined: It is not the URL's, or hyper would tell the length of a body that is none.
    """
    hosts = [value for name, value in headers if name.lower() == b"host"]
    is_without_length = request.method not in _WITHOUT_LENGTH and "content-length" not in request.headers
    if is_without_length or hosts != [request.url.netloc]:
        raise Declined("headers")
    return [(name, value) for name, value in headers if name.lower() != b"host"]


def is_http2(answer: native.Answer) -> bool:
    """Returns whether a response came over HTTP/2."""
    return answer.version == _HTTP2


def check_blanks(items: Iterable[Tuple[bytes, bytes]]) -> None:
    """
    Raises:
        Declined: There are blanks around a value, which h11 refuses.
    """
    if any(value != value.strip(_BLANKS) for _, value in items):
        raise Declined("headers")


def headers_by_h11(answer: native.Answer) -> Headers:
    """
    Returns:
        A response's headers, names in lower case; of HTTP/1 with one Content-Length at most, and no coding but
        `chunked`.

    Raises:
        httpx.RemoteProtocolError: h11 does not take such a response.
    """
    if is_http2(answer) or _is_usual(answer):
        return answer.headers
    try:
        return _as_h11(answer.status, answer.headers)
    except httpx.RemoteProtocolError:
        answer.close()  # which the exception would hold
        raise


def _is_usual(answer: native.Answer) -> bool:
    lengths = [value for name, value in answer.headers if name == b"content-length"]
    codings = [value for name, value in answer.headers if name == b"transfer-encoding"]
    is_one_length = not lengths or (len(lengths) == 1 and lengths[0].isdigit())
    return is_one_length and (not codings or codings == _CHUNKED) and answer.status != _SWITCHING


def _as_h11(status: int, headers: Headers) -> Headers:
    if status == _SWITCHING:  # nobody asked for it: `Upgrade` is declined
        raise pool_errors.of_httpcore(httpx.RemoteProtocolError, _SWITCHED)
    try:
        return h11.Response(status_code=status, headers=headers).headers.raw_items()
    except h11.LocalProtocolError as error:
        failures = [pool_errors.of_httpcore(httpx.RemoteProtocolError, str(error))]
    raise failures.pop()


class _Body:
    """
    The body of a response, as the pool reads it.

    Args:
        where: How far the request is.
        answer: Its response.
        headers: The response's, as the caller gets them.
        errors: What stands for the pool's errors.
    """

    def __init__(self, where: Where, answer: native.Answer, headers: Headers, errors: Errors) -> None:
        self._answer = answer
        self._where = where._replace(is_http2=is_http2(answer))
        self._headers = headers
        self._errors = errors
        self._received = 0

    def _failures(self, error: native.PoolError) -> List[Exception]:
        """What is to be raised in the place of an error; nothing where it is the body's end."""
        where = self._where._replace(headers=self._headers, received=self._received)
        return [] if pool_errors.is_end(error, where) else [self._errors.of(error, where)]


class Stream(_Body, httpx.SyncByteStream):
    """A body that is read by whoever wants it."""

    def __iter__(self) -> Iterator[bytes]:
        while (chunk := self._next()) is not None:
            self._received += len(chunk)
            yield chunk

    def close(self) -> None:
        """Gives the connection back, or closes it in the middle of a body."""
        self._answer.close()

    def _next(self) -> Optional[bytes]:
        try:
            while (chunk := self._answer.take()) is None and not self._answer.is_over:
                self._answer.wait(is_main_thread())
        except native.PoolError as error:
            failures = self._failures(error)
        else:
            return chunk
        if failures:
            raise failures.pop()
        return None


class AsyncStream(_Body, httpx.AsyncByteStream):
    """The same for coroutines."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await self._next()) is not None:
            self._received += len(chunk)
            yield chunk

    async def aclose(self) -> None:
        """Gives the connection back, or closes it in the middle of a body."""
        self._answer.close()

    async def _next(self) -> Optional[bytes]:
        try:
            while (chunk := self._answer.take()) is None and not self._answer.is_over:
                await waited(self._answer.begin)
        except native.PoolError as error:
            failures = self._failures(error)
        else:
            return chunk
        if failures:
            raise failures.pop()
        return None
