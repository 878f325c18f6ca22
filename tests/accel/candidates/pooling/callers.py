"""Who sends requests: httpx's transports and LiteLLM's, under a client, by the original and then by the candidate."""

from __future__ import annotations

import asyncio
import ssl

import httpx
import pytest

import fast_litellm
from fast_litellm.accel import fingerprint, native, references
from fast_litellm.accel.candidates.connection_pooling import LITELLM_SOURCES

pytest.importorskip("litellm.llms.custom_httpx.aiohttp_transport")
http_handler = pytest.importorskip("litellm.llms.custom_httpx.http_handler")
if references.known("connection_pooling", fingerprint.fingerprint(LITELLM_SOURCES)) is None:
    pytest.skip("LiteLLM's transport is not one that the candidate is known to equal", allow_module_level=True)

SHORT_S = 0.3
"""A timeout that is meant to run out."""


def status() -> dict:
    return fast_litellm.status()["features"]["connection_pooling"]


def told(response, body) -> tuple:
    """What a response says, but for the case and place of its headers' names."""
    headers = sorted((name.lower(), value) for name, value in response.headers.raw)
    extensions = set(response.extensions) - {"network_stream"}
    return response.status_code, response.http_version, headers, response.encoding, extensions, body


def serving(certificate) -> ssl.SSLContext:
    """A server's context with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


class Caller:
    """
    What all of them do.

    Args:
        has_texts: Whether exceptions are told with their texts, or by their classes alone.
        options: The transport's.
    """

    def __init__(self, *, has_texts=True, **options) -> None:
        self.options = options
        self._has_texts = has_texts

    def failure(self, error):
        """The exception and its cause. Nothing of the pool's is behind it."""
        assert not [it for it in behind(error) if isinstance(it, native.PoolError)]
        return (type(error), str(error), type(error.__cause__)) if self._has_texts else type(error)


def behind(error) -> list:
    """Everything that was raised before it and is known to it."""
    found = [error]
    for it in found:
        found += [other for other in (it.__cause__, it.__context__) if other is not None and other not in found]
    return found[1:]


class Sync(Caller):
    """`httpx.HTTPTransport` under a client."""

    def send(self, *requests) -> list:
        """What comes back: a response, or the exception."""
        with httpx.Client(transport=httpx.HTTPTransport(**self.options), timeout=5, follow_redirects=True) as client:
            return [self._one(client, *request) for request in requests]

    def _one(self, client, method, url, more=None):
        try:
            with client.stream(method, url, **(more or {})) as response:
                return told(response, response.read())
        except httpx.HTTPError as error:
            return self.failure(error)


class Async(Caller):
    """`httpx.AsyncHTTPTransport` under a client."""

    def transport(self):
        return httpx.AsyncHTTPTransport(**self.options)

    def send(self, *requests) -> list:
        """What comes back: a response, or the exception."""
        return asyncio.run(self._all(requests))

    async def _all(self, requests) -> list:
        async with httpx.AsyncClient(transport=self.transport(), timeout=5, follow_redirects=True) as client:
            return [await self._one(client, *request) for request in requests]

    async def _one(self, client, method, url, more=None):
        try:
            async with client.stream(method, url, **(more or {})) as response:
                return told(response, await response.aread())
        except httpx.HTTPError as error:
            return self.failure(error)


class LiteLLM(Async):
    """LiteLLM's transport over aiohttp, under which texts are the candidate's own."""

    def __init__(self, *, has_texts=False, **options) -> None:
        super().__init__(has_texts=has_texts, **options)

    def transport(self):
        return http_handler.AsyncHTTPHandler._create_async_transport(**self.options)


HTTPX = [Sync, Async]
CALLERS = [*HTTPX, LiteLLM]


def both(caller, rust, server, *requests) -> tuple[list, list, dict]:
    """Sends requests by the original and by the candidate; returns what came back, and what the server was sent."""
    control = caller.send(*requests)
    sent, server.received = server.received, []
    found = rust()
    candidate = caller.send(*requests)

    assert control == candidate
    assert written(sent) == written(server.received)
    return control, sent, found()


def written(received) -> list:
    """A request's bytes, but for the case of header names and aiohttp's order."""
    return [
        (it.method, it.target, sorted((name.lower(), value) for name, value in it.headers), it.body) for it in received
    ]
