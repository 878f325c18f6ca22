"""What every test of the pool stands on: a rule that gives requests to it, and an authority for TLS."""

from __future__ import annotations

import importlib
import json

import pytest

import fast_litellm
from fast_litellm.accel.candidates import pool_network


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
    """Gives requests to the candidate from here on; returns what tells `status` of it."""

    def install(**flag):
        path = tmp_path / "rollout.yaml"
        path.write_text(json.dumps({"version": 1, "flags": {"connection_pooling": flag or {"otherwise": "rust"}}}))
        fast_litellm.install(path)
        return lambda: fast_litellm.status()["features"]["connection_pooling"]

    return install


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """A certificate authority that SSL_CERT_FILE names, and LiteLLM's contexts made anew."""
    trustme = pytest.importorskip("trustme")
    handler = importlib.import_module("litellm.llms.custom_httpx.http_handler")
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    for name in ("SSL_CERT_DIR", "SSL_CERTIFICATE", "SSL_VERIFY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(handler, "_ssl_context_cache", {})
    return made
