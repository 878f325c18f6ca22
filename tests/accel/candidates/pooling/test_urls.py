"""Which URLs go out over the pool, and as what."""

from __future__ import annotations

import httpx
import pytest

from fast_litellm.accel.candidates import pool_messages
from fast_litellm.errors import Declined


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
