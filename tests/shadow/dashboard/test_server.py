"""The page, live: what may be asked, by whom, and what comes with the answer."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer

from fast_litellm.shadow.dashboard import page, server
from fast_litellm.shadow.dashboard.model import Picture
from fast_litellm.shadow.dashboard.server import HEADERS, Dashboard, is_loopback, is_own


class Camera:
    """Takes the pictures it is given, and counts them; its clock stands still until told otherwise."""

    def __init__(self, picture):
        self.picture = picture
        self.taken = 0
        self.now = 0.0

    def __call__(self):
        self.taken += 1
        return self.picture


@pytest.fixture
def camera(picture):
    """Shows the sample."""
    return Camera(picture)


@pytest.fixture
def ask(camera):
    """Asks a server of its own: (method, path, headers) each, answered by (status, headers, text)."""

    async def asked(requests):
        application = Dashboard(camera, "127.0.0.1", lambda: camera.now).application()
        async with TestClient(TestServer(application)) as client:
            answers = []
            for method, path, headers in requests:
                answer = await client.request(method, path, headers=headers)
                answers.append((answer.status, answer.headers, await answer.text()))
                camera.now += 2
            return answers

    return lambda *requests: asyncio.run(asked(requests))


def test_the_page_is_the_live_one(ask, picture):
    """It is rendered from the picture, with the script that renews it."""
    [(status, headers, text)] = ask(("GET", "/", {}))

    assert (200, "text/html; charset=utf-8") == (status, headers["Content-Type"])
    assert page.render(picture, live=True) == text


def test_the_document_holds_every_feature(ask, picture):
    """JSON at /api/status.json."""
    [(status, headers, text)] = ask(("GET", "/api/status.json", {}))

    assert (200, "application/json; charset=utf-8") == (status, headers["Content-Type"])
    assert [one.name for one in picture.features] == [one["name"] for one in json.loads(text)["features"]]


def test_prometheus_is_answered(ask):
    """At the path it asks by default."""
    [(status, _, text)] = ask(("GET", "/metrics", {}))

    assert 200 == status
    assert text.startswith("# HELP shadow_calls_total ")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/api/status.json", "/nothing"])
def test_nothing_can_be_changed(ask, camera, method, path):
    """Only GET and HEAD are answered."""
    [(status, headers, _)] = ask((method, path, {}))

    assert (405, "GET, HEAD", 0) == (status, headers["Allow"], camera.taken)


@pytest.mark.parametrize("path", ["/", "/nothing", "/..%2f..%2fetc%2fpasswd"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_every_answer_has_the_strict_headers(ask, method, path):
    """Also a refusal and an error."""
    [(_, headers, _)] = ask((method, path, {}))

    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "", "[::1", "a b"])
def test_a_rebound_name_is_refused(ask, camera, host):
    """A page of another site cannot read the ledger through the visitor's browser."""
    [(status, _, text)] = ask(("GET", "/", {"Host": host}))

    assert (421, 0) == (status, camera.taken)
    assert "token_counting" not in text


@pytest.mark.parametrize(
    ("asked", "own"),
    [
        ("127.0.0.1:8686", True),
        ("localhost", True),
        ("[::1]:8686", True),
        ("10.0.0.7:80", True),
        ("box.example:1", True),
        ("BOX.example", True),
        ("other.example", False),
    ],
)
def test_addresses_and_the_servers_own_name_are_its_own(asked, own):
    """An address cannot be rebound."""
    assert own == is_own(asked, "box.example")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_is_known_by_its_address(host):
    """Only this machine reaches it."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "box", ""])
def test_everything_else_is_not_loopback(host):
    """A name is not believed."""
    assert not is_loopback(host)


def test_what_has_not_changed_is_not_sent_again(ask, camera, picture):
    """A picture taken later that shows the same has the same tag."""
    [(_, headers, _)] = ask(("GET", "/", {}))
    camera.picture = replace(picture, at=picture.at + 60)
    [(status, again, text)] = ask(("GET", "/", {"If-None-Match": headers["ETag"]}))

    assert (304, headers["ETag"], "") == (status, again["ETag"], text)


def test_what_has_changed_is_sent(ask, camera, picture):
    """Another picture has another tag."""
    [(_, headers, _)] = ask(("GET", "/", {}))
    camera.picture = replace(picture, features=picture.features[1:])
    [(status, _, _)] = ask(("GET", "/", {"If-None-Match": headers["ETag"]}))

    assert 200 == status


def test_many_browsers_are_one_reader(picture):
    """The ledger is read once a second at most."""
    camera = Camera(picture)
    dashboard = Dashboard(camera, "127.0.0.1", lambda: camera.now)
    for camera.now in (0.0, 0.2, 0.9, 1.0, 1.5):
        dashboard._picture()

    assert 2 == camera.taken


def test_a_ledger_out_of_reach_is_a_page(ask, camera):
    """It is said in words, with status 200: the dashboard itself is well."""
    camera.picture = Picture(0, "ledger.db", problem="The ledger cannot be read: it is locked")
    [(status, _, text)] = ask(("GET", "/", {}))

    assert 200 == status
    assert "it is locked" in text


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_nothing_of_a_request_that_is_no_http_is_logged(camera, caplog):
    """aiohttp's own words for it quote the request, with what it has of keys."""

    async def asked() -> bytes:
        ready = asyncio.get_running_loop().create_future()
        application = Dashboard(camera, "127.0.0.1").application()
        serving = asyncio.ensure_future(server._serve(application, "127.0.0.1", 0, ready.set_result))
        parts = urlsplit(await ready)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer planted\x00\r\n\r\n")
        answer = await reader.read()
        writer.close()
        os.kill(os.getpid(), signal.SIGTERM)
        await serving
        return answer

    assert (b" 400 ", "") == (asyncio.run(asked())[8:13], caplog.text)
