"""
What all candidates of `connection_pooling` do with a request: they check it, find its pool, write it and send it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Tuple

from fast_litellm.accel import native, reach
from fast_litellm.accel.candidates import pool_network, pool_settings, pool_waiting
from fast_litellm.accel.candidates.calls import bound
from fast_litellm.accel.candidates.pool_settings import Pools, PoolSettings
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined

if TYPE_CHECKING:
    from fast_litellm.accel.candidates.pool_errors import Errors, Headers
    from fast_litellm.accel.candidates.pool_messages import Plan

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
        self._wheres = tuple(pool_errors.Where(self.is_asynchronous, is_tls) for is_tls in (False, True))
        self._errors: Errors = pool_errors.HTTPX
        self._transport: type = getattr(reference, method.partition(".")[0])
        self._methods = reach.methods(self._transport)
        self._untouched = native.IdentityGuard([*reach.places(sources, method), *beneath])
        self._on_pythons_sockets = pool_network.are_sockets_pythons()
        self.build = f"fast-litellm {native.VERSION}"

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Plan:
        """
        Check that a request is one that goes out alike, and write it.

        Raises:
            Declined: It is not.
        """
        self._untouched.check()
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
            settings = self._settings(transport, request)
        except AttributeError:  # another release of httpcore or aiohttp keeps them elsewhere
            raise Declined("transport_settings") from None
        pool = _POOLS.find(transport, settings)
        try:
            exchange = pool.request(request.method, url, headers, body, timeouts)
        except ValueError as error:  # nothing has gone out
            raise Declined("request") from error
        return self._messages.Plan(exchange, request, self._wheres[settings.trust is not None])

    def _settings(self, transport: Any, request: Any) -> PoolSettings:
        raise NotImplementedError

    def _headers(self, transport: Any, request: Any, body: bytes) -> Headers:
        raise NotImplementedError

    def _body(self, request: Any) -> bytes:
        body: bytes = self._bodies.body_of(request)
        return body


def entered(plan: Plan, errors: Errors) -> native.Answer:
    """
    Returns:
        What has come in answer to a request, its body still to be read.

    Raises:
        Declined: No connection came about, so nothing was sent.
        Exception: What the reference raises.
    """
    try:
        return plan.exchange.wait(pool_waiting.is_main_thread())
    except native.PoolError as error:
        failures = [errors.of(error, plan.where)]
    raise failures.pop()


async def entered_async(plan: Plan, errors: Errors) -> native.Answer:
    """
    As `entered`.

    Raises:
        Declined: No connection came about, so nothing was sent.
        Exception: What the reference raises.
    """
    try:
        answer: native.Answer = await pool_waiting.waited(plan.exchange.begin)
    except native.PoolError as error:
        failures = [errors.of(error, plan.where)]
    else:
        return answer
    raise failures.pop()


def _bound(self: Any, request: Any) -> Tuple[Any, Any]:
    return self, request
