"""Requests over the pool against those over the original transports: the same bytes and answers."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import io
import sys
from pathlib import Path

import httpx
import pytest

spec = importlib.util.spec_from_file_location("pool_callers", Path(__file__).with_name("callers.py"))
callers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(callers)
CALLERS, HTTPX, Async, LiteLLM, Sync = callers.CALLERS, callers.HTTPX, callers.Async, callers.LiteLLM, callers.Sync
both, status = callers.both, callers.status

FINE = [
    "/plain",
    "/empty",
    "/created",
    "/none",
    "/unmodified",
    "/large",
    "/gzip",
    "/redirect",
    "/failed",
    "/cookies",
    "/early",
    "/chunked",
    "/trailers",
    "/unlimited",
    "/old",
    "/closing",
]


@pytest.mark.parametrize("make", CALLERS)
def test_answers_are_alike(make, rust, server):
    """Status, version, headers with duplicates, and body, over connections that are used again."""
    urls = [server.url + path for path in (*FINE, "/badgzip")]
    requests = [request for url in urls for request in (("GET", url), ("POST", url, {"json": {"a": "é"}}))]
    _, _, found = both(make(), rust, server, *requests)

    assert len(requests) <= found["served"]["rust"]
    assert set(found["declined"]) <= {"streamed_body"}  # of what a redirect leads to, LiteLLM's transport has no body


ODD = ["/twolengths", "/commas", "/capitals", "/folded"]


@pytest.mark.parametrize("make", HTTPX)
@pytest.mark.parametrize("path", ODD)
def test_odd_headers_are_read_alike(make, path, rust, server):
    """A length that is told twice, a coding in capitals, a value over several lines: h11 has one form for them."""
    control, _, found = both(make(), rust, server, ("GET", server.url + path))

    assert (200, b"hello") == (control[0][0], control[0][-1])
    assert (1, {}) == (found["served"]["rust"], found["declined"])


@pytest.mark.parametrize("make", HTTPX)
def test_what_is_unusual_comes_as_it_is(make, rust, server):
    """A header's value; and what a server says of a status, in its own words, or in none."""
    server.answers["/odd"] = b"HTTP/1.1 200 Fine\r\nX-A: 1\r\nX-B: caf\xe9\r\nX-A: 2\r\nContent-Length: 0\r\n\r\n"
    server.answers["/mute"] = b"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n"
    requests = [("GET", server.url + path) for path in ("/odd", "/mute", "/failed")]
    _, _, found = both(make(), rust, server, *requests)
    with httpx.Client() as client:
        reasons = [client.get(url).extensions["reason_phrase"] for _, url in requests]

    assert (3, [b"Fine", b"", b"Internal Server Error"]) == (found["served"]["rust"], reasons)


@pytest.mark.parametrize("make", CALLERS)
def test_requests_are_alike(make, rust, server):
    """Every method, queries, bodies of any size up to a megabyte, duplicates and empty values."""
    url = server.url + "/plain"
    headers = [("X-B", "2"), ("X-A", "1"), ("X-B", ""), ("Content-Type", "a/b"), ("Authorization", "Bearer x")]
    requests = [(method, url) for method in ("GET", "OPTIONS")]
    requests += [(method, url, {"content": b"x", "headers": headers}) for method in ("POST", "PUT", "PATCH", "DELETE")]
    requests += [("GET", url, {"params": {"a": "b c", "d": "é&="}}), ("GET", url + "?a=%7E;c=1&x=%20+")]
    requests += [("POST", url, {"content": b"x" * size, "headers": headers}) for size in (0, 1, 65536, 1 << 20)]
    requests += [("HEAD", server.url + "/head"), ("POST", url, {"data": {"a": "b"}})]
    _, sent, found = both(make(), rust, server, *requests)

    assert len(requests) == len(sent)
    assert (len(sent), {}) == (found["served"]["rust"], found["declined"])


@pytest.mark.parametrize("make", HTTPX)
def test_forms_with_files_are_alike(make, rust, server, tmp_path):
    """Of what is in memory or a file, however far somebody has read it."""
    (tmp_path / "speech.mp3").write_bytes(b"sound" * 20_000)
    with (tmp_path / "speech.mp3").open("rb") as file:
        file.read(7)
        read = io.BytesIO(b"abc")
        read.read()
        files = {"a": ("é.txt", "text", "text/plain"), "b": b"\0", "c": ("c", read), "d": file}
        more = {"files": files, "data": {"model": "whisper-1", "n": [1, 2]}}
        form = {"headers": {"Content-Type": "multipart/form-data; boundary=b"}, **more}
        _, sent, found = both(make(), rust, server, *[("POST", server.url + "/plain", form)] * 2)

    assert [True] * 2 == [b"sound" * 20_000 in it.body and b"abc" in it.body for it in sent]
    assert (2, {}) == (found["served"]["rust"], found["declined"])


@pytest.mark.parametrize("make", CALLERS)
def test_connections_are_kept_alike(make, rust, server):
    """One for many requests, another one after the server has closed it."""
    requests = [("GET", server.url + path) for path in ("/plain", "/chunked", "/plain", "/closing", "/plain", "/none")]
    both(make(), rust, server, *requests)

    assert 2 * 2 == server.connections


@pytest.mark.parametrize(("seconds", "connections"), [(0, 3), (sys.maxsize, 1), (None, 1)])
@pytest.mark.parametrize("make", HTTPX)
def test_connections_are_kept_as_long_alike(make, seconds, connections, rust, server):
    """Not at all, or longer than any clock shows."""
    caller = make(limits=httpx.Limits(keepalive_expiry=seconds))
    _, _, found = both(caller, rust, server, *[("GET", server.url + "/plain")] * 3)

    assert (2 * connections, 0, {}) == (server.connections, found["served"]["python"], found["declined"])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # httpcore leaves that socket open
@pytest.mark.parametrize(("seconds", "declined"), [(sys.maxsize, {"timeout": 1}), (5e8, {}), (None, {})])
@pytest.mark.parametrize("make", CALLERS)
def test_timeouts_longer_than_sockets_are_told_are_left_to_the_original(make, seconds, declined, rust, server):
    """Sockets of Python's say so in an exception, where loops of asyncio's wait."""
    rust()
    with contextlib.suppress(OverflowError):
        make().send(("GET", server.url + "/plain", {"timeout": seconds}))

    assert (declined, int(not declined)) == (status()["declined"], status()["served"]["rust"])


@pytest.mark.parametrize("make", [Async, LiteLLM])
def test_what_arrives_is_there_at_once(make, rust, server):
    """A part of a stream is not held back until the next one comes."""

    async def first() -> bytes:
        client = httpx.AsyncClient(transport=make().transport(), timeout=5)
        async with client, client.stream("GET", server.url + "/hangbody") as response:
            return await response.aiter_raw().__anext__()

    rust()
    assert b"abc" == asyncio.run(first())
    assert 1 == status()["served"]["rust"]


@pytest.mark.parametrize("make", [Async, LiteLLM])
def test_a_cancelled_request_is_cancelled(make, rust, server):
    """The connection ends with it, and the client goes on."""

    async def cancel() -> int:
        async with httpx.AsyncClient(transport=make().transport(), timeout=5) as client:
            task = asyncio.ensure_future(client.get(server.url + "/hang"))
            await asyncio.to_thread(server.has_received.wait, 5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return (await client.get(server.url + "/plain")).status_code

    rust()
    assert 200 == asyncio.run(cancel())
    assert 1 == status()["served"]["rust"]


@pytest.mark.parametrize("flag", [{"stage": "shadow"}, {"otherwise": "python"}])
def test_at_shadow_and_off_python_sends_alone(flag, rust, server):
    """A request is never made twice."""
    rust(**flag)
    Sync().send(("GET", server.url + "/plain"))

    assert (1, 0) == (len(server.received), status()["compared"])
    assert 0 == status()["served"]["rust"]
