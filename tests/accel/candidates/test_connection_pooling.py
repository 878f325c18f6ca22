"""Requests over pyreqwest against those over the original transports: the same bytes, answers and exceptions."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import textwrap

import httpx
import pytest

import fast_litellm
from fast_litellm.accel import fingerprint, references
from fast_litellm.accel.candidates import pool_messages, pool_network
from fast_litellm.accel.candidates.connection_pooling import LITELLM_SOURCES
from fast_litellm.accel.candidates.pool_network import is_read_in_c
from fast_litellm.errors import Declined

pytest.importorskip("pyreqwest")
aiohttp = pytest.importorskip("aiohttp")
httpcore = pytest.importorskip("httpcore")
openai = pytest.importorskip("openai")
trustme = pytest.importorskip("trustme")
litellm = pytest.importorskip("litellm")
aiohttp_transport = pytest.importorskip("litellm.llms.custom_httpx.aiohttp_transport")
http_handler = pytest.importorskip("litellm.llms.custom_httpx.http_handler")
if references.known("connection_pooling", fingerprint.fingerprint(LITELLM_SOURCES)) is None:
    pytest.skip("LiteLLM's transport is not one that the candidate is known to equal", allow_module_level=True)

SHORT_S = 0.3
"""A timeout that is meant to run out."""
TIMEOUTS = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": 5.0}


@pytest.fixture(autouse=True)
def clean():
    """What a test installs is gone after it."""
    yield
    fast_litellm.uninstall()


@pytest.fixture(autouse=True)
def plain_aiohttp(monkeypatch):
    """An aiohttp without compiled parts: requests over a compiled one are left to it."""
    monkeypatch.setattr(pool_network, "is_read_in_c", lambda: False)


@pytest.fixture
def rust(tmp_path):
    """Gives requests to the candidate from here on; returns what `status` says of it."""

    def install(**flag):
        path = tmp_path / "rollout.yaml"
        path.write_text(json.dumps({"version": 1, "flags": {"connection_pooling": flag or {"otherwise": "rust"}}}))
        fast_litellm.install(path)
        return status

    return install


def status() -> dict:
    return fast_litellm.status()["features"]["connection_pooling"]


def told(response, body) -> tuple:
    """What a response says, but for the case and place of its headers' names."""
    headers = sorted((name.lower(), value) for name, value in response.headers.raw)
    extensions = set(response.extensions) - {"network_stream"}
    return response.status_code, response.http_version, headers, response.encoding, extensions, body


class Sync:
    """`httpx.HTTPTransport` under a client."""

    def __init__(self, **options) -> None:
        self.options = options

    def send(self, *requests) -> list:
        """What comes back: a response, or the exception's class."""
        with httpx.Client(transport=httpx.HTTPTransport(**self.options), timeout=5, follow_redirects=True) as client:
            return [self._one(client, *request) for request in requests]

    def _one(self, client, method, url, more=None):
        try:
            with client.stream(method, url, **(more or {})) as response:
                return told(response, response.read())
        except httpx.HTTPError as error:
            return type(error)


class Async:
    """`httpx.AsyncHTTPTransport` under a client."""

    def __init__(self, **options) -> None:
        self.options = options

    def transport(self):
        return httpx.AsyncHTTPTransport(**self.options)

    def send(self, *requests) -> list:
        """What comes back: a response, or the exception's class."""
        return asyncio.run(self._all(requests))

    async def _all(self, requests) -> list:
        async with httpx.AsyncClient(transport=self.transport(), timeout=5, follow_redirects=True) as client:
            return [await self._one(client, *request) for request in requests]

    async def _one(self, client, method, url, more=None):
        try:
            async with client.stream(method, url, **(more or {})) as response:
                return told(response, await response.aread())
        except httpx.HTTPError as error:
            return type(error)


class LiteLLM(Async):
    """LiteLLM's transport over aiohttp."""

    def transport(self):
        return http_handler.AsyncHTTPHandler._create_async_transport(**self.options)


CALLERS = [Sync, Async, LiteLLM]


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


BROKEN = ["/close", "/junk", "/reset", "/cut", "/cutchunk", "/badchunk"]


@pytest.mark.parametrize("make", CALLERS)
def test_what_breaks_raises_alike(make, rust, server):
    """Whether nothing comes, something else, or a part; a request is sent once, as by the original."""
    more = {"content": b"x", "headers": {"Content-Type": "a/b"}}
    control, sent, found = both(make(), rust, server, *[("POST", server.url + path, more) for path in BROKEN])

    assert all(issubclass(it, httpx.RequestError) for it in control)
    assert (len(BROKEN), 0) == (len(sent), found["served"]["python"])


@pytest.mark.parametrize("make", [Sync, Async])
def test_a_body_that_is_torn_raises_alike(make, rust, server):
    """LiteLLM 1.106 has two classes for it, and which one is a race of its own."""
    both(make(), rust, server, ("GET", server.url + "/resetbody"))


@pytest.mark.parametrize("make", CALLERS)
def test_a_read_that_takes_too_long_raises_alike(make, rust, server):
    """Before the response has begun and in the middle of it."""
    more = {"timeout": httpx.Timeout(5, read=SHORT_S)}
    control, _, _ = both(make(), rust, server, *[("GET", server.url + path, more) for path in ("/hang", "/hangbody")])

    assert [httpx.ReadTimeout] * 2 == control


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
def test_no_connection_raises_alike(make, rust, server, unreachable):
    """Refused, unknown, and in a queue for too long."""
    closed, full = unreachable
    more = {"timeout": httpx.Timeout(5, connect=SHORT_S)}
    requests = [("GET", f"http://127.0.0.1:{closed}/"), ("GET", "http://nobody.invalid/")]
    control, _, found = both(make(), rust, server, *requests, ("GET", f"http://127.0.0.1:{full}/", more))

    assert [httpx.ConnectError, httpx.ConnectError, httpx.ConnectTimeout] == control
    assert {} == found["declined"]


@pytest.mark.parametrize("make", CALLERS)
def test_connections_are_kept_alike(make, rust, server):
    """One for many requests, another one after the server has closed it."""
    requests = [("GET", server.url + path) for path in ("/plain", "/chunked", "/plain", "/closing", "/plain", "/none")]
    both(make(), rust, server, *requests)

    assert 2 * 2 == server.connections


def test_a_pool_without_room_raises_alike(rust, server):
    """One connection, and somebody has it."""
    limits = httpx.Limits(max_connections=1)
    raised = []
    for install in (lambda: None, rust):
        install()
        with httpx.Client(limits=limits, timeout=httpx.Timeout(5, pool=SHORT_S)) as client:
            with client.stream("GET", server.url + "/hangbody"), pytest.raises(httpx.PoolTimeout) as found:
                client.get(server.url + "/plain")
            raised.append(found.type)

    assert [httpx.PoolTimeout] * 2 == raised
    assert 1 == status()["served"]["rust"]


@pytest.mark.parametrize("make", CALLERS[1:])
def test_what_arrives_is_there_at_once(make, rust, server):
    """A part of a stream is not held back until the next one comes."""

    async def first() -> bytes:
        client = httpx.AsyncClient(transport=make().transport(), timeout=5)
        async with client, client.stream("GET", server.url + "/hangbody") as response:
            return await response.aiter_raw().__anext__()

    rust()
    assert b"abc" == asyncio.run(first())
    assert 1 == status()["served"]["rust"]


@pytest.mark.parametrize("make", CALLERS[1:])
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


def parts():
    yield b"a"
    yield b"b"


DECLINED = [
    ("streamed_body", {"content": parts()}),
    ("large_body", {"content": b"x" * ((1 << 20) + 1)}),
    ("request_extension", {"extensions": {"sni_hostname": "x"}}),
    ("timeout", {"timeout": httpx.Timeout(5, read=0)}),
    ("headers", {"headers": {"Connection": "close"}}),
    ("headers", {"headers": {"Expect": "100-continue"}}),
    ("headers", {"headers": {"X": b"\xe9"}}),
]


@pytest.mark.parametrize(("reason", "more"), DECLINED, ids=[reason for reason, _ in DECLINED])
def test_what_pyreqwest_does_otherwise_is_declined(reason, more, rust, server):
    """The original transport handles it, and the decline is counted."""
    rust()
    with httpx.Client(timeout=5) as client:
        try:
            client.post(server.url + "/plain", **more)
        except (httpx.HTTPError, UnicodeEncodeError):
            assert reason in ("timeout", "headers")

    assert {reason: 1} == status()["declined"]


@pytest.mark.parametrize(
    ("reason", "options"),
    [
        ("transport_settings", {"retries": 1}),
        ("transport_settings", {"local_address": "127.0.0.1"}),
        ("transport_settings", {"socket_options": [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]}),
        ("transport_settings", {"http2": True}),
        ("tls_context", {}),
    ],
)
def test_a_transport_that_is_set_otherwise_is_declined(reason, options, rust, server):
    """A context of the program's own may hold a client's certificate."""
    rust()
    url = server.url.replace("http:", "https:") if reason == "tls_context" else server.url
    Sync(**options).send(("GET", url + "/plain"))

    assert {reason: 1} == status()["declined"]


@pytest.mark.parametrize("make", CALLERS)
def test_proxies_stay_with_httpx_and_aiohttp(make, rust, server, monkeypatch):
    """What a variable of the environment sends over a proxy goes there as before."""
    for name in ("http_proxy", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", server.url)
    rust()
    answers = {Sync: proxied, Async: proxied_async, LiteLLM: proxied_litellm}[make]()

    assert (200, ["http://nobody.invalid/plain"]) == (answers, [it.target for it in server.received])
    assert (0, {"proxy": 1}) == (status()["served"]["rust"], status()["declined"])


PROXIED = "http://nobody.invalid/plain"


def proxied() -> int:
    with httpx.Client() as client:
        return client.get(PROXIED).status_code


def proxied_async() -> int:
    async def get():
        async with httpx.AsyncClient() as client:
            return (await client.get(PROXIED)).status_code

    return asyncio.run(get())


def proxied_litellm() -> int:
    return LiteLLM().send(("GET", PROXIED))[0][0]


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """A certificate authority that SSL_CERT_FILE names, and LiteLLM's contexts made anew."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    for name in ("SSL_CERT_DIR", "SSL_CERTIFICATE", "SSL_VERIFY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(http_handler, "_ssl_context_cache", {})
    return made


def serving(certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def trusting(make):
    """A caller whose transport trusts what LiteLLM's does."""
    context = http_handler.get_ssl_configuration()
    return make(**{"ssl_context" if make is LiteLLM else "verify": context})


@pytest.mark.parametrize("make", CALLERS)
@pytest.mark.parametrize("names", [["127.0.0.1"], ["localhost"]])
@pytest.mark.parametrize("is_known", [True, False])
def test_certificates_are_believed_alike(make, names, is_known, rust, authority, tls_server):
    """One of the authority for the server's name; of another one, or for another name, it is no connection."""
    issuer = authority if is_known else trustme.CA()
    server = tls_server(serving(issuer.issue_cert(*names)))
    control, _, found = both(trusting(make), rust, server, ("GET", server.url + "/plain"))

    is_fine = is_known and names == ["127.0.0.1"]
    assert is_fine is isinstance(control[0], tuple)
    assert (int(is_fine), 0, {}) == (found["served"]["rust"], found["served"]["python"], found["declined"])


def test_certificates_nobody_looks_at_are_believed_alike(rust, authority, tls_server):
    """LiteLLM with `ssl_verify=False`."""
    server = tls_server(serving(trustme.CA().issue_cert("elsewhere.invalid")))
    control, _, found = both(LiteLLM(ssl_verify=False), rust, server, ("GET", server.url + "/plain"))

    assert (200, 1) == (control[0][0], found["served"]["rust"])


@pytest.mark.parametrize(
    ("variable", "reason"),
    [
        (("SSL_CERT_FILE", ""), "tls_roots"),
        (("SSL_CERT_FILE", "other.pem"), "tls_roots"),
        (("SSL_CERT_DIR", "/"), "tls_roots"),
        (("SSL_CERTIFICATE", "client.pem"), "client_certificate"),
    ],
)
def test_tls_is_declined_unless_both_trust_the_same(variable, reason, rust, authority, tls_server, monkeypatch):
    """pyreqwest always trusts the platform's roots as well; and nobody can tell a client's certificate of a context."""
    server = tls_server(serving(authority.issue_cert("127.0.0.1")))
    caller = trusting(Sync)
    trustme.CA().cert_pem.write_to_path("other.pem")
    monkeypatch.setenv(*variable)
    rust()

    assert 200 == caller.send(("GET", server.url + "/plain"))[0][0]
    assert {reason: 1} == status()["declined"]


def test_a_context_that_is_set_otherwise_is_declined(rust, authority, tls_server):
    """It looks at certificates and not at names."""
    server = tls_server(serving(authority.issue_cert("127.0.0.1")))
    caller = trusting(Sync)
    caller.options["verify"].check_hostname = False
    rust()
    caller.send(("GET", server.url + "/plain"))

    assert {"tls_verification": 1} == status()["declined"]


@pytest.mark.parametrize("flag", [{"stage": "shadow"}, {"otherwise": "python"}])
def test_at_shadow_and_off_python_sends_alone(flag, rust, server):
    """A request is never made twice."""
    rust(**flag)
    Sync().send(("GET", server.url + "/plain"))

    assert (1, 0) == (len(server.received), status()["compared"])
    assert 0 == status()["served"]["rust"]


CHAT = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


def chat_by_sdk(url) -> str:
    with openai.OpenAI(base_url=url, api_key="k", max_retries=0) as client:
        return ask(client)


def ask(client) -> str:
    messages = [{"role": "user", "content": "hi"}]
    return client.chat.completions.create(model="gpt-4o", messages=messages).choices[0].message.content


def chat_by_async_sdk(url) -> str:
    async def chat() -> str:
        async with openai.AsyncOpenAI(base_url=url, api_key="k", max_retries=0) as client:
            messages = [{"role": "user", "content": "hi"}]
            answer = await client.chat.completions.create(model="gpt-4o", messages=messages)
            return answer.choices[0].message.content

    return asyncio.run(chat())


def chat_by_litellm(url) -> str:
    async def chat() -> str:
        handler = http_handler.AsyncHTTPHandler(timeout=5)
        try:
            return (await handler.post(url + "/chat/completions", json={"a": 1})).json()["choices"][0]["message"][
                "content"
            ]
        finally:
            await handler.close()

    return asyncio.run(chat())


def chat_by_sync_litellm(url) -> str:
    handler = http_handler.HTTPHandler(timeout=5)
    try:
        return handler.post(url + "/chat/completions", json={"a": 1}).json()["choices"][0]["message"]["content"]
    finally:
        handler.close()


@pytest.mark.parametrize(("is_compiled", "by_rust"), [(True, 0), (False, 1)])
def test_requests_over_a_compiled_aiohttp_are_left_to_it(rust, server, monkeypatch, is_compiled, by_rust):
    """A pool of other threads gains nothing there, and loses where much goes on at once."""
    monkeypatch.setattr(pool_network, "is_read_in_c", lambda: is_compiled)
    rust()
    LiteLLM().send(("GET", server.url + "/plain"))

    declined = {"compiled_reference": 1} if is_compiled else {}
    assert ({"python": 1 - by_rust, "rust": by_rust}, declined) == (status()["served"], status()["declined"])


def test_compiled_is_an_aiohttp_whose_reader_is_not_its_own_of_python(monkeypatch):
    """Where its extension cannot be imported, both names are one class."""
    parser = aiohttp.http_parser
    monkeypatch.setattr(parser, "HttpResponseParser", parser.HttpResponseParserPy)
    in_python = is_read_in_c()
    monkeypatch.setattr(parser, "HttpResponseParser", object)

    assert (False, True) == (in_python, is_read_in_c())


@pytest.mark.parametrize("call", [chat_by_sdk, chat_by_async_sdk, chat_by_litellm, chat_by_sync_litellm])
def test_the_sdk_and_litellm_get_the_same_answer(call, rust, server):
    """With the candidate off and on; the bytes that the server gets are the same."""
    body = json.dumps(CHAT).encode()
    server.answers["/chat/completions"] = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )
    before = call(server.url)
    sent, server.received = server.received, []
    rust()

    assert ("hello", "hello") == (before, call(server.url))
    assert (written(sent), 1) == (written(server.received), status()["served"]["rust"])


@pytest.mark.parametrize("call", [chat_by_sdk, chat_by_async_sdk])
@pytest.mark.parametrize("path", ["/close", "/reset", "/failed"])
def test_the_sdk_raises_the_same(call, path, rust, server):
    """Connections that end and errors that the server tells of."""
    raised = []
    for install in (lambda: None, rust):
        install()
        with pytest.raises(openai.APIError) as found:
            call(server.url + path + "?")
        raised.append(found.type)

    assert raised[0] is raised[1]


FORKS = """
    import json, os, sys
    import fast_litellm, httpx

    fast_litellm.install(sys.argv[1])
    url = sys.argv[2]
    assert httpx.get(url).status_code == 200
    child = os.fork()
    if child == 0:
        httpx.get(url)
        feature = fast_litellm.status()["features"]["connection_pooling"]
        print(json.dumps([feature["served"]["rust"], feature["declined"]]), flush=True)
        os._exit(0)
    print(os.waitpid(child, 0)[1])
"""


def test_a_forked_child_goes_on_in_python(tmp_path, server):
    """The threads of its parent's pools are not there; parent and child end as they should."""
    (tmp_path / "r.json").write_text(json.dumps({"version": 1, "flags": {"connection_pooling": {"otherwise": "rust"}}}))
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        textwrap.dedent(FORKS),
        str(tmp_path / "r.json"),
        server.url + "/plain",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=os.environ)

    assert (0, ['[0, {"forked": 1}]', "0"]) == (done.returncode, done.stdout.splitlines()), done.stderr


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


def test_without_pyreqwest_every_request_is_declined(rust, server, monkeypatch):
    """It is an extra, and the flag says that it is not there."""
    monkeypatch.setitem(sys.modules, "pyreqwest.client", None)
    rust()
    Sync().send(("GET", server.url + "/plain"))

    assert {"pyreqwest_absent": 1} == status()["declined"]


def test_a_header_that_is_not_ascii_is_left_out(rust, server):
    """pyreqwest cannot read it; the others of the response are there."""
    server.answers["/odd"] = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nX-B: caf\xe9\r\nX-A: 2\r\nContent-Length: 0\r\n\r\n"
    rust()
    answer = Sync().send(("GET", server.url + "/odd"))[0]

    assert [(b"content-length", b"0"), (b"x-a", b"1"), (b"x-a", b"2")] == answer[2]


def test_a_program_with_ever_new_timeouts_has_few_pools(rust, server):
    """A pool has its timeouts; beyond eight of them requests are the original transport's."""
    rust()
    requests = [("GET", server.url + "/plain", {"timeout": 5 + number}) for number in range(10)]
    Sync().send(*requests)

    assert (8, {"pools": 2}) == (status()["served"]["rust"], status()["declined"])


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/v1/chat/completions",
        "https://api.openai.com/v1/files/file-1%2F2?limit=20&after=a%20b+c",
        "http://localhost/",
        "http://1.example.com/a;b=c,d?e/f?g",
    ],
)
def test_usual_urls_go_out_as_they_are(url):
    """Rust's parser finds nothing to change in them."""
    assert url == pool_messages.url_of(httpx.Request("GET", url))


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("http://u:p@host/", "http://host/"),
        ("http://HOST:80?x=1", "http://host/?x=1"),
        ("http://host/{a}/../b", "http://host/b"),
    ],
)
def test_urls_go_out_as_httpx_has_them(written, url):
    """It has brought them into one form, and made a header of credentials."""
    assert url == pool_messages.url_of(httpx.Request("GET", written))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.1/",
        "http://0x7f.0.0.1/",
        "http://[::1]/",
        "http://xn--bcher-kva.example/a|b",
        "http://host/a/%2e%2E/b",
        "http://host/it's",
        "http://host/?q='",
    ],
)
def test_urls_that_rust_would_write_otherwise_are_declined(url):
    """Other forms of addresses, credentials, dots between slashes, and characters that it encodes."""
    with pytest.raises(Declined, match="url"):
        pool_messages.url_of(httpx.Request("GET", url))
