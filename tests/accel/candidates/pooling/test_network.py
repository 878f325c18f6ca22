"""Where somebody has put an object of his own below a transport, requests go to it."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
from pathlib import Path

import httpx
import pytest

from fast_litellm.accel.candidates import pool_network

spec = importlib.util.spec_from_file_location("pool_callers", Path(__file__).with_name("callers.py"))
callers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(callers)
Async, LiteLLM, Sync, status = callers.Async, callers.LiteLLM, callers.Sync, callers.status
http_handler = callers.http_handler
aiohttp = pytest.importorskip("aiohttp")
httpcore = pytest.importorskip("httpcore")


def refusing(*_args, **_kwargs):
    """Stands where a library of tests puts its own object."""
    raise httpx.ReadError("nothing goes out here")


REPLACED = [
    (Sync, httpcore.ConnectionPool, "handle_request"),
    (Sync, httpcore.HTTPConnection, "handle_request"),
    (Sync, httpcore.SyncBackend, "connect_tcp"),
    (Sync, socket, "create_connection"),
    (Async, httpcore.AsyncConnectionPool, "handle_async_request"),
    (Async, httpcore.AsyncHTTPConnection, "handle_async_request"),
    (Async, httpcore.AnyIOBackend, "connect_tcp"),
    (LiteLLM, aiohttp.ClientSession, "_request"),
    (LiteLLM, aiohttp.TCPConnector, "connect"),
]


@pytest.mark.parametrize(("transport", "owner", "name"), REPLACED)
def test_where_somebody_plays_the_network_nothing_goes_out(rust, server, monkeypatch, transport, owner, name):
    """Libraries that answer for providers in tests put their own objects below the transports."""
    rust()
    monkeypatch.setattr(owner, name, refusing)
    transport().send(("GET", server.url + "/plain"))

    assert ({"reference_patched": 1}, []) == (status()["declined"], server.received)


@pytest.mark.parametrize("name", ["socket", "create_connection", "getaddrinfo"])
def test_on_sockets_that_are_not_pythons_nothing_is_pooled(rust, server, monkeypatch, name):
    """gevent's have been there before the candidate is made, and let others take their turn where it would wait."""

    def somebodys(*args, **kwargs):
        return original(*args, **kwargs)

    original = getattr(socket, name)
    monkeypatch.setattr(socket, name, somebodys)
    rust()
    Sync().send(("GET", server.url + "/plain"))

    assert ({"sockets": 1}, {"python": 1, "rust": 0}) == (status()["declined"], status()["served"])


class OwnPool(httpcore.ConnectionPool):
    """Somebody's own, which answers itself."""

    def handle_request(self, request):
        return httpcore.Response(200, content=b"own")


def own_method(pool):
    pool.handle_request = OwnPool().handle_request


def own_backend(pool):
    pool._network_backend = httpcore.MockBackend([b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown"])


@pytest.mark.parametrize("change", [own_method, own_backend, None])
def test_a_pool_of_somebodys_own_is_used(rust, server, change):
    """Its class, its method or its backend says what happens to a request."""
    rust()
    transport = httpx.HTTPTransport()
    if change is None:
        transport._pool = OwnPool()
    else:
        change(transport._pool)
    with httpx.Client(transport=transport) as client:
        answer = client.get(server.url + "/plain")

    assert (b"own", []) == (answer.content, server.received)


def test_a_transport_with_a_method_of_somebodys_own_is_declined(rust, server):
    """As `patch.object` gives it one."""
    rust()
    transport = http_handler.AsyncHTTPHandler._create_async_transport()
    transport._make_aiohttp_request = refusing

    async def send() -> None:
        async with httpx.AsyncClient(transport=transport) as client:
            with pytest.raises(httpx.ReadError):
                await client.get(server.url + "/plain")

    asyncio.run(send())

    assert ({"reference_patched": 1}, []) == (status()["declined"], server.received)


def own_session(**options):
    """One of a class of somebody's own, which aiohttp discourages."""
    return type("OwnSession", (aiohttp.ClientSession,), {})(**options)


class OwnResolver(aiohttp.ThreadedResolver):
    """Finds every host somewhere else."""


@pytest.mark.parametrize(
    ("kind", "options", "fits"),
    [
        (aiohttp.ClientSession, {}, True),
        (aiohttp.ClientSession, {"response_class": type("Own", (aiohttp.ClientResponse,), {})}, False),
        (own_session, {}, False),
    ],
)
@pytest.mark.filterwarnings("ignore:Inheritance class OwnSession:DeprecationWarning")
def test_a_session_of_somebodys_own_is_not_taken_for_litellms(kind, options, fits):
    """What its class does to a request is not reproduced."""

    async def look() -> bool:
        async with kind(cookie_jar=aiohttp.DummyCookieJar(), **options) as session:
            return pool_network.is_usual_session(session)

    assert fits is asyncio.run(look())


@pytest.mark.parametrize(("resolver", "fits"), [(None, True), (OwnResolver, False)])
def test_a_resolver_of_somebodys_own_is_respected(resolver, fits):
    """Where a host is, only it knows."""

    async def look() -> bool:
        connector = aiohttp.TCPConnector(resolver=resolver() if resolver else None)
        found = pool_network.is_usual_connector(connector)
        await connector.close()
        return found

    assert fits is asyncio.run(look())
