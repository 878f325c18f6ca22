"""
An OpenAI-compatible server on loopback, in a process of its own.

    POST /v1/chat/completions        a complete answer or, with "stream": true, server-sent events; usage included
    POST /bare/v1/chat/completions   the same without usage, as many self-hosted servers answer

`python -m fast_litellm.cli.demo.server` prints its port and serves until its standard input ends: the pipe closes with
the parent, however the parent ended, so the server never outlives it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fast_litellm
from fast_litellm.cli.demo.answers import answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fast_litellm.cli.demo.answers import Answer

_ROUTES = {"/v1/chat/completions": True, "/bare/v1/chat/completions": False}
_STOP_TIMEOUT_S = 5


class ChatHandler(BaseHTTPRequestHandler):
    """Chat completions over keep-alive HTTP/1.1."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # small events would wait 40 ms for the client's delayed acknowledgement

    def do_POST(self) -> None:
        """Answer one request."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path not in _ROUTES:
            return self._send_json(404, _error("no such path"))
        try:
            request = json.loads(body)
            reply = answer(request)
        except (ValueError, AttributeError, KeyError, TypeError):
            return self._send_json(400, _error("the body is not a chat completion request"))
        with_usage = _ROUTES[self.path]
        if request.get("stream"):
            asked = (request.get("stream_options") or {}).get("include_usage", False)
            return self._send_events(_chunks(reply, with_usage and asked))
        return self._send_json(200, _completion(reply, with_usage))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's signature
        """Requests are not logged: the demo's standard error belongs to its progress bar."""

    def _send_json(self, status: int, document: Mapping[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_events(self, chunks: Iterator[Mapping[str, Any]]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            self._send_event(json.dumps(chunk))
        self._send_event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _send_event(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))


class ChatServer(ThreadingHTTPServer):
    """A thread for each connection, none of which keeps the process alive."""

    daemon_threads = True
    request_queue_size = 128  # with socketserver's 5, the system drops the sixth of twenty clients that come at once

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, unless a client has merely closed its pool of connections."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": None, "param": None}}


def _envelope(reply: Answer, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-demo", "object": kind, "created": 0, "model": reply.model}


def _completion(reply: Answer, with_usage: bool) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.content or None}
    if reply.tool_call:
        message["tool_calls"] = [reply.tool_call]
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(reply)}
    usage = {"usage": reply.usage} if with_usage else {}
    return {**_envelope(reply, "chat.completion"), "choices": [choice], **usage}


def _chunks(reply: Answer, with_usage: bool) -> Iterator[dict[str, Any]]:
    envelope = _envelope(reply, "chat.completion.chunk")
    for delta in _deltas(reply):
        yield {**envelope, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**envelope, "choices": [{"index": 0, "delta": {}, "finish_reason": _finish_reason(reply)}]}
    if with_usage:
        yield {**envelope, "choices": [], "usage": reply.usage}


def _deltas(reply: Answer) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": "" if not reply.tool_call else None}
    if reply.tool_call:
        yield {"tool_calls": [{"index": 0, **reply.tool_call}]}
    else:
        yield from ({"content": piece} for piece in reply.pieces())


def _finish_reason(reply: Answer) -> str:
    return "tool_calls" if reply.tool_call else "stop"


@contextmanager
def running() -> Iterator[str]:
    """
    Run the server in its own process for as long as the block lasts.

    Yields:
        Its base address, "http://127.0.0.1:PORT".

    Raises:
        RuntimeError: The server ended before it named its port.
    """
    command = [sys.executable, "-m", "fast_litellm.cli.demo.server"]
    # `-m` looks in the working directory first, and in a checkout it would find a package without its compiled part.
    home = Path(fast_litellm.__file__).parents[1]
    process = subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the demo, which then ends its server
    )
    try:
        yield f"http://127.0.0.1:{_port(process)}"
    finally:
        _stop(process)


def _port(process: subprocess.Popen[str]) -> int:
    line = process.stdout.readline() if process.stdout else ""
    if not line.strip().isdigit():
        raise RuntimeError("the demo's server ended before it named its port")
    return int(line)


def _stop(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def make_server() -> ChatServer:
    """
    Returns:
        A server bound to a free port of 127.0.0.1, not serving yet.
    """
    return ChatServer(("127.0.0.1", 0), ChatHandler)


def serve() -> None:
    """Print the port, then serve until standard input ends."""
    server = make_server()
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    serve()
