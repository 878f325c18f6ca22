"""
The candidates of `connection_pooling`: requests over pyreqwest's pool in the place of httpcore's and aiohttp's.

They stand at the method by which a transport handles a request, so that rules decide for each request, whatever client
it comes from, and a decline is a request of the original transport. A request is made once: what fails has failed,
unless no connection came about. Then nothing was sent, and the original transport tries, and says what is wrong.
What pyreqwest does not do as the reference is declined: proxies, sockets' options, client certificates, streamed and
long bodies, URLs that Rust would write otherwise, and TLS unless both trust the same roots. Its own transports for
httpx are not used: they take another timeout, and a connection that broke for one that never was.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from fast_litellm.accel import native, reach
from fast_litellm.accel.candidates import pool_network, pool_settings
from fast_litellm.accel.candidates.calls import bound
from fast_litellm.accel.candidates.pool_settings import Limits, Pools, PoolSettings
from fast_litellm.accel.candidates.pool_trust import Trust, trust_of
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined

if TYPE_CHECKING:
    from fast_litellm.accel.candidates.pool_errors import Errors, Headers
    from fast_litellm.accel.candidates.pool_messages import Plan

HTTPX_SOURCES: Tuple[Source, ...] = (Source("httpx._transports.default"),)
LITELLM_SOURCES: Tuple[Source, ...] = (
    Source("litellm.llms.custom_httpx.aiohttp_transport"),
    Source("litellm.llms.custom_httpx.http_handler", ("_create_ssl_context", "get_ssl_configuration")),
)
"""The parts of httpx and of LiteLLM that hold the transports."""

_BODILESS = ("GET", "HEAD", "OPTIONS")
_POOLS = Pools()


class _Pooling:
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
        from fast_litellm.accel.candidates import pool_errors, pool_messages

        self._messages = pool_messages
        self._wheres = tuple(pool_errors.Where(self.is_asynchronous, is_tls) for is_tls in (False, True))
        self._errors: Errors = pool_errors.HTTPX
        self._transport: type = getattr(reference, method.partition(".")[0])
        self._methods = reach.methods(self._transport)
        self._untouched = native.IdentityGuard([*reach.places(sources, method), *beneath])

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
        transport, request = bound(_bound, args, kwargs)
        if type(transport) is not self._transport:
            raise Declined("transport_type")
        if not self._methods.isdisjoint(vars(transport)):
            raise Declined("reference_patched")
        url, body = self._messages.url_of(request), self._body(request)
        headers = self._messages.headers_of(request, self._header_items(request), body)
        timeouts = pool_settings.timeouts_of(request.extensions)
        try:
            settings = PoolSettings(timeouts, *self._settings(transport, request))
        except AttributeError:  # another release of httpcore or aiohttp keeps them elsewhere
            raise Declined("transport_settings") from None
        pool = _POOLS.find(transport, settings, is_asynchronous=self.is_asynchronous)
        try:
            builder = pool.request(request.method, url).headers(headers)
            builder = (builder.body_bytes(body) if body else builder).streamed_read_buffer_limit(0)
            where = self._wheres[settings.trust is not None]
            return self._messages.Plan(builder.build_streamed(), request, where)
        except (TypeError, ValueError) as error:  # nothing has gone out
            raise Declined("request") from error

    def _settings(self, transport: Any, request: Any) -> Tuple[Limits, Optional[Trust]]:
        raise NotImplementedError

    def _header_items(self, request: Any) -> Any:
        self._messages.check_blanks(request.headers.raw)
        return request.headers.raw

    def _body(self, request: Any) -> bytes:
        body: bytes = self._messages.body_of(request)
        return body


class _HttpxPooling(_Pooling):
    """The candidates for the transports of httpx."""

    def __init__(self, reference: Any, method: str) -> None:
        with reference.map_httpcore_exceptions():
            pass  # httpx fills its table when it is first needed, which the guard would take for a patch
        super().__init__(reference, HTTPX_SOURCES, method, pool_network.beneath_httpx())

    def _settings(self, transport: Any, request: Any) -> Tuple[Limits, Optional[Trust]]:
        pool = transport._pool
        if type(pool).__name__ not in ("ConnectionPool", "AsyncConnectionPool"):
            raise Declined("proxy")
        if not pool_network.is_usual_pool(pool):
            raise Declined("transport_settings")
        limits = Limits(_bounded(pool._max_connections), pool._max_keepalive_connections, pool._keepalive_expiry)
        return limits, trust_of(pool._ssl_context) if request.url.scheme == "https" else None

    def _response(self, response: Any, headers: Headers, stream: Any) -> Any:
        import httpx

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

    def run(self, plan: Plan, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:  # noqa: ARG002 - it is in the plan
        """
        Returns:
            The response, its body still to be read.

        Raises:
            Declined: No connection came about, so nothing was sent.
            Exception: What httpx raises.
        """
        response = _entered(plan, self._errors)
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
        response = await _entered_async(plan, self._errors)
        try:
            headers = self._messages.headers_by_h11(response)
        except Exception:
            await plan.exchange.__aexit__(None, None, None)
            raise
        return self._response(response, headers, self._messages.AsyncStream(plan, response, headers, self._errors))

    def _settings(self, transport: Any, request: Any) -> Tuple[Limits, Optional[Trust]]:
        _check_loop()
        return super()._settings(transport, request)


class LiteLLMPoolingCandidate(_Pooling):
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

        response = await _entered_async(plan, self._errors)
        headers = self._messages.headers_from(response)
        stream = self._messages.AsyncStream(plan, response, headers, self._errors)
        return httpx.Response(response.status, headers=headers, stream=stream, request=plan.request)

    def _header_items(self, request: Any) -> Any:
        """To aiohttp they are handed as a mapping, which joins duplicates."""
        return [(name.encode(), value.encode()) for name, value in request.headers.items()]

    def _body(self, request: Any) -> bytes:
        """What nobody has read goes out in chunks, and without a length aiohttp writes one."""
        if not hasattr(request, "_content"):
            raise Declined("streamed_body")
        if request.method not in _BODILESS and "content-length" not in request.headers:
            raise Declined("headers")
        return super()._body(request)

    def _settings(self, transport: Any, request: Any) -> Tuple[Limits, Optional[Trust]]:
        _check_loop()
        if transport._proxy_from_env(request.url) is not None:
            raise Declined("proxy")
        session = transport.get_valid_client_session()
        connector = session.connector
        if not pool_network.is_usual_session(session) or not pool_network.is_usual_connector(connector):
            raise Declined("transport_settings")
        limits = Limits(_bounded(connector.limit), None, connector._keepalive_timeout)
        if request.url.scheme != "https":
            return limits, None
        chosen = connector._ssl if transport._ssl_verify is None else transport._ssl_verify
        return limits, trust_of(chosen)


def _bounded(connections: Optional[int]) -> Optional[int]:
    """Both references write no limit in their own way: 0, and a number that nobody reaches."""
    return connections if connections and connections < 1 << 20 else None


def _check_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise Declined("event_loop") from None


def _entered(plan: Plan, errors: Errors) -> Any:
    try:
        return plan.exchange.__enter__()
    except Exception as error:
        failures = [errors.of(error, plan.where)]
    raise failures.pop()


async def _entered_async(plan: Plan, errors: Errors) -> Any:
    try:
        return await plan.exchange.__aenter__()
    except Exception as error:
        failures = [errors.of(error, plan.where)]
    raise failures.pop()


def _bound(self: Any, request: Any) -> Tuple[Any, Any]:
    return self, request
