"""
What a transport of httpx or LiteLLM is set to, and a pool of pyreqwest that is set alike.

A pool is made for one set of settings and kept with its transport. Settings that pyreqwest does not have are declined.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import weakref
from typing import Any, Dict, NamedTuple, Optional, Tuple

from fast_litellm.accel.candidates import pool_identity, pool_library, pool_proxies
from fast_litellm.accel.candidates.pool_proxies import Proxy
from fast_litellm.accel.candidates.pool_trust import Trust
from fast_litellm.errors import Declined

Timeouts = Tuple[Optional[float], Optional[float], Optional[float]]
"""Seconds for connecting, for one read, and for waiting for a connection; None is no limit."""

_SCOPES = ("connect", "read", "pool")
_LATER = 0.1
"""Seconds that connecting is given before reading is over, whose time pyreqwest has begin with the request."""
_SHORT = 1.0
"""A time for reading below this is not made longer."""
_KEPT_FOR_EVER = dt.timedelta(days=365)
_WINDOW, _HEADERS = 1 << 24, 1 << 16
_MOST_POOLS = 8
"""Of one transport: a program that gives each request another timeout would have as many pools."""
_FEW = 100
"""Fewer connections than httpx's default are a bound that somebody has set, and each further pool has as many again."""


class Limits(NamedTuple):
    """
    How many connections a pool has.

    Args:
        connections: At most, or None.
        idle: Of those that are kept, or None.
        idle_seconds: How long one is kept, or None.
    """

    connections: Optional[int]
    idle: Optional[int]
    idle_seconds: Optional[float]


class PoolSettings(NamedTuple):
    """
    All that a pool is made from.

    Args:
        timeouts: As httpx has them for one request.
        limits: The transport's.
        trust: None for a pool that never uses TLS.
        proxy: Over which its requests go, if any.
        has_http2: Whether it speaks HTTP/2 with servers that choose it.
    """

    timeouts: Timeouts
    limits: Limits
    trust: Optional[Trust]
    proxy: Optional[Proxy] = None
    has_http2: bool = False


def timeouts_of(extensions: Any) -> Timeouts:
    """
    Args:
        extensions: A request's.

    Returns:
        Its timeouts.

    Raises:
        Declined: There is something else among them, a timeout is none, or one for a read would end connecting, because
            pyreqwest has it begin with the request.
    """
    if any(name != "timeout" for name in extensions):
        raise Declined("request_extension")
    given = extensions.get("timeout") or {}
    found = tuple(given.get(scope) for scope in _SCOPES)
    if any(value is not None and (type(value) not in (int, float) or value <= 0) for value in found):
        raise Declined("timeout")
    connect, read, pool = found
    if read is not None and (connect is None or connect > read or (connect + _LATER > read and read < _SHORT)):
        raise Declined("timeout")
    return connect, read, pool


class Pools:
    """The pools of every transport, as long as it lives."""

    def __init__(self) -> None:
        self._pools: weakref.WeakKeyDictionary[Any, Dict[PoolSettings, Any]] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()
        self._process: Optional[int] = None

    def find(self, transport: Any, settings: PoolSettings, *, is_asynchronous: bool) -> Any:
        """
        Raises:
            Declined: pyreqwest cannot have such a pool, or its threads are those of a parent process.
        """
        if self._process not in (None, os.getpid()):
            raise Declined("forked")
        pools = self._pools.get(transport)
        pool = None if pools is None else pools.get(settings)
        return self._add(transport, settings, is_asynchronous=is_asynchronous) if pool is None else pool

    def _add(self, transport: Any, settings: PoolSettings, *, is_asynchronous: bool) -> Any:
        with self._lock:
            pools = self._pools.setdefault(transport, {})
            if settings not in pools:
                if len(pools) >= _most_pools(settings.limits):
                    raise Declined("pools")
                pools[settings] = make_pool(transport, settings, is_asynchronous=is_asynchronous)
                self._process = os.getpid()
            return pools[settings]


def http2_of(pool: Any, limits: Limits) -> bool:
    """
    Args:
        pool: httpcore's.
        limits: Its limits.

    Returns:
        Whether it speaks HTTP/2 with servers that choose it.

    Raises:
        Declined: It does, and its connections are few: each carries a hundred requests, where pyreqwest counts these.
    """
    if pool._http2 and _most_pools(limits) == 1:
        raise Declined("http2")
    return bool(pool._http2)


def _most_pools(limits: Limits) -> int:
    return _MOST_POOLS if limits.connections is None or limits.connections >= _FEW else 1


def make_pool(transport: Any, settings: PoolSettings, *, is_asynchronous: bool) -> Any:
    """
    Returns:
        A client of pyreqwest that does nothing on its own account, be it redirects, cookies, proxies or decoding.

    Raises:
        Declined: pyreqwest is not installed, or does not take the settings.
    """
    module = pool_library.loaded()
    if module is None:
        raise Declined("pyreqwest_absent")
    builder = module.ClientBuilder() if is_asynchronous else module.SyncClientBuilder()
    try:
        builder = _speaking(_plain(builder), has_http2=settings.has_http2)
        builder = _limited(_timed(builder, _kept_to(settings)), settings.limits)
        builder = pool_proxies.over(builder, settings.proxy, transport, is_tunnel=settings.trust is not None)
        return _trusting(builder, settings.trust).build()
    except (TypeError, ValueError, OverflowError) as error:
        raise Declined("pool_settings") from error


def _plain(builder: Any) -> Any:
    builder = builder.no_proxy().follow_redirects(False).referer(False).default_cookie_store(False)
    builder = builder.http1_allow_obsolete_multiline_headers_in_responses(True)
    return builder.gzip(False).brotli(False).zstd(False).deflate(False)


def _speaking(builder: Any, *, has_http2: bool) -> Any:
    """Returns a builder with httpcore's settings of HTTP/2: how much may come before it has been read, and headers."""
    if not has_http2:
        return builder.http1_only()
    builder = builder.http2(True).http2_initial_stream_window_size(_WINDOW)
    return builder.http2_initial_connection_window_size(_WINDOW).http2_max_header_list_size(_HEADERS)


def _kept_to(settings: PoolSettings) -> Timeouts:
    """
    Returns:
        The timeouts, but for a place in a connection of HTTP/2, for which httpcore waits as long as it takes, and for a
        read, so that connecting is over before it.
    """
    connect, read, pool = settings.timeouts
    if connect is not None and read is not None:
        read = max(read, connect + _LATER)
    return connect, read, None if settings.has_http2 else pool


def _timed(builder: Any, timeouts: Timeouts) -> Any:
    for scope, seconds in zip(_SCOPES, timeouts):
        if seconds is not None:
            builder = getattr(builder, f"{scope}_timeout")(dt.timedelta(seconds=seconds))
    return builder


def _limited(builder: Any, limits: Limits) -> Any:
    if limits.connections is not None:
        builder = builder.max_connections(limits.connections)
    if limits.idle is not None:
        builder = builder.pool_max_idle_per_host(limits.idle)
    seconds = limits.idle_seconds
    return builder.pool_idle_timeout(_KEPT_FOR_EVER if seconds is None else dt.timedelta(seconds=seconds))


def _trusting(builder: Any, trust: Optional[Trust]) -> Any:
    if trust is None:
        return builder
    if trust.version is not None:
        builder = builder.min_tls_version(trust.version).max_tls_version(trust.version)
    if trust.chain:
        builder = builder.identity_pem(pool_identity.pem_of(trust.chain))
    if not trust.is_verified:
        return builder.danger_accept_invalid_certs(True)
    for certificate in trust.roots:
        builder = builder.add_root_certificate_der(certificate)
    return builder
