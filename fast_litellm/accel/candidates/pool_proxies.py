"""
Proxies of httpx's transports, and pools of pyreqwest that send over them.

Which request goes over which proxy httpx has decided when it chose a transport. A request for `http` is forwarded: it
goes to the proxy with its whole address, and with the proxy's headers among its own. One for `https` goes through a
tunnel, and the headers are the tunnel's. They hold credentials, so a pool is known by a digest of them.
"""

from __future__ import annotations

import hashlib
import importlib
from typing import Any, List, NamedTuple, Optional, Tuple

from fast_litellm.errors import Declined

Told = List[Tuple[str, str]]
"""Headers."""

_PLAIN = ("ConnectionPool", "AsyncConnectionPool")
_PROXIED = ("HTTPProxy", "AsyncHTTPProxy")
_SPECIAL = frozenset(
    {"connection", "content-length", "expect", "host", "proxy-connection", "te", "trailer", "transfer-encoding"}
)
"""Headers that would change the request to a proxy, or how it is framed."""
_USUAL_PORT = 80


class Proxy(NamedTuple):
    """
    Where a pool sends its requests.

    Args:
        url: The proxy's, without credentials.
        digest: Of what it is told.
    """

    url: str
    digest: bytes


def proxy_of(pool: Any) -> Optional[Proxy]:
    """
    Args:
        pool: httpcore's.

    Raises:
        Declined: It is none that httpx makes, or its proxy speaks SOCKS or TLS.
    """
    from fast_litellm.accel.candidates import pool_messages

    if type(pool).__name__ in _PLAIN:
        return None
    if type(pool).__name__ not in _PROXIED or pool._proxy_url.scheme != b"http":
        raise Declined("proxy")
    url = f"http://{pool._proxy_url.host.decode('ascii')}:{pool._proxy_url.port or _USUAL_PORT}"
    pool_messages.check_url(url + "/")
    return Proxy(url, hashlib.sha256(repr(pool._proxy_headers).encode()).digest())


def forwarded(pool: Any, headers: Told) -> Told:
    """
    Args:
        pool: httpcore's.
        headers: A request's for `http`.

    Returns:
        The same where there is no proxy; otherwise the host, the proxy's, but for those that the request has as well,
        and the request's, as h11 writes them.

    Raises:
        Declined: The proxy's are not such as can be sent.
    """
    if type(pool).__name__ not in _PROXIED:
        return headers
    names = {name.lower() for name, _ in headers}
    of_proxy = [(name, value) for name, value in _told(pool) if name.lower() not in names]
    return sorted(of_proxy + headers, key=lambda header: header[0].lower() != "host")


def over(builder: Any, proxy: Optional[Proxy], transport: Any, *, is_tunnel: bool) -> Any:
    """
    Returns:
        A builder of pyreqwest whose client sends over a transport's proxy, if it has one.

    Raises:
        Declined: The proxy's headers are not such as can be sent.
    """
    if proxy is None:
        return builder
    kinds = importlib.import_module("pyreqwest.proxy").ProxyBuilder
    if not is_tunnel:
        return builder.proxy(kinds.http(proxy.url))
    told = _told(transport._pool)
    names = {name.lower(): value for name, value in told}
    usual = [] if "accept" in names else [("Accept", "*/*")]
    # A tunnel is asked for in the name of the client, which httpcore does not tell; each request has its own.
    builder = builder.user_agent(names.get("user-agent", ""))
    return builder.proxy(kinds.https(proxy.url).headers(usual + told))


def _told(pool: Any) -> Told:
    try:
        found = [(name.decode("ascii"), value.decode("ascii")) for name, value in pool._proxy_headers]
    except UnicodeDecodeError:
        raise Declined("proxy") from None
    if any(name.lower() in _SPECIAL or value != value.strip(" \t") for name, value in found):
        raise Declined("proxy")
    return found
