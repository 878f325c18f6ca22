"""
Requests of httpx as pyreqwest sends them, and what comes back as httpx would have it: responses, streams, exceptions.
"""

from __future__ import annotations

import re
from typing import Any, AsyncIterator, Iterable, Iterator, List, Mapping, NamedTuple, Tuple, Type

import httpx

from fast_litellm.errors import Declined

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MOST_BYTES = 1 << 20
"""Of a body: while it is sent the time for a read runs already, which for the reference it does not."""
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


def url_of(request: httpx.Request) -> str:
    """
    Returns:
        The URL, which goes out as it is, without credentials: of those httpx has made a header.

    Raises:
        Declined: Rust's parser would write it otherwise.
    """
    found = request.url
    url = f"{found.scheme}://{found.netloc.decode()}{found.raw_path.decode()}"
    if not _URL.fullmatch(url) or _DOTS.search(url):
        raise Declined("url")
    return url


def body_of(request: httpx.Request) -> bytes:
    """
    Raises:
        Declined: The body is long, or comes bit by bit.
    """
    if type(request.stream) is not httpx.ByteStream:
        raise Declined("streamed_body")
    body = b"".join(request.stream)
    if len(body) > _MOST_BYTES:
        raise Declined("large_body")
    return body


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


def headers_from(response: Any) -> List[Tuple[bytes, bytes]]:
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


def _readable(headers: Any, name: str) -> List[str]:
    try:
        found: List[str] = headers.getall(name)
    except ValueError:
        return []
    return found


Error = Type[Exception]


class Errors(NamedTuple):
    """
    Which exception stands for what can go wrong.

    Args:
        connecting: No connection came about.
        securing: One did, and no TLS over it.
        broken: It broke, with an error of the operating system, before the response had begun.
        ended: It ended before that.
        wrong: What came over it is no HTTP.
        torn: It broke in the middle of a response.
        cut: It ended there.
    """

    connecting: Error
    securing: Error
    broken: Error
    ended: Error
    wrong: Error
    torn: Error
    cut: Error

    def of(self, error: Exception, *, has_begun: bool) -> Exception:
        """
        Returns:
            What the reference raises in the place of an error of pyreqwest; the error itself when it is none.
        """
        details = getattr(error, "details", None)
        if details is None:
            return error
        causes = [str(cause["message"]) for cause in details.get("causes") or ()]
        text = causes[-1] if causes else str(error)
        if isinstance(error, TimeoutError):
            return _timeout(error, causes)(text)
        return self._kind(causes, has_begun=has_begun)(text)

    def _kind(self, causes: List[str], *, has_begun: bool) -> Error:
        if _CONNECTING in causes:
            return self.connecting if any(place in causes for place in _BEFORE_TLS) else self.securing
        if any("os error" in cause for cause in causes):
            return self.torn if has_begun else self.broken
        if any(ending in cause.lower() for cause in causes for ending in _ENDINGS):
            return self.cut if has_begun else self.ended
        return self.wrong


_CONNECTING = "client error (Connect)"
_BEFORE_TLS = ("dns error", "tcp connect error")
_ENDINGS = ("connection closed", "end of file", "unexpected eof")
HTTPX = Errors(
    connecting=httpx.ConnectError,
    securing=httpx.ConnectError,
    broken=httpx.ReadError,
    ended=httpx.RemoteProtocolError,
    wrong=httpx.RemoteProtocolError,
    torn=httpx.ReadError,
    cut=httpx.RemoteProtocolError,
)


def litellm_errors(told: Mapping[Any, Error], aiohttp: Any) -> Errors:
    """
    Args:
        told: LiteLLM's own table: by the class that aiohttp raises, that of httpx.
        aiohttp: The module.
    """
    return Errors(
        connecting=told[aiohttp.ClientConnectorError],
        securing=told[aiohttp.ClientSSLError],
        broken=told[aiohttp.ClientOSError],
        ended=told[aiohttp.ServerDisconnectedError],
        wrong=told[aiohttp.ClientError],
        torn=told[aiohttp.ClientPayloadError],
        cut=told[aiohttp.ClientPayloadError],
    )


def _timeout(error: Exception, causes: List[str]) -> Error:
    if type(error).__name__ == "PoolTimeoutError":
        return httpx.PoolTimeout
    return httpx.ConnectTimeout if _CONNECTING in causes else httpx.ReadTimeout


class Stream(httpx.SyncByteStream):
    """
    The body of a response that pyreqwest reads.

    Args:
        exchange: The request, which ends with its response.
        response: Its response.
        errors: What stands for its errors.
    """

    def __init__(self, exchange: Any, response: Any, errors: Errors) -> None:
        self._exchange = exchange
        self._reader = response.body_reader
        self._errors = errors

    def __iter__(self) -> Iterator[bytes]:
        while (chunk := self._next()) is not None:
            yield bytes(chunk)

    def close(self) -> None:
        """Gives the connection back, or closes it in the middle of a body."""
        self._exchange.__exit__(None, None, None)

    def _next(self) -> Any:
        try:
            return self._reader.read_chunk()
        except Exception as error:
            raise self._errors.of(error, has_begun=True) from error


class AsyncStream(httpx.AsyncByteStream):
    """
    The same for coroutines.

    Args:
        exchange: The request, which ends with its response.
        response: Its response.
        errors: What stands for its errors.
    """

    def __init__(self, exchange: Any, response: Any, errors: Errors) -> None:
        self._exchange = exchange
        self._reader = response.body_reader
        self._errors = errors

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await self._next()) is not None:
            yield bytes(chunk)

    async def aclose(self) -> None:
        """Gives the connection back, or closes it in the middle of a body."""
        await self._exchange.__aexit__(None, None, None)

    async def _next(self) -> Any:
        try:
            return await self._reader.read_chunk()
        except Exception as error:
            raise self._errors.of(error, has_begun=True) from error
