"""
What stands between the transports and the network. Where somebody has put an object of his own there, as libraries that
play the network in tests do, the control uses it and the candidate would go past it.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import socket
from typing import Any, List

from fast_litellm.accel.reach import Place

_NAMES = ("socket", "create_connection", "getaddrinfo")
_SOCKETS: List[Place] = [
    *((vars(socket), name) for name in _NAMES),
    (asyncio.BaseEventLoop, "create_connection"),
]


def beneath_httpx() -> List[Place]:
    """Returns what httpx's transports come down to, as places for a guard."""
    import httpcore
    from httpcore._async import http_proxy as async_proxies
    from httpcore._sync import http_proxy as proxies

    return [
        *((owner, "handle_request") for owner in (proxies.ForwardHTTPConnection, proxies.TunnelHTTPConnection)),
        *(
            (owner, "handle_async_request")
            for owner in (async_proxies.AsyncForwardHTTPConnection, async_proxies.AsyncTunnelHTTPConnection)
        ),
        *((owner, "handle_request") for owner in (httpcore.ConnectionPool, httpcore.HTTPConnection)),
        *((owner, "handle_async_request") for owner in (httpcore.AsyncConnectionPool, httpcore.AsyncHTTPConnection)),
        *_beneath_socks(),
        (httpcore.SyncBackend, "connect_tcp"),
        (httpcore.AnyIOBackend, "connect_tcp"),
        *_SOCKETS,
    ]


def _beneath_socks() -> List[Place]:
    if not is_socks_known():
        return []
    from httpcore._async.socks_proxy import AsyncSocks5Connection
    from httpcore._sync.socks_proxy import Socks5Connection

    return [(Socks5Connection, "handle_request"), (AsyncSocks5Connection, "handle_async_request")]


def beneath_aiohttp() -> List[Place]:
    """Returns what LiteLLM's transport comes down to, as places for a guard."""
    import aiohttp

    return [(aiohttp.ClientSession, "request"), (aiohttp.ClientSession, "_request"), *_connecting(aiohttp), *_SOCKETS]


def are_sockets_pythons() -> bool:
    """
    Returns:
        Whether connections are made by Python's own sockets. gevent's and eventlet's let others take their turn where a
        pool's threads would be waited for; others go through a proxy of their own.
    """
    return all(getattr(socket, name).__module__ == socket.__name__ for name in _NAMES)


@functools.cache
def is_socks_known() -> bool:
    """Returns whether the package is there with which httpcore speaks SOCKS."""
    return importlib.util.find_spec("socksio") is not None


def is_read_in_c() -> bool:
    """Returns whether the responses that aiohttp receives are read by compiled code, as they are by all its wheels'."""
    from aiohttp import http_parser

    return http_parser.HttpResponseParser is not http_parser.HttpResponseParserPy


def is_usual_pool(pool: Any) -> bool:
    """Returns whether a pool of httpcore is one as httpx makes it, over the network."""
    options = (pool._retries, pool._uds, pool._socket_options, not pool._http1)
    is_own = "handle_request" in vars(pool) or "handle_async_request" in vars(pool)
    return _usual_backends().get(type(pool)) is type(pool._network_backend) and not (is_own or any(options))


def is_usual_session(session: Any) -> bool:
    """Returns whether a session of aiohttp is one as LiteLLM makes it, and adds nothing to a request."""
    import aiohttp

    classes = (aiohttp.ClientSession, aiohttp.ClientRequest, aiohttp.ClientResponse)
    if (type(session), session._request_class, session._response_class) != classes:
        return False
    adds = (session.headers, session.auth, session._base_url, session.trace_configs, session._middlewares)
    is_own = "request" in vars(session) or "_request" in vars(session)
    return not (any(adds) or is_own or session.trust_env) and type(session.cookie_jar) is aiohttp.DummyCookieJar


def is_usual_connector(connector: Any) -> bool:
    """Returns whether a connector of aiohttp finds hosts and opens connections as everybody does."""
    import aiohttp

    if type(connector) is not aiohttp.TCPConnector or "connect" in vars(connector):
        return False
    is_special = (connector._local_addr_infos, connector.force_close, getattr(connector, "_socket_factory", None))
    return not any(is_special) and type(connector._resolver) in (aiohttp.ThreadedResolver, aiohttp.AsyncResolver)


def _connecting(aiohttp: Any) -> List[Place]:
    return [(aiohttp.TCPConnector, "connect"), (aiohttp.ThreadedResolver, "resolve")]


@functools.cache
def _usual_backends() -> Any:
    import httpcore

    pools: List[Any] = [httpcore.ConnectionPool(), httpcore.AsyncConnectionPool()]
    pools += [kind(proxy_url="http://proxy.invalid") for kind in (httpcore.HTTPProxy, httpcore.AsyncHTTPProxy)]
    if is_socks_known():
        pools += [kind(proxy_url="socks5://proxy.invalid") for kind in (httpcore.SOCKSProxy, httpcore.AsyncSOCKSProxy)]
    return {type(pool): type(pool._network_backend) for pool in pools}
