"""A server on loopback that answers as it is told: well, badly or not at all."""

from __future__ import annotations

import gzip
import re
import socket
import struct
import threading
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

PATIENCE_S = 10
SLOW_S = 0.2
"""How long a slow server waits before each part."""
SLOW_HEAD = (b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n", b"Content-Length: 5\r\n\r\n", b"hello")
LARGE = bytes(range(256)) * 8192


class Received(NamedTuple):
    """One request as it came over the wire."""

    method: str
    target: str
    headers: list
    body: bytes


def _answer(body=b"hello", status="200 OK", *headers) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWERS = {
    "/plain": _answer(),
    "/empty": _answer(b""),
    "/created": _answer(b"{}", "201 Created", "Content-Type: application/json"),
    "/none": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/unmodified": b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
    "/head": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    "/large": _answer(LARGE),
    "/gzip": _answer(gzip.compress(b"hello" * 100, mtime=0), "200 OK", "Content-Encoding: gzip"),
    "/badgzip": _answer(b"hello", "200 OK", "Content-Encoding: gzip"),
    "/redirect": _answer(b"", "302 Found", "Location: /plain"),
    "/failed": _answer(b'{"error": {}}', "500 Internal Server Error", "Retry-After: 1"),
    "/cookies": _answer(b"", "200 OK", "Set-Cookie: a=1", "Set-Cookie: b=2; Path=/"),
    "/early": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + _answer(),
    "/chunked": CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
    "/trailers": CHUNKED + b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
    "/twolengths": _answer(b"hello", "200 OK", "Content-Length: 5"),
    "/commas": b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
    "/capitals": CHUNKED.replace(b"chunked", b"Chunked") + b"5\r\nhello\r\n0\r\n\r\n",
    "/folded": _answer(b"hello", "200 OK", "X-A: a", " b", "\t c"),
    "/gzipped": CHUNKED.replace(b"chunked", b"gzip, chunked") + b"0\r\n\r\n",
    "/identity": CHUNKED.replace(b"chunked", b"identity") + b"hello",
    "/twocodings": CHUNKED[:-2] + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "/switching": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
}
FINAL = {
    "/unlimited": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "/old": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "/closing": _answer(b"hello", "200 OK", "Connection: close"),
    "/close": b"",
    "/junk": b"what is this\r\n\r\n",
    "/cut": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "/part": b"HTTP/1.1 200 OK\r\nConte",
    "/cutgzip": ANSWERS["/gzip"][:-1],
    "/cutstart": CHUNKED,
    "/cutmid": CHUNKED + b"5\r\nab",
    "/cutchunk": CHUNKED + b"3\r\nabc\r\n",
    "/badchunk": CHUNKED + b"zz\r\nabc\r\n",
}
"""After these the server closes the connection."""


class Server:
    """Answers by path and keeps what it was asked; what blocks ends when the client leaves or the server stops."""

    def __init__(self, context=None) -> None:
        self.received: list[Received] = []
        self.has_received = threading.Event()
        self.has_left = threading.Event()
        self.has_ended = threading.Event()
        self.answers = dict(ANSWERS)
        self.connections = 0
        self._context = context
        self._pause = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.port}"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    def stop(self) -> None:
        """Ends every connection and thread."""
        self._pause.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, accepted) -> None:
        self.connections += 1
        with suppress(OSError, ValueError), self._secured(accepted) as connection:  # ValueError: no HTTP
            self._open.append(connection)
            with connection.makefile("rb") as stream:
                while (request := _read(stream, self._pause)) is not None:
                    self.received.append(request)
                    self.has_received.set()
                    if not self._reply(connection, urlsplit(request.target).path):
                        break

    def _secured(self, accepted) -> socket.socket:
        return accepted if self._context is None else self._context.wrap_socket(accepted, server_side=True)

    def _reply(self, connection, path) -> bool:
        if path in self.answers:
            connection.sendall(self.answers[path])
            return True
        if path == "/slowend":
            connection.sendall(CHUNKED + b"3\r\nabc\r\n")
            self._pause.wait(SLOW_S)
            connection.sendall(b"0\r\n\r\n")
            self.has_ended.set()
            return True
        if path == "/hang":
            if not connection.recv(1):
                self.has_left.set()
        elif path == "/untaken":
            pass  # whoever sent it has long given up
        elif path == "/slowhead":
            for part in SLOW_HEAD:
                self._pause.wait(SLOW_S)
                connection.sendall(part)
        elif path == "/hangbody":
            connection.sendall(CHUNKED + b"3\r\nabc\r\n")
            connection.recv(1)
        elif path in ("/reset", "/resetbody"):
            connection.sendall(FINAL["/cut"] if path == "/resetbody" else b"")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.sendall(FINAL[path])
        return False


def _read(stream, pause) -> Received | None:
    first = stream.readline().decode("latin-1").split()
    if not first or pause.is_set():  # what comes after the end over TLS is what was sent, still encrypted
        return None
    headers = []
    while line := stream.readline().rstrip(b"\r\n"):
        name, value = re.split(rb":\s*", line, maxsplit=1)
        headers.append((name.decode(), value.decode("latin-1")))
    pause.wait({"/untaken": PATIENCE_S, "/taken/late": SLOW_S}.get(first[1], 0))
    known = {name.lower(): value for name, value in headers}
    body = _chunks(stream) if "transfer-encoding" in known else stream.read(int(known.get("content-length", 0)))
    return Received(first[0], first[1], headers, body)


def _chunks(stream) -> bytes:
    body = b""
    while (size := int(stream.readline(), 16)) > 0:
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body


@pytest.fixture
def server():
    """A server on loopback."""
    started = Server()
    yield started
    started.stop()


@pytest.fixture
def tls_server():
    """Starts servers that speak TLS."""
    started = []

    def start(context):
        started.append(Server(context))
        return started[-1]

    yield start
    for each in started:
        each.stop()
