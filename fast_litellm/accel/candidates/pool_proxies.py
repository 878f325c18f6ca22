"""
Proxies of httpx's transports.

Which request goes over which proxy httpx has decided when it chose a transport. A request for `http` is forwarded: it
goes to the proxy with its whole address, and with the proxy's headers among its own. One for `https` goes through a
tunnel, and the headers are the tunnel's. A proxy of SOCKS makes a tunnel for every request.
"""

from __future__ import annotations

import functools
import os
from typing import Any, List, NamedTuple, Optional, Tuple

from fast_litellm.accel.candidates.pool_trust import Trust, trust_of
from fast_litellm.errors import Declined

Told = List[Tuple[bytes, bytes]]
"""Headers."""

_PLAIN = ("ConnectionPool", "AsyncConnectionPool")
_PROXIED = ("HTTPProxy", "AsyncHTTPProxy")
_SOCKS = ("SOCKSProxy", "AsyncSOCKSProxy")
_SPECIAL = frozenset(
    {b"connection", b"content-length", b"expect", b"host", b"proxy-connection", b"te", b"trailer", b"transfer-encoding"}
)
"""Headers that would change the request to a proxy, or how it is framed."""
_USUAL_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


class Proxy(NamedTuple):
    """
    Where a pool sends its requests.

    Args:
        url: The proxy's, without credentials.
        headers: What a tunnel is asked for with, credentials among it.
        trust: Whom to believe where the proxy speaks TLS itself.
        credentials: Name and password for SOCKS.
    """

    url: str
    headers: Tuple[Tuple[bytes, bytes], ...] = ()
    trust: Optional[Trust] = None
    credentials: Optional[Tuple[str, str]] = None

    def __repr__(self) -> str:
        """Leaves out what holds credentials."""
        return f"Proxy({self.url!r})"


def proxy_of(pool: Any) -> Optional[Proxy]:
    """
    Args:
        pool: httpcore's.

    Raises:
        Declined: It is none that httpx makes, or what it sends to its proxy cannot be sent alike.
    """
    name = type(pool).__name__
    if name in _PLAIN:
        return None
    if name in _SOCKS:
        return Proxy(_url_of(pool), credentials=_credentials(pool._proxy_auth))
    if name not in _PROXIED:
        raise Declined("proxy")
    told = _told(pool)
    usual = [] if any(name.lower() == b"accept" for name, _ in told) else [(b"Accept", b"*/*")]
    is_tls = pool._proxy_url.scheme == b"https"
    return Proxy(_url_of(pool), (*usual, *told), _trust_of(pool) if is_tls else None)


def _url_of(pool: Any) -> str:
    scheme, host = (part.decode("ascii") for part in (pool._proxy_url.scheme, pool._proxy_url.host))
    return f"{scheme}://{host}:{pool._proxy_url.port or _USUAL_PORTS[scheme]}"


def _credentials(auth: Any) -> Optional[Tuple[str, str]]:
    try:
        return auth and (auth[0].decode("ascii"), auth[1].decode("ascii"))
    except UnicodeDecodeError:
        raise Declined("proxy") from None


def _trust_of(pool: Any) -> Trust:
    variables = (os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    return trust_of(pool._proxy_ssl_context or _usual_context(*variables))


@functools.lru_cache(maxsize=4)
def _usual_context(*_variables: Optional[str]) -> Any:
    """Returns what httpcore makes for each connection to a proxy where nobody has given it a context."""
    import httpcore

    return httpcore.default_ssl_context()


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
    return sorted(of_proxy + headers, key=lambda header: header[0].lower() != b"host")


def _told(pool: Any) -> Told:
    found: Told = list(pool._proxy_headers)
    if any(name.lower() in _SPECIAL or value != value.strip(b" \t") for name, value in found):
        raise Declined("proxy")
    return found
