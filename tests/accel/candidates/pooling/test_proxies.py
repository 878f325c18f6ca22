"""Proxies of httpx: what goes out over them, and what comes back when they will not."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import socket
import ssl
from pathlib import Path

import httpcore
import httpx
import pytest

spec = importlib.util.spec_from_file_location("pool_callers", Path(__file__).with_name("callers.py"))
callers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(callers)
HTTPX, Sync, both, status = callers.HTTPX, callers.Sync, callers.both, callers.status
SHORT_S = callers.SHORT_S
TOLD = {"auth": ("user", "word"), "headers": {"X-Proxy": "1", "X-Both": "proxy"}}
PROXIED = "http://nobody.invalid/plain"


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    """No proxy but a test's own."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def secure_server(authority, tls_server):
    """One that everybody believes, by its name as well."""
    return tls_server(callers.serving(authority.issue_cert("127.0.0.1", "localhost")))


@pytest.mark.parametrize("make", HTTPX)
@pytest.mark.parametrize("told", [{}, TOLD])
def test_requests_are_forwarded_alike(make, told, rust, server):
    """With their whole address, and the proxy's headers among their own, which come first."""
    caller = make(proxy=httpx.Proxy(server.url, **told))
    more = {"headers": {"X-Both": "request"}, "json": {"a": 1}}
    requests = [("GET", PROXIED + "?a=b"), ("POST", PROXIED, more), ("HEAD", "http://nobody.invalid:81/head")]
    _, sent, found = both(caller, rust, server, *requests)

    assert [url for _, url, *_ in requests] == [it.target for it in sent]
    assert (3, {}) == (found["served"]["rust"], found["declined"])
    assert ("Basic dXNlcjp3b3Jk" if told else None) == known(sent[0]).get("proxy-authorization")


def known(received) -> dict:
    return {name.lower(): value for name, value in received.headers}


@pytest.mark.parametrize("make", HTTPX)
@pytest.mark.parametrize("path", ["/close", "/reset", "/cut", "/failed", "/redirect", "/denied"])
def test_what_a_proxy_answers_is_taken_alike(make, path, rust, server):
    """It is a response like any other, or none."""
    server.answers["/denied"] = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno"
    _, _, found = both(make(proxy=server.url), rust, server, ("GET", "http://nobody.invalid" + path))

    assert (0, {}) == (found["served"]["python"], found["declined"])


@pytest.mark.parametrize("make", HTTPX)
def test_a_connection_to_a_proxy_is_kept(make, rust, server):
    """For requests to the same server."""
    both(make(proxy=server.url), rust, server, *[("GET", PROXIED)] * 3)

    assert 1 + 1 == server.connections


def through(make, proxy, **told):
    return make(proxy=httpx.Proxy(proxy.url, **told), verify=ssl.create_default_context())


def asked_by_both(caller, rust, server, proxy, *requests):
    """As `both`, with what the proxy was asked."""
    control = caller.send(*requests)
    asked, proxy.received = proxy.received, []
    sent, server.received = server.received, []
    found = rust()

    assert control == caller.send(*requests)
    assert callers.written(sent) == callers.written(server.received)
    return control, sent, found(), asked


@pytest.mark.parametrize("make", HTTPX)
@pytest.mark.parametrize("told", [{}, TOLD, {"headers": {"Accept": "a/b", "User-Agent": "mine"}}])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_tunnels_are_asked_for_alike(make, told, host, rust, secure_server, proxy):
    """Once for several requests; the server is told nothing that is the proxy's."""
    url = secure_server.url.replace("127.0.0.1", host)
    requests = [("GET", url + "/plain"), ("POST", url + "/plain", {"json": {"a": 1}})]
    _, sent, found, asked = asked_by_both(through(make, proxy, **told), rust, secure_server, proxy, *requests)

    assert asked == proxy.received
    assert (1, f"CONNECT {url[8:]} HTTP/1.1") == (len(asked), asked[0][0])
    assert (told is TOLD) is (["proxy-authorization", "basic dxnlcjp3b3jk"] in asked[0][1])
    assert not [name for it in sent for name in known(it) if name.startswith(("proxy-", "x-proxy"))]
    assert (2, {}) == (found["served"]["rust"], found["declined"])


REFUSALS = [
    (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "", httpx.ProxyError),
    (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno", "", httpx.ProxyError),
    (b"HTTP/1.1 200 Connection established\r\n\r\n", "reset", httpx.ConnectError),
    (b"HTTP/1.1 200 Connection established\r\n\r\n", "closed", httpx.ConnectError),
    (b"", "closed", httpx.RemoteProtocolError),
    (b"", "hangs", httpx.ReadTimeout),
    (b"HTTP/1.1 200 Connection established\r\n\r\n", "hangs", httpx.HTTPError),
]


@pytest.mark.parametrize("make", HTTPX)
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_tunnel_that_does_not_come_about_raises_alike(make, refusal, rust, secure_server, proxy):
    """The original asks for it as well, and says what is wrong: nothing has reached the server."""
    proxy.answer, proxy.ends, raised = refusal
    more = {"timeout": httpx.Timeout(5, read=2 * SHORT_S, connect=SHORT_S)}
    control, sent, found, _ = asked_by_both(
        through(make, proxy), rust, secure_server, proxy, ("GET", secure_server.url + "/plain", more)
    )

    assert (True, [], {"not_connected": 1}) == (issubclass(control[0][0], raised), sent, found["declined"])


@pytest.mark.parametrize("make", HTTPX)
def test_a_proxy_that_is_not_there_raises_alike(make, rust, server, authority):
    """Of either kind of request."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        caller = make(proxy=f"http://127.0.0.1:{closed.getsockname()[1]}", verify=ssl.create_default_context())
        control, _, found = both(caller, rust, server, ("GET", PROXIED), ("GET", PROXIED.replace("http", "https")))

    assert [httpx.ConnectError] * 2 == [kind for kind, *_ in control]
    assert {"not_connected": 2} == found["declined"]


@pytest.mark.parametrize("make", HTTPX)
@pytest.mark.parametrize("path", ["/hang", "/close", "/cut", "/part"])
def test_what_goes_wrong_behind_a_tunnel_raises_alike(make, path, rust, secure_server, proxy):
    """As without one."""
    more = {"timeout": httpx.Timeout(5, read=SHORT_S + 0.2, connect=SHORT_S)}
    _, _, found, _ = asked_by_both(
        through(make, proxy), rust, secure_server, proxy, ("GET", secure_server.url + path, more)
    )

    assert (1, {}) == (found["served"]["rust"], found["declined"])


@pytest.mark.parametrize("make", HTTPX)
def test_a_certificate_is_looked_at_behind_a_tunnel(make, rust, authority, tls_server, proxy):
    """The server's, whose name is not the proxy's."""
    server = tls_server(callers.serving(authority.issue_cert("elsewhere.invalid")))
    control, _, found, _ = asked_by_both(through(make, proxy), rust, server, proxy, ("GET", server.url + "/plain"))

    assert (httpx.ConnectError, {"not_connected": 1}) == (control[0][0], found["declined"])


def get() -> httpx.Response:
    with httpx.Client() as client:
        return client.get(PROXIED)


def get_in_a_loop() -> httpx.Response:
    async def get() -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.get(PROXIED)

    return asyncio.run(get())


@pytest.mark.parametrize("getting", [get, get_in_a_loop])
@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
def test_variables_of_the_environment_are_httpxs_to_read(getting, name, rust, server, monkeypatch):
    """It chooses the transport, and NO_PROXY another one."""
    monkeypatch.setenv(name, server.url)
    rust()
    answer = getting()
    monkeypatch.setenv("NO_PROXY", "nobody.invalid")
    with pytest.raises(httpx.ConnectError):
        getting()

    assert (200, [PROXIED]) == (answer.status_code, [it.target for it in server.received])
    assert (1, {"not_connected": 1}) == (status()["served"]["rust"], status()["declined"])


@pytest.mark.parametrize("make", HTTPX)
@pytest.mark.parametrize("told", [{}, TOLD])
def test_a_proxy_may_speak_tls_itself(make, told, rust, secure_server, secure_proxy):
    """With the context that it was given; TLS within TLS."""
    caller = through(make, secure_proxy, ssl_context=ssl.create_default_context(), **told)
    requests = [("GET", secure_server.url + "/plain")] * 2
    _, sent, found, asked = asked_by_both(caller, rust, secure_server, secure_proxy, *requests)

    assert (1, 2, asked) == (len(asked), len(sent), secure_proxy.received)
    assert (2, {}) == (found["served"]["rust"], found["declined"])


@pytest.mark.parametrize("make", HTTPX)
def test_requests_are_forwarded_over_tls_alike(make, rust, secure_server):
    """A server is a proxy here, which sees the whole address."""
    caller = make(proxy=httpx.Proxy(secure_server.url, ssl_context=ssl.create_default_context()))
    _, sent, found = both(caller, rust, secure_server, ("GET", PROXIED))

    assert ([PROXIED], 1) == ([it.target for it in sent], found["served"]["rust"])


@pytest.mark.parametrize("make", HTTPX)
@pytest.mark.parametrize("is_known", [True, False])
def test_a_proxy_over_tls_is_believed_as_httpcore_does(make, is_known, rust, secure_server, secure_proxy, monkeypatch):
    """Without a context of its own by the platform's authorities and certifi's."""
    caller = through(make, secure_proxy)
    if not is_known:
        monkeypatch.delenv("SSL_CERT_FILE")
    control, _, found, _ = asked_by_both(
        caller, rust, secure_server, secure_proxy, ("GET", secure_server.url + "/plain")
    )

    assert (200 if is_known else httpx.ConnectError) == control[0][0]
    assert ({} if is_known else {"not_connected": 1}) == found["declined"]


@pytest.fixture(params=["server", "secure_server"])
def either_server(request):
    """Of both kinds of requests."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("make", HTTPX)
@pytest.mark.parametrize("auth", [None, ("user", "word")])
def test_a_proxy_of_socks_is_asked_alike(make, auth, rust, either_server, socks_proxy):
    """For a tunnel, for both kinds of requests, by the host's name."""
    pytest.importorskip("socksio")
    url = either_server.url.replace("127.0.0.1", "localhost") + "/plain"
    _, sent, found, asked = asked_by_both(
        through(make, socks_proxy, auth=auth), rust, either_server, socks_proxy, *[("GET", url)] * 2
    )

    shown = auth and tuple(part.encode() for part in auth)
    assert [(b"localhost", either_server.port, shown)] == asked == socks_proxy.received
    assert (2, 2, {}) == (len(sent), found["served"]["rust"], found["declined"])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("make", HTTPX)
def test_what_a_proxy_of_socks_refuses_raises_alike(make, rust, server, socks_proxy):
    """The original asks as well, and says what is wrong. httpcore leaves its socket there to be collected."""
    pytest.importorskip("socksio")
    socks_proxy.reply = 2
    control, sent, found, _ = asked_by_both(
        through(make, socks_proxy), rust, server, socks_proxy, ("GET", server.url + "/plain")
    )

    assert (httpx.ProxyError, [], {"not_connected": 1}) == (control[0][0], sent, found["declined"])
    gc.collect()


LEFT = [
    ("proxy", {"proxy": httpx.Proxy("http://127.0.0.1:1", headers={"Host": "other"})}),
    ("proxy", {"proxy": httpx.Proxy("http://127.0.0.1:1", headers={"X": b" x"})}),
    ("transport_settings", {"proxy": "http://127.0.0.1:1", "socket_options": [(1, 9, 1)]}),
]


@pytest.mark.parametrize(("reason", "options"), LEFT)
def test_proxies_that_the_pool_would_be_told_otherwise_are_left_to_httpx(reason, options, rust):
    """Headers that frame a request, or that h11 refuses; and what is set on a socket."""
    rust()
    Sync(**options).send(("GET", PROXIED))

    assert {reason: 1} == status()["declined"]


class OwnPool(httpcore.ConnectionPool):
    """Somebody's own."""


def test_a_pool_of_somebodys_own_is_left_to_httpx(rust, server):
    rust()
    transport = httpx.HTTPTransport()
    transport._pool = OwnPool()
    with httpx.Client(transport=transport) as client:
        client.get(server.url + "/plain")

    assert {"proxy": 1} == status()["declined"]
