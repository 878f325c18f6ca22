"""
What a transport of httpx or LiteLLM is set to, and a native pool that is set alike.

A pool is made for one set of settings and kept with its transport.
"""

from __future__ import annotations

import os
import signal
import weakref
from typing import Any, Dict, NamedTuple, Optional, Tuple

from fast_litellm.accel import native
from fast_litellm.accel.candidates import pool_identity
from fast_litellm.accel.candidates.pool_proxies import Proxy
from fast_litellm.accel.candidates.pool_trust import Trust
from fast_litellm.errors import Declined

Timeouts = Tuple[Optional[float], Optional[float], Optional[float], Optional[float]]
"""Seconds for connecting, for one read, for one write, and for waiting for a connection; None is no limit."""

_SCOPES = ("connect", "read", "write", "pool")
_MOST_POOLS = 8
"""Of one transport, whose context of TLS somebody goes on changing."""
_LONGEST_S = 1e9
"""Of timeouts: some systems' sockets take no more than 68 years in seconds, and `socket` says so in an exception."""
_FEW = 100
"""Fewer connections than httpx's default are a bound that somebody has set."""


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
        limits: The transport's.
        trust: None for a pool that never uses TLS.
        proxy: Over which its requests go, if any.
        has_http2: Whether it speaks HTTP/2 with servers that choose it.
        local_address: Where its connections come from, or None.
    """

    limits: Limits
    trust: Optional[Trust] = None
    proxy: Optional[Proxy] = None
    has_http2: bool = False
    local_address: Optional[str] = None


def timeouts_of(extensions: Any) -> Timeouts:
    """
    Args:
        extensions: A request's.

    Returns:
        Its timeouts.

    Raises:
        Declined: There is something else among them, or a timeout is none, or more than a socket is told in seconds.
    """
    if any(name != "timeout" for name in extensions):
        raise Declined("request_extension")
    given = extensions.get("timeout") or {}
    connect, read, write, pool = map(given.get, _SCOPES)
    found = connect, read, write, pool
    if any(value is not None and (type(value) not in (int, float) or not 0 < value < _LONGEST_S) for value in found):
        raise Declined("timeout")
    return found


class Pools:
    """The pools of every transport, as long as it lives."""

    def __init__(self) -> None:
        self._pools: weakref.WeakKeyDictionary[Any, Dict[PoolSettings, native.ConnectionPool]] = (
            weakref.WeakKeyDictionary()
        )
        self._process: Optional[int] = None

    def find(self, transport: Any, settings: PoolSettings) -> native.ConnectionPool:
        """
        Raises:
            Declined: There cannot be such a pool, or its thread is one of a parent process.
        """
        if self._process not in (None, os.getpid()):
            raise Declined("forked")
        pools = self._pools.get(transport)
        pool = None if pools is None else pools.get(settings)
        return self._add(transport, settings) if pool is None else pool

    def _add(self, transport: Any, settings: PoolSettings) -> native.ConnectionPool:
        """Without a lock: a signal's handler may come here while one is made, and of two that are made one is kept."""
        pools = self._pools.setdefault(transport, {})
        if len(pools) >= _MOST_POOLS:
            raise Declined("pools")
        if self._process is None:
            _begin_thread()
            self._process = os.getpid()
        return pools.setdefault(settings, make_pool(settings))


def _begin_thread() -> None:
    """
    Has the thread of connections begin, on which no signal of the program's is to arrive, nor on those that it begins.

    Raises:
        Declined: The system gives no thread.
    """
    mask = getattr(signal, "pthread_sigmask", None)
    before = mask(signal.SIG_BLOCK, signal.valid_signals()) if mask else ()
    try:
        native.begin_connections()
    except OSError:
        raise Declined("no_thread") from None
    finally:
        if mask:
            mask(signal.SIG_SETMASK, before)


def http2_of(pool: Any, limits: Limits) -> bool:
    """
    Args:
        pool: httpcore's.
        limits: Its limits.

    Returns:
        Whether it speaks HTTP/2 with servers that choose it.

    Raises:
        Declined: It does, and its connections are few: each carries a hundred requests, where the pool counts these.
    """
    if pool._http2 and limits.connections is not None and limits.connections < _FEW:
        raise Declined("http2")
    return bool(pool._http2)


def make_pool(settings: PoolSettings) -> native.ConnectionPool:
    """
    Raises:
        Declined: rustls does not take the settings.
    """
    trust, proxy = settings.trust, settings.proxy
    try:
        return native.ConnectionPool(
            settings.limits,
            None if trust is None else _trusted(trust),
            None if proxy is None else _proxied(proxy),
            settings.local_address,
            settings.has_http2,
        )
    except (ValueError, OverflowError) as error:
        raise Declined("pool_settings") from error


def _proxied(proxy: Proxy) -> Tuple[Any, ...]:
    trust = None if proxy.trust is None else _trusted(proxy.trust)
    return proxy.url, list(proxy.headers), trust, proxy.credentials


def _trusted(trust: Trust) -> Tuple[Any, ...]:
    identity = pool_identity.pem_of(trust.chain) if trust.chain else None
    return list(trust.roots), trust.is_verified, trust.has_tls12, trust.has_tls13, identity
