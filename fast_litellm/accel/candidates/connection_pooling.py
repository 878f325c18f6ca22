"""
The candidates of `connection_pooling`: requests over a native pool in the place of httpcore's and aiohttp's.

They stand at the method by which a transport handles a request, so that rules decide for each request, whatever client
it comes from, and a decline is a request of the original transport. A request is made once: what fails has failed,
unless no connection came about. Then nothing was sent, and the original transport tries, and says what is wrong.
What the pool does not do as the reference is declined: sockets' options, bodies that are made while they are sent, and
what a context of TLS can be set to that rustls cannot.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Dict, Tuple

from fast_litellm.accel.candidates import pool_network, pool_proxies, pool_requests, pool_settings, pool_waiting
from fast_litellm.accel.candidates.pool_settings import Limits, PoolSettings
from fast_litellm.accel.candidates.pool_trust import trust_of
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined

if TYPE_CHECKING:
    from fast_litellm.accel import native
    from fast_litellm.accel.candidates.pool_errors import Headers
    from fast_litellm.accel.candidates.pool_messages import Plan

HTTPX_SOURCES: Tuple[Source, ...] = (Source("httpx._transports.default"),)
LITELLM_SOURCES: Tuple[Source, ...] = (
    Source("litellm.llms.custom_httpx.aiohttp_transport"),
    Source("litellm.llms.custom_httpx.http_handler", ("_create_ssl_context", "get_ssl_configuration")),
)
"""The parts of httpx and of LiteLLM that hold the transports."""

_BODILESS = ("GET", "HEAD", "OPTIONS")
_NEEDED = ("accept", "user-agent")
"""Headers that aiohttp would add."""


class _HttpxPooling(pool_requests.Pooling):
    """The candidates for the transports of httpx."""

    def __init__(self, reference: Any, method: str) -> None:
        with reference.map_httpcore_exceptions():
            pass  # httpx fills its table when it is first needed, which the guard would take for a patch
        super().__init__(reference, HTTPX_SOURCES, method, pool_network.beneath_httpx())

    def _settings(self, transport: Any, request: Any) -> PoolSettings:
        pool = transport._pool
        proxy = pool_proxies.proxy_of(pool)
        if not pool_network.is_usual_pool(pool) or pool._max_connections < 1:
            raise Declined("transport_settings")
        connections = pool._max_connections if pool._max_connections < sys.maxsize else None
        limits = Limits(connections, pool._max_keepalive_connections, pool._keepalive_expiry)
        local = pool._local_address
        if request.url.scheme != "https":  # no server is asked whether it speaks HTTP/2
            return PoolSettings(limits, None, proxy, local_address=local)
        return PoolSettings(limits, trust_of(pool._ssl_context), proxy, pool_settings.http2_of(pool, limits), local)

    def _headers(self, transport: Any, request: Any, body: bytes) -> Headers:
        headers: Headers = request.headers.raw
        self._messages.check_blanks(headers)
        self._messages.check_headers(request, headers, body)
        if request.url.scheme != "https":
            return pool_proxies.forwarded(transport._pool, headers)
        return self._messages.by_authority(request, headers) if transport._pool._http2 else headers

    def _response(self, answer: native.Answer, headers: Headers, stream: Any) -> Any:
        import httpx

        extensions: Dict[str, Any] = {"http_version": answer.version}
        if not self._messages.is_http2(answer):
            extensions["reason_phrase"] = answer.reason
        return httpx.Response(answer.status, headers=headers, stream=stream, extensions=extensions)


class HttpxPoolingCandidate(_HttpxPooling):
    """
    Handles requests as `httpx.HTTPTransport.handle_request`, or declines.

    Args:
        reference: The loaded module `httpx._transports.default`.
        semantics: There is one.
    """

    is_asynchronous = False

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        super().__init__(reference, "HTTPTransport.handle_request")

    def run(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:  # noqa: ARG002 - it is in the plan
        """
        Returns:
            The response, its body still to be read.

        Raises:
            Declined: No connection came about, so nothing was sent.
            Exception: What httpx raises.
        """
        answer = pool_requests.entered(plan, self._errors)
        headers = self._messages.headers_by_h11(answer)
        return self._response(answer, headers, self._messages.Stream(plan.where, answer, headers, self._errors))


class AsyncHttpxPoolingCandidate(_HttpxPooling):
    """
    Handles requests as `httpx.AsyncHTTPTransport.handle_async_request`, or declines.

    Args:
        reference: The loaded module `httpx._transports.default`.
        semantics: There is one.
    """

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        super().__init__(reference, "AsyncHTTPTransport.handle_async_request")

    async def run(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:  # noqa: ARG002 - as above
        """
        Returns:
            The response, its body still to be read.

        Raises:
            Declined: No connection came about, so nothing was sent.
            Exception: What httpx raises.
        """
        answer = await pool_requests.entered_async(plan, self._errors)
        headers = self._messages.headers_by_h11(answer)
        return self._response(answer, headers, self._messages.AsyncStream(plan.where, answer, headers, self._errors))

    def _settings(self, transport: Any, request: Any) -> PoolSettings:
        pool_waiting.check_loop()
        return super()._settings(transport, request)


class LiteLLMPoolingCandidate(pool_requests.Pooling):
    """
    Handles requests as LiteLLM's transport over aiohttp, or declines: over one that is compiled nothing is gained, and
    where much goes on at once, or in many small pieces, threads that wake each other cost more than they save.

    Args:
        reference: The loaded module `litellm.llms.custom_httpx.aiohttp_transport`.
        semantics: There is one.
    """

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        from fast_litellm.accel.candidates.pool_errors import litellm_errors

        method = "LiteLLMAiohttpTransport.handle_async_request"
        super().__init__(reference, LITELLM_SOURCES, method, pool_network.beneath_aiohttp())
        self._errors = litellm_errors(reference.AIOHTTP_EXC_MAP, reference.aiohttp)
        self._is_compiled = pool_network.is_read_in_c()

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Plan:
        """
        As every candidate of this file.

        Raises:
            Declined: aiohttp is compiled, or the request is not one that goes out alike.
        """
        if self._is_compiled:
            raise Declined("compiled_reference")
        return super().prepare(args, kwargs)

    async def run(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:  # noqa: ARG002 - as above
        """
        Returns:
            The response, its body still to be read.

        Raises:
            Declined: No connection came about, so nothing was sent.
            Exception: What LiteLLM's transport raises.
        """
        import httpx

        answer = await pool_requests.entered_async(plan, self._errors)
        stream = self._messages.AsyncStream(plan.where, answer, answer.headers, self._errors)
        return httpx.Response(answer.status, headers=answer.headers, stream=stream, request=plan.request)

    def _headers(self, transport: Any, request: Any, body: bytes) -> Headers:  # noqa: ARG002
        """To aiohttp they are handed as a mapping, which joins duplicates; and without a type it writes one."""
        headers = [(name.encode(), value.encode()) for name, value in request.headers.items()]
        if any(name not in request.headers for name in _NEEDED) or (body and "content-type" not in request.headers):
            raise Declined("headers")
        self._messages.check_headers(request, headers, body)
        return headers

    def _body(self, request: Any) -> bytes:
        """What nobody has read goes out in chunks, and without a length aiohttp writes one."""
        if not hasattr(request, "_content"):
            raise Declined("streamed_body")
        if request.method not in _BODILESS and "content-length" not in request.headers:
            raise Declined("headers")
        return super()._body(request)

    def _settings(self, transport: Any, request: Any) -> PoolSettings:
        pool_waiting.check_loop()
        if transport._proxy_from_env(request.url) is not None:
            raise Declined("proxy")
        session = transport.get_valid_client_session()
        connector = session.connector
        if not pool_network.is_usual_session(session) or not pool_network.is_usual_connector(connector):
            raise Declined("transport_settings")
        limits = Limits(connector.limit or None, None, connector._keepalive_timeout)
        if request.url.scheme != "https":
            return PoolSettings(limits)
        chosen = connector._ssl if transport._ssl_verify is None else transport._ssl_verify
        return PoolSettings(limits, trust_of(chosen))
