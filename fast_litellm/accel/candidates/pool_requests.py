"""
What all candidates of `connection_pooling` do with a request: they check it, find its pool, write it and send it.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from fast_litellm import settings as environment
from fast_litellm.accel import native, reach
from fast_litellm.accel.candidates import pool_network, pool_settings
from fast_litellm.accel.candidates.calls import bound
from fast_litellm.accel.candidates.pool_proxies import Proxy
from fast_litellm.accel.candidates.pool_settings import Limits, Pools, PoolSettings
from fast_litellm.accel.candidates.pool_trust import Trust
from fast_litellm.accel.candidates.pool_waiting import Cancellable
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined

if TYPE_CHECKING:
    from fast_litellm.accel.candidates.pool_errors import Errors, Where
    from fast_litellm.accel.candidates.pool_messages import Plan

Chosen = Tuple[Limits, Optional[Trust], Optional[Proxy], bool]
"""What a pool is made from, but for the timeouts."""

_POOLS = Pools()


class Pooling:
    """
    What all candidates do before a request goes out.

    Args:
        reference: The loaded module of the transport.
        sources: What the reference relies on.
        method: `Class.method`, the control.
        beneath: What the reference comes down to.
    """

    is_asynchronous = True

    def __init__(self, reference: Any, sources: Tuple[Source, ...], method: str, beneath: List[reach.Place]) -> None:
        from fast_litellm.accel.candidates import pool_bodies, pool_errors, pool_messages

        self._bodies, self._messages = pool_bodies, pool_messages
        plain, secure = (pool_errors.Where(self.is_asynchronous, is_tls) for is_tls in (False, True))
        self._wheres = plain, secure, secure._replace(is_tunnelled=True)
        self._errors: Errors = pool_errors.HTTPX
        self._transport: type = getattr(reference, method.partition(".")[0])
        self._methods = reach.methods(self._transport)
        self._untouched = native.IdentityGuard([*reach.places(sources, method), *beneath])
        self._on_pythons_sockets = pool_network.are_sockets_pythons()
        self._may_go_on = not self.is_asynchronous or environment.read().pool_async

    @functools.cached_property
    def build(self) -> str:
        """Names pyreqwest's release, and this package's."""
        from importlib import metadata

        try:
            return f"pyreqwest {metadata.version('pyreqwest')}, fast-litellm {native.VERSION}"
        except metadata.PackageNotFoundError:
            return "no pyreqwest"

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Plan:
        """
        Check that a request is one that goes out alike, and write it.

        Raises:
            Declined: It is not.
        """
        self._untouched.check()
        if not self._may_go_on:  # pyreqwest leaves a request running that is cancelled before its response has begun
            raise Declined("not_abortable")
        if not self._on_pythons_sockets:
            raise Declined("sockets")
        transport, request = bound(_bound, args, kwargs)
        if type(transport) is not self._transport:
            raise Declined("transport_type")
        if not self._methods.isdisjoint(vars(transport)):
            raise Declined("reference_patched")
        url, body = self._messages.url_of(request), self._body(request)
        timeouts = pool_settings.timeouts_of(request.extensions)
        try:
            headers = self._headers(transport, request, body)
            settings = PoolSettings(timeouts, *self._settings(transport, request))
        except AttributeError:  # another release of httpcore or aiohttp keeps them elsewhere
            raise Declined("transport_settings") from None
        pool = _POOLS.find(transport, settings, is_asynchronous=self.is_asynchronous)
        try:
            builder = pool.request(request.method, url).headers(headers)
            builder = (builder.body_bytes(body) if body else builder).streamed_read_buffer_limit(0)
            return self._messages.Plan(builder.build_streamed(), request, self._where(settings))
        except (TypeError, ValueError) as error:  # nothing has gone out
            raise Declined("request") from error

    def _where(self, settings: PoolSettings) -> Where:
        return self._wheres[0 if settings.trust is None else 1 if settings.proxy is None else 2]

    def _settings(self, transport: Any, request: Any) -> Chosen:
        raise NotImplementedError

    def _headers(self, transport: Any, request: Any, body: bytes) -> List[Tuple[str, str]]:
        raise NotImplementedError

    def _body(self, request: Any) -> bytes:
        body: bytes = self._bodies.body_of(request)
        return body


def bounded(connections: Optional[int]) -> Optional[int]:
    """Returns a limit, which both references write in their own way when there is none: 0, or what nobody reaches."""
    return connections if connections and connections < 1 << 20 else None


def check_loop() -> None:
    """
    Raises:
        Declined: The event loop is not asyncio's.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise Declined("event_loop") from None


def check_thread() -> None:
    """
    Leave the main thread's requests to httpx: Python handles signals there, and pyreqwest waits without looking for
    any, so that Ctrl-C would do nothing until the response has come.

    Raises:
        Declined: This is the main thread.
    """
    if threading.current_thread() is threading.main_thread():
        raise Declined("main_thread")


def entered(plan: Plan, errors: Errors) -> Any:
    """
    Returns:
        What pyreqwest has received in answer to a request, its body still to be read.

    Raises:
        Declined: No connection came about, so nothing was sent.
        Exception: What the reference raises.
    """
    try:
        return plan.exchange.__enter__()
    except Exception as error:
        failures = [errors.of(error, plan.where)]
    raise failures.pop()


async def entered_async(plan: Plan, errors: Errors) -> Any:
    """
    As `entered`.

    Raises:
        Declined: No connection came about, so nothing was sent.
        Exception: What the reference raises.
    """
    try:
        return await Cancellable(plan.exchange.__aenter__())
    except Exception as error:
        failures = [errors.of(error, plan.where)]
    raise failures.pop()


def _bound(self: Any, request: Any) -> Tuple[Any, Any]:
    return self, request
