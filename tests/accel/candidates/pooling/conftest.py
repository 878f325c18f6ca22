"""What every test of the pool stands on: a rule that gives requests to it, and an authority for TLS."""

from __future__ import annotations

import importlib
import json
import socket
import ssl
import struct
import threading
from contextlib import suppress

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


class Proxy:
    """
    One that makes tunnels to loopback, on a port of its own.

    Given a context it speaks TLS itself. Its settings are attributes: `answer` is what it says to CONNECT, and is
    followed by a tunnel where it is a 200, unless `ends` tells how the connection ends: "closed", "reset" or "hangs".
    """

    def __init__(self, context=None) -> None:
        self.received: list = []
        self._context = context
        self.answer = b"HTTP/1.1 200 Connection established\r\n\r\n"
        self.ends = ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self._listener.getsockname()[1]}"
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
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
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


class SocksProxy(Proxy):
    """One that speaks SOCKS 5. It notes what it is asked for, with the credentials that it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.url = self.url.replace("http", "socks5")
        self.reply = 0

    def _serve(self, connection) -> None:
        with suppress(OSError), connection.makefile("rb") as stream:
            method = stream.read(stream.read(2)[1])[0]
            connection.sendall(bytes([5, method]))
            shown = self._shown(connection, stream) if method else None
            host, port = _address(stream)
            self.received.append((host, port, shown))
            connection.sendall(bytes([5, self.reply, 0, 1, 0, 0, 0, 0, 0, 0]))
            if not self.reply:
                self._tunnel(connection, port)
        connection.close()

    def _shown(self, connection, stream) -> tuple:
        stream.read(1)
        shown = tuple(stream.read(stream.read(1)[0]) for _ in range(2))
        connection.sendall(b"\1\0")
        return shown


def _address(stream) -> tuple:
    kind = stream.read(4)[3]
    host = stream.read(4) if kind == 1 else stream.read(stream.read(1)[0])
    return host, int.from_bytes(stream.read(2), "big")


@pytest.fixture
def proxy():
    """A proxy that makes tunnels."""
    started = Proxy()
    yield started
    started.stop()


@pytest.fixture
def secure_proxy(authority):
    """One that speaks TLS itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    started = Proxy(context)
    yield started
    started.stop()


@pytest.fixture
def socks_proxy():
    """A proxy that speaks SOCKS."""
    started = SocksProxy()
    yield started
    started.stop()
