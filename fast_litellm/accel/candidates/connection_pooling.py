"""
The candidates of `connection_pooling`: requests over pyreqwest's pool in the place of httpcore's and aiohttp's.

They stand at the method by which a transport handles a request, so that rules decide for each request, whatever client
it comes from, and a decline is a request of the original transport. A request is made once: what fails has failed,
unless no connection came about. Then nothing was sent, and the original transport tries, and says what is wrong.
What pyreqwest does not do as the reference is declined: requests that signals may interrupt, sockets' options, proxies
of SOCKS, streamed and long bodies, URLs that Rust would write otherwise, and TLS unless both trust the same roots. Its
own transports for httpx are not used: they take another timeout, and a connection that broke for one that never was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Tuple

from fast_litellm.accel.candidates import pool_network, pool_proxies, pool_requests, pool_settings
from fast_litellm.accel.candidates.pool_requests import Chosen
from fast_litellm.accel.candidates.pool_settings import Limits
from fast_litellm.accel.candidates.pool_trust import trust_of
from fast_litellm.accel.candidates.pool_waiting import Cancellable
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined

if TYPE_CHECKING:
    from fast_litellm.accel.candidates.pool_errors import Headers
    from fast_litellm.accel.candidates.pool_messages import Plan

HTTPX_SOURCES: Tuple[Source, ...] = (Source("httpx._transports.default"),)
LITELLM_SOURCES: Tuple[Source, ...] = (
    Source("litellm.llms.custom_httpx.aiohttp_transport"),
    Source("litellm.llms.custom_httpx.http_handler", ("_create_ssl_context", "get_ssl_configuration")),
)
"""The parts of httpx and of LiteLLM that hold the transports."""

_BODILESS = ("GET", "HEAD", "OPTIONS")


class _HttpxPooling(pool_requests.Pooling):
    """The candidates for the transports of httpx."""

    def __init__(self, reference: Any, method: str) -> None:
        with reference.map_httpcore_exceptions():
            pass  # httpx fills its table when it is first needed, which the guard would take for a patch
        super().__init__(reference, HTTPX_SOURCES, method, pool_network.beneath_httpx())

    def _settings(self, transport: Any, request: Any) -> Chosen:
        pool = transport._pool
        proxy = pool_proxies.proxy_of(pool)
        if not pool_network.is_usual_pool(pool):
            raise Declined("transport_settings")
        limits = Limits(
            pool_requests.bounded(pool._max_connections), pool._max_keepalive_connections, pool._keepalive_expiry
        )
        if request.url.scheme != "https":  # no server is asked whether it speaks HTTP/2
            return limits, None, proxy, False
        return limits, trust_of(pool._ssl_context), proxy, pool_settings.http2_of(pool, limits)

    def _headers(self, transport: Any, request: Any, body: bytes) -> List[Tuple[str, str]]:
        self._messages.check_blanks(request.headers.raw)
        headers: List[Tuple[str, str]] = self._messages.headers_of(request, request.headers.raw, body)
        if request.url.scheme != "https":
            return pool_proxies.forwarded(transport._pool, headers)
        return self._messages.by_authority(request, headers) if transport._pool._http2 else headers

    def _response(self, response: Any, headers: Headers, stream: Any) -> Any:
        import httpx

        extensions: Dict[str, Any] = {"http_version": b"HTTP/2"}
        if not self._messages.is_http2(response):
            reason = httpx.codes.get_reason_phrase(response.status)
            extensions = {"http_version": response.version.encode(), "reason_phrase": reason.encode()}
        return httpx.Response(response.status, headers=headers, stream=stream, extensions=extensions)


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

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Plan:
        """
        As every candidate of this file.

        Raises:
            Declined: A signal may interrupt the request, or it is not one that goes out alike.
        """
        pool_requests.check_thread()
        return super().prepare(args, kwargs)

    def run(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:  # noqa: ARG002 - it is in the plan
        """
        Returns:
            The response, its body still to be read.

        Raises:
            Declined: No connection came about, so nothing was sent.
            Exception: What httpx raises.
        """
        response = pool_requests.entered(plan, self._errors)
        try:
            headers = self._messages.headers_by_h11(response)
        except Exception:
            plan.exchange.__exit__(None, None, None)
            raise
        return self._response(response, headers, self._messages.Stream(plan, response, headers, self._errors))


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
        response = await pool_requests.entered_async(plan, self._errors)
        try:
            headers = self._messages.headers_by_h11(response)
        except Exception:
            await Cancellable(plan.exchange.__aexit__(None, None, None))
            raise
        return self._response(response, headers, self._messages.AsyncStream(plan, response, headers, self._errors))

    def _settings(self, transport: Any, request: Any) -> Chosen:
        pool_requests.check_loop()
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

        response = await pool_requests.entered_async(plan, self._errors)
        headers = self._messages.headers_from(response)
        stream = self._messages.AsyncStream(plan, response, headers, self._errors)
        return httpx.Response(response.status, headers=headers, stream=stream, request=plan.request)

    def _headers(self, transport: Any, request: Any, body: bytes) -> List[Tuple[str, str]]:  # noqa: ARG002
        """To aiohttp they are handed as a mapping, which joins duplicates."""
        items = [(name.encode(), value.encode()) for name, value in request.headers.items()]
        headers: List[Tuple[str, str]] = self._messages.headers_of(request, items, body)
        return headers

    def _body(self, request: Any) -> bytes:
        """What nobody has read goes out in chunks, and without a length aiohttp writes one."""
        if not hasattr(request, "_content"):
            raise Declined("streamed_body")
        if request.method not in _BODILESS and "content-length" not in request.headers:
            raise Declined("headers")
        return super()._body(request)

    def _settings(self, transport: Any, request: Any) -> Chosen:
        pool_requests.check_loop()
        if transport._proxy_from_env(request.url) is not None:
            raise Declined("proxy")
        session = transport.get_valid_client_session()
        connector = session.connector
        if not pool_network.is_usual_session(session) or not pool_network.is_usual_connector(connector):
            raise Declined("transport_settings")
        limits = Limits(pool_requests.bounded(connector.limit), None, connector._keepalive_timeout)
        if request.url.scheme != "https":
            return limits, None, None, False
        chosen = connector._ssl if transport._ssl_verify is None else transport._ssl_verify
        return limits, trust_of(chosen), None, False
