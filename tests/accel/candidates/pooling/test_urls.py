"""Which URLs go out over the pool, and as what."""

from __future__ import annotations

import httpx
import pytest

from fast_litellm.accel import native
from fast_litellm.accel.candidates import pool_messages


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
    """There is nothing to change in them."""
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
        "http://127.1:1/",
        "http://0x7f.0.0.1/",
        "http://[::1]/",
        "http://host/a|b",
        "http://host/a/%2e%2E/b",
        "http://host/?q='",
    ],
)
def test_urls_are_not_brought_into_another_form(url):
    """Other forms of addresses, dots between slashes, and characters that others encode."""
    request = httpx.Request("GET", url)

    assert native.ConnectionPool((None, None, None), None, None, None, False).request(*_sent(request))


@pytest.mark.parametrize("path", ["/a#b", "/a b", "/\x7f"])
def test_urls_that_would_go_out_otherwise_are_refused(path):
    """Nothing has been sent."""
    pool = native.ConnectionPool((None, None, None), None, None, None, False)

    with pytest.raises(ValueError, match=r".+"):
        pool.request("GET", "http://host" + path, [], b"", (None, None, None, None))


def _sent(request) -> tuple:
    return request.method, pool_messages.url_of(request), request.headers.raw, b"", (None, None, None, None)
