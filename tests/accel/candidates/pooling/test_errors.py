"""What goes wrong raises the same under both: classes, and under httpx's transports the texts that LiteLLM reads."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import socket
import threading
import weakref
from pathlib import Path

import httpcore
import httpx
import pytest

spec = importlib.util.spec_from_file_location("pool_callers", Path(__file__).with_name("callers.py"))
callers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(callers)
CALLERS, HTTPX, Async, Sync = callers.CALLERS, callers.HTTPX, callers.Async, callers.Sync
SHORT_S, both, status = callers.SHORT_S, callers.both, callers.status

BROKEN = ["/close", "/part", "/reset", "/cut", "/cutgzip", "/cutstart", "/cutmid", "/cutchunk"]


@pytest.mark.parametrize("make", CALLERS)
def test_what_breaks_raises_alike(make, rust, server):
    """Whether nothing comes or a part; a request is sent once, as by the original."""
    more = {"content": b"x", "headers": {"Content-Type": "a/b"}}
    _, sent, found = both(make(), rust, server, *[("POST", server.url + path, more) for path in BROKEN])

    assert (len(BROKEN), 0) == (len(sent), found["served"]["python"])


@pytest.mark.parametrize("path", ["/close", "/cut"])
@pytest.mark.parametrize("make", HTTPX)
def test_what_was_raised_is_let_go_of(make, path, rust, server):
    """A frame that held its own exception would hold it, and the request with its body, until the collector came."""
    rust()
    freed: list = []

    class Told(make):
        def failure(self, error):
            weakref.finalize(error.__cause__, freed.append, 1)
            if path == "/close":  # a response that has begun holds itself in httpx, and its request
                weakref.finalize(error.request, freed.append, 1)

    gc.collect()
    gc.disable()
    try:
        Told().send(("GET", server.url + path))
    finally:
        gc.enable()

    assert ([1] * (1 + (path == "/close")), 1) == (freed, status()["served"]["rust"])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/close", "Server disconnected without sending a response."),
        ("/cutchunk", "peer closed connection without sending complete message body (incomplete chunked read)"),
        ("/cut", "peer closed connection without sending complete message body (received 3 bytes, expected 10)"),
    ],
)
def test_texts_that_litellm_decides_by_are_there(path, text, rust, server):
    """It looks for words in them to find out what has happened."""
    rust()

    expected = (httpx.RemoteProtocolError, text, httpcore.RemoteProtocolError)
    assert [expected] == Sync().send(("GET", f"{server.url}{path}?key=secret"))


@pytest.mark.parametrize("make", CALLERS)
@pytest.mark.parametrize("path", ["/junk", "/badchunk"])
def test_what_is_no_http_raises_alike(make, path, rust, server):
    """Each parser says in its own words what it did not understand."""
    _, _, found = both(make(has_texts=False), rust, server, ("GET", server.url + path))

    assert (1, 0) == (len(server.received), found["served"]["python"])


@pytest.mark.parametrize("make", HTTPX)
@pytest.mark.parametrize("path", ["/gzipped", "/identity", "/twocodings", "/switching"])
def test_responses_that_h11_refuses_are_refused(make, path, rust, server):
    """A coding that it does not know, two of them, or another protocol that nobody asked for."""
    control, _, found = both(make(), rust, server, ("GET", server.url + path))

    assert httpx.RemoteProtocolError is control[0][0]
    assert (0, {}) == (found["served"]["python"], found["declined"])


@pytest.mark.parametrize("make", HTTPX)
def test_a_body_that_is_torn_raises_alike(make, rust, server):
    """LiteLLM 1.106 has two classes for it, and which one is a race of its own."""
    both(make(), rust, server, ("GET", server.url + "/resetbody"))


@pytest.mark.parametrize("make", CALLERS)
def test_a_read_that_takes_too_long_raises_alike(make, rust, server):
    """Before the response has begun and in the middle of it."""
    more = {"timeout": httpx.Timeout(5, read=SHORT_S + 0.2, connect=SHORT_S)}
    _, _, found = both(make(), rust, server, *[("GET", server.url + path, more) for path in ("/hang", "/hangbody")])

    assert (0, {}) == (found["served"]["python"], found["declined"])


@pytest.mark.parametrize("make", CALLERS)
def test_the_time_for_reading_begins_with_each_part(make, rust, server):
    """A head that comes line by line takes longer than that as a whole; connecting may take longer than a read."""
    more = {"timeout": httpx.Timeout(5, read=2 * SHORT_S)}
    control, _, found = both(make(), rust, server, ("GET", server.url + "/slowhead", more))

    assert (b"hello", 0, {}) == (control[0][-1], found["served"]["python"], found["declined"])


@pytest.mark.parametrize("make", HTTPX)
def test_a_body_that_nobody_takes_is_a_write_that_takes_too_long(make, rust, server):
    """The server asks for a body of less, and reads no more of it: the sockets between both are full."""
    content = b"x" * (64 << 20)
    more = {"content": content, "timeout": httpx.Timeout(5, write=SHORT_S), "headers": {"Content-Type": "a/b"}}
    control, _, found = both(make(), rust, server, ("POST", server.url + "/untaken", more))

    assert (httpx.WriteTimeout, 0, {}) == (control[0][0], found["served"]["python"], found["declined"])
    assert 0 == _established(server.port)


def test_a_response_that_is_closed_late_breaks_no_other_request(rust, server):
    """Its connection is another one's, of which the server takes its time to read."""
    rust()
    server.answers["/taken/late"] = server.answers["/plain"]
    with httpx.Client(timeout=30) as client:
        with client.stream("GET", server.url + "/slowend") as response:
            assert b"abc" == next(response.iter_raw())
            assert server.has_ended.wait(10)
            assert 200 == client.get(server.url + "/plain").status_code
        answer = client.post(server.url + "/taken/late", content=b"x" * (16 << 20))

    assert (200, 3, {}) == (answer.status_code, status()["served"]["rust"], status()["declined"])


def _established(port) -> int:
    """How many clients of a port have not closed their connections, after a while: what is not taken keeps none."""
    table = Path("/proc/self/net/tcp")
    if not table.exists():
        return 0
    for _ in range(100):
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
        found = sum(row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)
        if not found:
            break
        threading.Event().wait(0.05)
    return found


@pytest.fixture
def unreachable():
    """A port where nobody listens, and one whose queue is full."""
    with socket.socket() as closed, socket.socket() as full, socket.socket() as first, socket.socket() as second:
        closed.bind(("127.0.0.1", 0))
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        yield closed.getsockname()[1], full.getsockname()[1]


@pytest.mark.parametrize("make", CALLERS)
def test_no_connection_is_left_to_the_original(make, rust, server, unreachable):
    """Refused or unknown: nothing was sent, so the original tries and says what is wrong, in its own words."""
    requests = [("GET", f"http://127.0.0.1:{unreachable[0]}/"), ("GET", "http://nobody.invalid/")]
    control, _, found = both(make(has_texts=True), rust, server, *requests)

    assert [httpx.ConnectError] * 2 == [kind for kind, *_ in control]
    assert (2, {"not_connected": 2}) == (found["served"]["python"], found["declined"])


@pytest.mark.parametrize("timeout", [httpx.Timeout(5, connect=SHORT_S), httpx.Timeout(1.0)])
@pytest.mark.parametrize("make", CALLERS)
def test_a_connection_that_takes_too_long_raises_alike(make, timeout, rust, server, unreachable):
    """In a queue for too long; trying again would double the wait. A read may take no longer, and has not begun."""
    more = {"timeout": timeout}
    _, _, found = both(make(), rust, server, ("GET", f"http://127.0.0.1:{unreachable[1]}/", more))

    assert (0, {}) == (found["served"]["python"], found["declined"])


CROWDED = {"limits": httpx.Limits(max_connections=1), "timeout": httpx.Timeout(5, pool=SHORT_S)}


def refuse(url) -> int:
    with httpx.Client(**CROWDED) as client:
        with pytest.raises(httpx.RemoteProtocolError) as found:
            client.get(url)
        assert found.value.request.url == url  # it holds what it came from
        return client.get(url.rpartition("/")[0] + "/plain").status_code


def refuse_in_a_loop(url) -> int:
    async def refuse() -> int:
        async with httpx.AsyncClient(**CROWDED) as client:
            with pytest.raises(httpx.RemoteProtocolError) as found:
                await client.get(url)
            assert found.value.request.url == url
            return (await client.get(url.rpartition("/")[0] + "/plain")).status_code

    return asyncio.run(refuse())


@pytest.mark.parametrize("refusing", [refuse, refuse_in_a_loop])
@pytest.mark.parametrize("path", ["/identity", "/switching"])
def test_a_refused_response_gives_its_connection_up(refusing, path, rust, server):
    """The only one of its pool, while somebody still looks at the exception."""
    rust()

    assert (200, {}) == (refusing(server.url + path), status()["declined"])


def wait(url) -> tuple:
    with httpx.Client(**CROWDED) as client, client.stream("GET", url + "/hangbody"):
        with pytest.raises(httpx.PoolTimeout) as found:
            client.get(url + "/plain")
        return found.type, str(found.value)


def wait_in_a_loop(url) -> tuple:
    async def wait() -> tuple:
        async with httpx.AsyncClient(**CROWDED) as client, client.stream("GET", url + "/hangbody"):
            with pytest.raises(httpx.PoolTimeout) as found:
                await client.get(url + "/plain")
            return found.type, str(found.value)

    return asyncio.run(wait())


@pytest.mark.parametrize("waiting", [wait, wait_in_a_loop])
def test_a_pool_without_room_raises_alike(waiting, rust, server):
    """One connection, and somebody has it."""
    control = waiting(server.url)
    rust()

    assert (control, (0, {})) == (waiting(server.url), (status()["served"]["python"], status()["declined"]))
