"""Transports that may speak HTTP/2: the same answers with servers that choose it, and with those that do not."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

spec = importlib.util.spec_from_file_location("pool_callers", Path(__file__).with_name("callers.py"))
callers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(callers)
HTTPX, Async, Sync, both, status = callers.HTTPX, callers.Async, callers.Sync, callers.both, callers.status
SHORT_S = callers.SHORT_S
trustme = pytest.importorskip("trustme")
connection, config, events = (pytest.importorskip(f"h2.{name}") for name in ("connection", "config", "events"))
LARGE = bytes(range(256)) * 4096


class Received:
    """One request as it came over the wire, as the server of HTTP/1 keeps it."""

    def __init__(self, headers) -> None:
        told = dict(headers)
        self.method, self.target = told.pop(":method"), told.pop(":path")
        self.headers = [(name, value) for name, value in headers if name not in (":method", ":path")]
        self.body = b""


class Server:
    """Speaks HTTP/2 alone, and answers by path."""

    def __init__(self, context) -> None:
        context.set_alpn_protocols(["h2"])
        self.received: list = []
        self.connections = 0
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list = []
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    def stop(self) -> None:
        """Ends every connection and thread."""
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _listen(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(accepted)
            self.connections += 1
            self._threads.append(threading.Thread(target=self._serve, args=(accepted,)))
            self._threads[-1].start()

    def _serve(self, accepted) -> None:
        with suppress(OSError, ssl.SSLError), accepted:
            stream = self._context.wrap_socket(accepted, server_side=True)
            self._open.append(stream)
            with stream:
                self._talk(stream)

    def _talk(self, stream) -> None:
        talk = connection.H2Connection(config.H2Configuration(client_side=False, header_encoding="utf-8"))
        talk.initiate_connection()
        stream.sendall(talk.data_to_send())
        requests: dict = {}
        goes_on = True
        while goes_on and (data := stream.recv(65536)):
            for event in talk.receive_data(data):
                if isinstance(event, events.RequestReceived):
                    requests[event.stream_id] = Received(event.headers)
                elif isinstance(event, events.DataReceived):
                    requests[event.stream_id].body += event.data
                    talk.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, events.StreamEnded):
                    self.received.append(requests[event.stream_id])
                    goes_on = self._reply(talk, event.stream_id, requests[event.stream_id])
            stream.sendall(talk.data_to_send())
        stream.shutdown(socket.SHUT_WR)
        while stream.recv(65536):  # what is not read would reset the connection
            pass

    def _reply(self, talk, number, request) -> bool:
        path = request.target.partition("?")[0]
        headers = [(":status", "201"), ("x-a", "1"), ("x-a", "2"), ("content-type", "text/plain")]
        if path == "/reset":
            talk.reset_stream(number, 8)
        elif path == "/goaway":
            talk.close_connection(11)
        elif path == "/leaving" and number > 1:
            talk.close_connection(0, last_stream_id=number - 2)
        elif path in ("/plain", "/leaving", "/large", "/none"):
            body = {"/large": LARGE, "/none": b""}.get(path, b"hello")
            talk.send_headers(number, headers, end_stream=not body)
            while body:
                room = min(talk.local_flow_control_window(number), talk.max_outbound_frame_size)
                talk.send_data(number, body[:room], end_stream=len(body) <= room)
                body = body[room:]
        elif path != "/hang":
            talk.send_headers(number, headers)
            talk.send_data(number, b"abc")
            if path in ("/resetbody", "/stopped"):
                talk.reset_stream(number, 2 if path == "/resetbody" else 0)
        return path not in ("/goaway", "/closebody") and (path != "/leaving" or number == 1)


@pytest.fixture
def h2_server(authority):
    """One that chooses HTTP/2."""
    started = Server(callers.serving(authority.issue_cert("127.0.0.1")))
    yield started
    started.stop()


class Named:
    """What both sides say, but for the number of a stream."""

    def __init__(self, caller) -> None:
        self._caller = caller

    def send(self, *requests) -> list:
        return [
            (*found[:4], found[4] - {"stream_id"}, found[5]) if isinstance(found, tuple) and len(found) > 3 else found
            for found in self._caller.send(*requests)
        ]


def speaking(make, **more):
    return Named(make(http2=True, verify=ssl.create_default_context(), **more))


@pytest.mark.parametrize("make", HTTPX)
def test_answers_over_http2_are_alike(make, rust, h2_server):
    """Status, version, headers with duplicates and bodies; and the server is told the same, its host once."""
    url = h2_server.url
    requests = [("GET", url + path) for path in ("/plain", "/large", "/none", "/plain?a=b")]
    requests += [("POST", url + "/plain", {"json": {"a": "é"}}), ("PUT", url + "/plain", {"content": b"x" * 4})]
    requests[-1][2]["headers"] = {"Content-Type": "a/b"}
    control, sent, found = both(speaking(make), rust, h2_server, *requests)

    assert (201, "HTTP/2", b"hello") == (control[0][0], control[0][1], control[0][-1])
    assert (len(requests), {}) == (found["served"]["rust"], found["declined"])
    assert len(requests) == len(sent)


@pytest.mark.parametrize("make", HTTPX)
@pytest.mark.parametrize("path", ["/reset", "/resetbody", "/stopped", "/goaway", "/closebody"])
def test_what_breaks_over_http2_raises_alike(make, path, rust, h2_server):
    """The same class; httpcore has the number of a stream in its texts, which hyper does not tell."""
    caller = speaking(make, has_texts=False)
    control, sent, found = both(caller, rust, h2_server, ("POST", h2_server.url + path, {"json": {}}))

    assert ([httpx.RemoteProtocolError], 1) == (control, len(sent))
    assert (1, {}) == (found["served"]["rust"], found["declined"])


@pytest.mark.parametrize("make", HTTPX)
def test_a_server_that_is_leaving_is_asked_again(make, rust, h2_server):
    """It tells that it has not looked at a request, as servers do that are restarted."""
    requests = [("GET", h2_server.url + path) for path in ("/plain", "/leaving", "/plain")]
    control, sent, found = both(speaking(make), rust, h2_server, *requests)

    assert ([201] * 3, 4) == ([answer[0] for answer in control], len(sent))
    assert (3, {}) == (found["served"]["rust"], found["declined"])


@pytest.mark.parametrize("make", HTTPX)
@pytest.mark.parametrize("path", ["/hang", "/hangbody"])
def test_a_read_that_takes_too_long_over_http2_raises_alike(make, path, rust, h2_server):
    """With the texts that LiteLLM looks for."""
    more = {"timeout": httpx.Timeout(5, read=SHORT_S + 0.2, connect=SHORT_S)}
    control, _, found = both(speaking(make), rust, h2_server, ("GET", h2_server.url + path, more))

    assert (httpx.ReadTimeout, {}) == (control[0][0], found["declined"])


@pytest.mark.parametrize("make", callers.HTTPX)
def test_no_further_request_waits_for_a_connection_that_does_nothing(make, rust, h2_server):
    """It may be dead, and the next one would wait for it as long, and the one after that."""
    hanging = ("GET", h2_server.url + "/hang", {"timeout": httpx.Timeout(5, read=SHORT_S)})
    control, _, found = both(speaking(make), rust, h2_server, hanging, ("GET", h2_server.url + "/plain"))

    assert (httpx.ReadTimeout, 201, {}) == (control[0][0], control[1][0], found["declined"])
    assert 2 * 2 == h2_server.connections


def test_many_requests_at_once_are_answered(rust, h2_server):
    """More than a connection has room for: the others wait, however short the time for a place is."""

    async def get_all() -> list:
        context, timeout = ssl.create_default_context(), httpx.Timeout(30, pool=0.001)
        async with httpx.AsyncClient(http2=True, verify=context, timeout=timeout) as client:
            answers = await asyncio.gather(*[client.get(h2_server.url + "/plain") for _ in range(150)])
        return [(answer.status_code, answer.content) for answer in answers]

    control = asyncio.run(get_all())
    rust()

    assert control == asyncio.run(get_all()) == [(201, b"hello")] * 150
    assert (150, {}) == (status()["served"]["rust"], status()["declined"])


@pytest.mark.parametrize("make", HTTPX)
def test_a_server_that_does_not_speak_it_is_spoken_to_alike(make, rust, authority, tls_server):
    """The host is among the headers there."""
    server = tls_server(callers.serving(authority.issue_cert("127.0.0.1")))
    requests = [("GET", server.url + path) for path in ("/plain", "/chunked", "/close", "/cut")]
    control, _, found = both(speaking(make), rust, server, *requests)

    assert ("HTTP/1.1", 4, {}) == (control[0][1], found["served"]["rust"], found["declined"])


@pytest.mark.parametrize("make", HTTPX)
def test_it_is_spoken_through_a_tunnel_as_well(make, rust, h2_server, proxy):
    """The server chooses it behind the proxy."""
    caller = speaking(make, proxy=proxy.url)
    control, _, found = both(caller, rust, h2_server, ("GET", h2_server.url + "/plain"))

    assert ("HTTP/2", 1, {}) == (control[0][1], found["served"]["rust"], found["declined"])


@pytest.mark.parametrize(
    ("reason", "options", "method", "more"),
    [
        ("http2", {"limits": httpx.Limits(max_connections=99)}, "GET", {}),
        ("headers", {}, "GET", {"headers": {"Host": "other.invalid"}}),
        ("headers", {}, "DELETE", {}),
    ],
)
def test_what_hyper_does_otherwise_over_http2_is_declined(reason, options, method, more, rust, h2_server):
    """It counts requests where httpcore counts connections, tells the URL's host, and the length of no body."""
    rust()
    speaking(Sync, **options).send((method, h2_server.url + "/plain", more))

    assert {reason: 1} == status()["declined"]
