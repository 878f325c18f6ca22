"""
Requests of httpx as pyreqwest sends them, and what comes back as httpx would have it: headers and streams.
"""

from __future__ import annotations

import re
from typing import Any, AsyncIterator, Iterable, Iterator, List, NamedTuple, Tuple

import h11
import httpx

from fast_litellm.accel.candidates import pool_errors
from fast_litellm.accel.candidates.pool_errors import Errors, Headers, Where
from fast_litellm.accel.candidates.pool_waiting import Cancellable
from fast_litellm.errors import Declined

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NEEDED = frozenset({"host", "accept", "user-agent"})
"""Headers that pyreqwest would add."""
_SPECIAL = frozenset(
    {"expect", "te", "trailer", "transfer-encoding", "upgrade", "proxy-authorization", "proxy-connection"}
)
_URL = re.compile(
    r"https?://"
    r"(?:[a-z0-9-]+\.)*(?:[a-z][a-z0-9-]*|(?<=//)(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2}))"
    r"(?::[0-9]+)?"
    r"/[A-Za-z0-9._~/:@!$&()*+,;=%-]*"
    r"(?:\?[A-Za-z0-9._~/:@!$&()*+,;=%?-]*)?"
)
"""URLs that Rust's parser leaves as they are."""
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:[/?]|$)", re.IGNORECASE)
"""Segments that it takes out."""
_BLANKS = b" \t"
_WITHOUT_LENGTH = ("GET", "HEAD")
_CHUNKED = ["chunked"]
_HTTP2 = "HTTP/2.0"
_SWITCHING = 101
_SWITCHED = "Received server _SWITCH_UPGRADE event without a pending proposal"


class Plan(NamedTuple):
    """
    One request, prepared.

    Args:
        exchange: What pyreqwest sends when it is entered.
        request: As httpx has it.
        where: How far it is.
    """

    exchange: Any
    request: Any
    where: Where


def url_of(request: httpx.Request) -> str:
    """
    Returns:
        The URL, which goes out as it is, without credentials: of those httpx has made a header.

    Raises:
        Declined: Rust's parser would write it otherwise.
    """
    found = request.url
    url = f"{found.scheme}://{found.netloc.decode()}{found.raw_path.decode()}"
    check_url(url)
    return url


def check_url(url: str) -> None:
    """
    Raises:
        Declined: Rust's parser would write a URL otherwise.
    """
    if not _URL.fullmatch(url) or _DOTS.search(url):
        raise Declined("url")


def headers_of(request: httpx.Request, items: Iterable[Tuple[bytes, bytes]], body: bytes) -> List[Tuple[str, str]]:
    """
    Args:
        request: The request.
        items: Its headers, as the reference sends them.
        body: Its body.

    Returns:
        The headers, in order and with duplicates.

    Raises:
        Declined: They ask for something of the connection, or pyreqwest would add or change one.
    """
    try:
        found = [(name.decode("ascii"), value.decode("ascii")) for name, value in items]
    except UnicodeDecodeError:
        raise Declined("headers") from None
    names = {name.lower(): value for name, value in found}
    if request.method not in _METHODS or not names.keys() >= _NEEDED or _SPECIAL & names.keys():
        raise Declined("headers")
    if names.get("connection", "keep-alive").lower() != "keep-alive" or names.get(
        "content-length", str(len(body))
    ) != str(len(body)):
        raise Declined("headers")
    if body and "content-type" not in names:  # aiohttp would add one
        raise Declined("headers")
    return found


def by_authority(request: httpx.Request, headers: List[Tuple[str, str]]) -> List[Tuple[str, str]]:
    """
    Returns:
        The headers for a server that may choose HTTP/2: the host is told in another place there, so pyreqwest writes
        it where it belongs.

    Raises:
        Declined: It is not the URL's, or pyreqwest would tell the length of a body that is none.
    """
    hosts = [value for name, value in headers if name.lower() == "host"]
    is_without_length = request.method not in _WITHOUT_LENGTH and "content-length" not in request.headers
    if is_without_length or hosts != [request.url.netloc.decode("ascii")]:
        raise Declined("headers")
    return [(name, value) for name, value in headers if name.lower() != "host"]


def is_http2(response: Any) -> bool:
    """Returns whether a response came over HTTP/2."""
    found: bool = response.version == _HTTP2
    return found


def check_blanks(items: Iterable[Tuple[bytes, bytes]]) -> None:
    """
    Raises:
        Declined: There are blanks around a value, which h11 refuses and pyreqwest would cut.
    """
    if any(value != value.strip(_BLANKS) for _, value in items):
        raise Declined("headers")


def headers_from(response: Any) -> Headers:
    """
    Returns:
        A response's headers, names in lower case; without those whose value is not ASCII, which pyreqwest cannot read.
    """
    headers = response.headers
    try:
        return [(name.encode(), value.encode()) for name, value in headers.items()]
    except ValueError:
        return [
            (name.encode(), value.encode()) for name in dict.fromkeys(headers) for value in _readable(headers, name)
        ]


def headers_by_h11(response: Any) -> Headers:
    """
    Returns:
        The same for httpx's transports; of HTTP/1 with one Content-Length at most, and no coding but `chunked`.

    Raises:
        httpx.RemoteProtocolError: h11 does not take such a response.
    """
    found = headers_from(response)
    return found if is_http2(response) or _is_usual(response) else _as_h11(response.status, found)


def _is_usual(response: Any) -> bool:
    try:
        lengths, codings = response.get_header_all("content-length"), response.get_header_all("transfer-encoding")
    except ValueError:  # not ASCII
        return False
    is_one_length = not lengths or (len(lengths) == 1 and lengths[0].isdigit())
    return is_one_length and (not codings or codings == _CHUNKED) and response.status != _SWITCHING


def _as_h11(status: int, headers: Headers) -> Headers:
    if status == _SWITCHING:  # nobody asked for it: `Upgrade` is declined
        raise pool_errors.of_httpcore(httpx.RemoteProtocolError, _SWITCHED)
    try:
        return h11.Response(status_code=status, headers=headers).headers.raw_items()
    except h11.LocalProtocolError as error:
        failures = [pool_errors.of_httpcore(httpx.RemoteProtocolError, str(error))]
    raise failures.pop()


def _readable(headers: Any, name: str) -> List[str]:
    try:
        found: List[str] = headers.getall(name)
    except ValueError:
        return []
    return found


class _Body:
    """
    The body of a response that pyreqwest reads.

    Args:
        plan: The request, whose exchange ends with its response.
        response: Its response.
        headers: The response's, as the caller gets them.
        errors: What stands for pyreqwest's errors.
    """

    def __init__(self, plan: Plan, response: Any, headers: Headers, errors: Errors) -> None:
        self._exchange = plan.exchange
        self._reader = response.body_reader
        self._where = plan.where._replace(is_http2=is_http2(response))
        self._headers = headers
        self._errors = errors
        self._received = 0

    def _failures(self, error: Exception) -> List[Exception]:
        """What is to be raised in the place of an error; nothing where it is the body's end."""
        where = self._where._replace(headers=self._headers, received=self._received)
        return [] if pool_errors.is_end(error, where) else [self._errors.of(error, where)]


class Stream(_Body, httpx.SyncByteStream):
    """A body that is read by whoever wants it."""

    def __iter__(self) -> Iterator[bytes]:
        while (chunk := self._next()) is not None:
            self._received += len(chunk)
            yield bytes(chunk)

    def close(self) -> None:
        """Gives the connection back, or closes it in the middle of a body."""
        self._exchange.__exit__(None, None, None)

    def _next(self) -> Any:
        try:
            return self._reader.read_chunk()
        except Exception as error:
            failures = self._failures(error)
        if failures:
            raise failures.pop()
        return None


class AsyncStream(_Body, httpx.AsyncByteStream):
    """The same for coroutines."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await self._next()) is not None:
            self._received += len(chunk)
            yield bytes(chunk)

    async def aclose(self) -> None:
        """Gives the connection back, or closes it in the middle of a body."""
        await Cancellable(self._exchange.__aexit__(None, None, None))

    async def _next(self) -> Any:
        try:
            return await Cancellable(self._reader.read_chunk())
        except Exception as error:
            failures = self._failures(error)
        if failures:
            raise failures.pop()
        return None
