"""The demo's server, spoken to over loopback as the API is."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import closing

import pytest

from fast_litellm.cli.demo import server
from fast_litellm.cli.demo.answers import answer

DEADLINE_S = 10

REQUEST = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
TOOL = {"type": "function", "function": {"name": "tide_at", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def port():
    with server.make_server() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running.server_address[1]
        running.shutdown()
        thread.join(DEADLINE_S)


@pytest.fixture
def connection(port):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)) as made:
        yield made


def post(connection, path, document):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    return response, response.read()


def events(body):
    return [part.removeprefix("data: ") for part in body.decode().split("\n\n") if part]


def request_with_tool_call():
    """Half of the requests that offer tools are answered with a call; the first of these is one of that half."""
    requests = ({**REQUEST, "messages": [{"role": "user", "content": str(n)}], "tools": [TOOL]} for n in range(64))
    return next(request for request in requests if answer(request).tool_call)


@pytest.mark.parametrize(("path", "expected"), [("/v1/chat/completions", True), ("/bare/v1/chat/completions", False)])
def test_a_complete_answer_reports_usage_unless_the_path_is_bare(connection, path, expected):
    """The same answer comes with usage from one path and without from the other."""
    response, body = post(connection, path, REQUEST)
    document = json.loads(body)

    assert response.status == 200
    assert answer(REQUEST).content == document["choices"][0]["message"]["content"]
    assert expected == ("usage" in document)


@pytest.mark.parametrize(
    ("path", "options", "expected"),
    [
        ("/v1/chat/completions", {"include_usage": True}, True),
        ("/v1/chat/completions", {}, False),
        ("/bare/v1/chat/completions", {"include_usage": True}, False),
    ],
)
def test_a_streamed_answer_is_the_same_text_in_pieces(connection, path, options, expected):
    """The deltas joined are the complete answer, [DONE] ends the stream, usage comes where it is asked for."""
    _, body = post(connection, path, {**REQUEST, "stream": True, "stream_options": options})
    *chunks, last = events(body)
    decoded = [json.loads(chunk) for chunk in chunks]
    deltas = [choice["delta"].get("content") or "" for chunk in decoded for choice in chunk["choices"]]

    assert last == "[DONE]"
    assert answer(REQUEST).content == "".join(deltas)
    assert expected == any("usage" in chunk for chunk in decoded)


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_with_tools_may_be_answered_with_a_tool_call(connection, stream):
    """The call names an offered tool and its arguments are JSON."""
    _, body = post(connection, "/v1/chat/completions", {**request_with_tool_call(), "stream": stream})
    documents = [json.loads(event) for event in events(body)[:-1]] if stream else [json.loads(body)]
    parts = [choice.get("delta") or choice.get("message") for document in documents for choice in document["choices"]]
    functions = [call["function"] for part in parts if part for call in part.get("tool_calls", [])]

    assert ["tide_at"] == [function["name"] for function in functions]
    assert "query" in json.loads(functions[0]["arguments"])


def test_a_connection_is_kept_for_many_requests(connection):
    """Streams and complete answers follow each other on one connection, as clients with a pool send them."""
    sockets = set()
    for stream in (False, True, False, True):
        response, body = post(connection, "/v1/chat/completions", {**REQUEST, "stream": stream})
        sockets.add(connection.sock.getsockname())

        assert response.status == 200
        assert body

    assert len(sockets) == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/embeddings", REQUEST, 404),
        ("/v1/chat/completions", b"{", 400),
        ("/v1/chat/completions", b"[]", 400),
        ("/v1/chat/completions", {"messages": []}, 400),
        ("/v1/chat/completions", {"model": "gpt-4o"}, 400),
    ],
)
def test_what_is_not_a_request_gets_an_error_in_the_apis_shape(connection, path, body, status):
    """The connection survives it, and the error can be read by the SDK."""
    response, answered = post(connection, path, body)

    assert status == response.status
    assert json.loads(answered)["error"]["message"]


def test_the_servers_process_ends_with_the_block():
    """It serves from its own process while the block runs, and nobody listens afterwards."""
    with server.running() as base:
        port = int(base.rpartition(":")[2])
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)) as inside:
            response, _ = post(inside, "/v1/chat/completions", REQUEST)

    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)) as outside:
        assert response.status == 200
        with pytest.raises(ConnectionRefusedError):
            outside.connect()


def test_the_servers_process_ends_when_the_block_fails():
    """An error or Ctrl-C in the demo leaves no server behind."""
    ports = []

    def fail():
        with server.running() as base:
            ports.append(int(base.rpartition(":")[2]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()

    with (
        closing(http.client.HTTPConnection("127.0.0.1", ports[0], timeout=DEADLINE_S)) as outside,
        pytest.raises(ConnectionRefusedError),
    ):
        outside.connect()
