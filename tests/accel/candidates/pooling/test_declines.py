"""What the pool does not do as the originals is left to them."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import socket
import ssl
import subprocess
import sys
import textwrap
from pathlib import Path

import httpx
import pytest

from fast_litellm.accel.candidates import pool_network
from fast_litellm.accel.candidates.pool_network import is_read_in_c

spec = importlib.util.spec_from_file_location("pool_callers", Path(__file__).with_name("callers.py"))
callers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(callers)
LiteLLM, Sync, serving, status = callers.LiteLLM, callers.Sync, callers.serving, callers.status
aiohttp = pytest.importorskip("aiohttp")
trustme = pytest.importorskip("trustme")


def parts():
    yield b"a"
    yield b"b"


class OwnFile(io.BytesIO):
    """Somebody's own, whose content may be gone when it has been read."""


class OwnRaw(io.RawIOBase):
    """Comes from anywhere."""

    def readable(self):
        return True

    def readinto(self, _buffer):
        return 0


DECLINED = [
    ("streamed_body", {"content": parts()}),
    ("streamed_body", {"files": {"a": OwnFile(b"x")}}),
    ("streamed_body", {"files": {"a": io.BufferedReader(OwnRaw())}}),
    ("large_body", {"files": {"a": b"x" * (1 << 24)}}),
    ("request_extension", {"extensions": {"sni_hostname": "x"}}),
    ("timeout", {"timeout": httpx.Timeout(5, read=0)}),
    ("timeout", {"timeout": httpx.Timeout(5, write=0)}),
    ("headers", {"headers": {"Connection": "close"}}),
    ("headers", {"headers": {"Expect": "100-continue"}}),
    ("headers", {"headers": [("Host", "a"), ("Host", "a")]}),
    ("headers", {"headers": [("Content-Length", "0"), ("Content-Length", "0")]}),
    ("headers", {"headers": [("Connection", "close"), ("Connection", "keep-alive")]}),
    *(("headers", {"headers": {"Authorization": value}}) for value in ("Bearer k ", " Bearer k", "\tk", "k\t", " ")),
]


@pytest.mark.parametrize(("reason", "more"), DECLINED, ids=[reason for reason, _ in DECLINED])
def test_what_the_pool_does_otherwise_is_declined(reason, more, rust, server):
    """The original transport handles it, and the decline is counted."""
    rust()
    with httpx.Client(timeout=5) as client:
        try:
            client.post(server.url + "/plain", **more)
        except (httpx.HTTPError, UnicodeEncodeError):
            assert reason in ("timeout", "headers")

    assert {reason: 1} == status()["declined"]


@pytest.mark.parametrize(
    "options",
    [
        {"retries": 1},
        {"socket_options": [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]},
    ],
)
def test_a_transport_whose_sockets_are_set_otherwise_is_declined(options, rust, server):
    rust()
    Sync(**options).send(("GET", server.url + "/plain"))

    assert {"transport_settings": 1} == status()["declined"]


def test_without_tls_http2_is_never_spoken(rust, server):
    """A transport that may speak it speaks HTTP/1.1 where nobody is asked."""
    rust()
    answer = Sync(http2=True).send(("GET", server.url + "/plain"))[0]

    assert ("HTTP/1.1", 1) == (answer[1], status()["served"]["rust"])


def test_http2_that_nobody_is_asked_for_is_declined(rust):
    """A transport that speaks nothing else begins with it."""
    rust()
    Sync(http1=False, http2=True).send(("GET", "http://127.0.0.1:1/"))

    assert {"transport_settings": 1} == status()["declined"]


def test_proxies_under_litellms_transport_stay_with_aiohttp(rust, server, monkeypatch):
    """What a variable of the environment sends over a proxy goes there as before."""
    for name in ("http_proxy", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", server.url)
    rust()
    answer = LiteLLM().send(("GET", "http://nobody.invalid/plain"))[0]

    assert (200, ["http://nobody.invalid/plain"]) == (answer[0], [it.target for it in server.received])
    assert (0, {"proxy": 1}) == (status()["served"]["rust"], status()["declined"])


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


def test_a_transport_without_a_connection_is_declined(rust, server):
    """httpx waits for one in vain."""
    rust()
    transport, timeout = httpx.HTTPTransport(limits=httpx.Limits(max_connections=0)), httpx.Timeout(5, pool=0.01)
    with httpx.Client(transport=transport, timeout=timeout) as client, pytest.raises(httpx.PoolTimeout):
        client.get(server.url + "/plain")

    assert {"transport_settings": 1} == status()["declined"]


@pytest.mark.parametrize("connections", [1, 100, None])
def test_requests_with_other_timeouts_share_their_connections(connections, rust, server):
    """As those of httpx: a timeout is the request's."""
    rust()
    requests = [("GET", server.url + "/plain", {"timeout": 5 + number}) for number in range(10)]
    Sync(limits=httpx.Limits(max_connections=connections)).send(*requests)

    assert (10, {}, 1) == (status()["served"]["rust"], status()["declined"], server.connections)


def test_a_context_that_goes_on_changing_has_few_pools(rust, authority, tls_server):
    """Each has what the context was when it was made."""
    rust()
    context = ssl.create_default_context()
    server = tls_server(serving(authority.issue_cert("127.0.0.1")))
    with httpx.Client(verify=context) as client:
        for number in range(10):
            context.load_verify_locations(cadata=trustme.CA().cert_pem.bytes().decode())
            assert 200 == client.get(f"{server.url}/plain?{number}").status_code

    assert (8, {"pools": 2}) == (status()["served"]["rust"], status()["declined"])


READS = """
    import json, os, sys
    import fast_litellm, httpx

    fast_litellm.install(sys.argv[1])
    with httpx.Client() as client, client.stream("GET", sys.argv[2]) as response:
        child = os.fork()
        if child == 0:
            try:
                response.read()
            except httpx.ReadError as error:
                print(error, flush=True)
            os._exit(0)
        print(os.waitpid(child, 0)[1])
"""


def test_a_forked_child_does_not_wait_for_a_response_of_its_parents(tmp_path, server):
    """Nobody reads it there."""
    done = _forking(READS, tmp_path, server.url + "/hangbody")

    assert (0, ["its connection is one of a parent process", "0"]) == (done.returncode, done.stdout.splitlines())


FORKS = """
    import json, os, sys
    import fast_litellm, httpx

    fast_litellm.install(sys.argv[1])
    httpx.get(sys.argv[2])
    assert fast_litellm.status()["features"]["connection_pooling"]["served"]["rust"] == 1
    child = os.fork()
    if child == 0:
        httpx.get(sys.argv[2])
        feature = fast_litellm.status()["features"]["connection_pooling"]
        print(json.dumps([feature["served"]["rust"], feature["declined"]]), flush=True)
        os._exit(0)
    print(os.waitpid(child, 0)[1])
"""


def test_a_forked_child_goes_on_in_python(tmp_path, server):
    """The thread of its parent's pools is not there; parent and child end as they should."""
    done = _forking(FORKS, tmp_path, server.url + "/plain")

    assert (0, ['[0, {"forked": 1}]', "0"]) == (done.returncode, done.stdout.splitlines()), done.stderr


def _forking(program, path, url) -> subprocess.CompletedProcess:
    rules = path / "r.json"
    rules.write_text(json.dumps({"version": 1, "flags": {"connection_pooling": {"otherwise": "rust"}}}))
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program), str(rules), url]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=os.environ)
