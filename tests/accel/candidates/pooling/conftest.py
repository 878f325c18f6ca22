"""What every test of the pool stands on: a rule that gives requests to it, and an authority for TLS."""

from __future__ import annotations

import importlib
import json
import socket
import struct
import threading
from contextlib import suppress

import pytest

import fast_litellm
from fast_litellm.accel.candidates import pool_network, pool_requests


@pytest.fixture(autouse=True)
def clean():
    """What a test installs is gone after it."""
    yield
    fast_litellm.uninstall()


@pytest.fixture(autouse=True)
def plain_aiohttp(monkeypatch):
    """An aiohttp without compiled parts: requests over a compiled one are left to it."""
    monkeypatch.setattr(pool_network, "is_read_in_c", lambda: False)


@pytest.fixture(autouse=True)
def asked_for(monkeypatch):
    """Asynchronous requests, which cannot be aborted, are taken from who says so."""
    monkeypatch.setenv("FAST_LITELLM_POOL_ASYNC", "1")


@pytest.fixture(autouse=True)
def no_signals(monkeypatch):
    """Requests of the main thread are left to httpx because signals reach it; here, none comes."""
    monkeypatch.setattr(pool_requests, "check_thread", lambda: None)


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


class Proxy:
    """
    One that makes tunnels to loopback, on a port of its own.

    Its settings are attributes: `answer` is what it says to CONNECT, and is followed by a tunnel where it is a 200,
    unless `ends` tells how the connection ends: "closed", "reset" or "hangs".
    """

    def __init__(self) -> None:
        self.received: list = []
        self.answer = b"HTTP/1.1 200 Connection established\r\n\r\n"
        self.ends = ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list = []
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    def stop(self) -> None:
        """Ends it with all of its connections."""
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(10)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            self._start(self._serve, connection)

    def _start(self, target, *args) -> None:
        self._threads.append(threading.Thread(target=target, args=args))
        self._threads[-1].start()

    def _serve(self, connection) -> None:
        head = b""
        with suppress(OSError):
            while b"\r\n\r\n" not in head and (came := connection.recv(65536)):
                head += came
            if head:
                self._reply(connection, head.decode("latin-1"))

    def _reply(self, connection, head) -> None:
        first, *lines = head.split("\r\n")[:-2]
        headers = sorted(line.lower().split(": ", 1) for line in lines)
        self.received.append((first, [header for header in headers if header != ["user-agent", ""]]))
        connection.sendall(self.answer)
        if self.ends == "hangs":
            connection.recv(1)
        elif self.ends == "closed" and self.answer:
            connection.recv(65536)  # what is not read would reset the connection
        elif self.ends == "reset":
            connection.recv(65536)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif b" 200 " in self.answer and not self.ends:
            self._tunnel(connection, int(first.split()[1].rpartition(":")[2]))
        connection.close()

    def _tunnel(self, connection, port) -> None:
        other = socket.create_connection(("127.0.0.1", port))
        self._open.append(other)
        self._start(_pump, other, connection)
        _pump(connection, other)


def _pump(source, sink) -> None:
    with suppress(OSError):
        while came := source.recv(65536):
            sink.sendall(came)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy():
    """A proxy that makes tunnels."""
    started = Proxy()
    yield started
    started.stop()
