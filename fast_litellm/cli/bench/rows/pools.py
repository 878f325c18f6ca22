"""Requests over the native pool against those over httpx's, to a server in a process of its own."""

from __future__ import annotations

import asyncio
import functools
import importlib
from typing import TYPE_CHECKING, Any, Callable

import fast_litellm
from fast_litellm.cli.bench import stages
from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement
from fast_litellm.cli.demo import server
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_LOSS = Goal(Measure.SPEEDUP, 1)
_AT_ONCE = 20
_PATIENCE_S = 60  # a busy machine is measured, too
_BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello, how are you? " * 30}]}


def rows() -> Iterator[Row]:
    """
    Yields:
        One request at a time and twenty at once, in the CPU time of all threads.
    """
    import_litellm()
    rules = {"connection_pooling": {"otherwise": "rust"}}
    with server.running() as address, stages.installed(rules):
        yield from _rows(f"{address}/v1/chat/completions")


def _rows(url: str) -> Iterator[Row]:
    httpx = importlib.import_module("httpx")
    with httpx.Client(timeout=_PATIENCE_S) as client:
        post = functools.partial(client.post, url, json=_BODY)
        yield _row("request, httpx", (httpx.HTTPTransport, "handle_request"), lambda: [post().json()])
    loop, transport = asyncio.new_event_loop(), httpx.AsyncHTTPTransport()
    client = httpx.AsyncClient(transport=transport, timeout=_PATIENCE_S)
    for count in (1, _AT_ONCE):
        send = functools.partial(_send, loop, client, url, count)
        yield _row(f"request, httpx, {count} at once", (type(transport), "handle_async_request"), send)
    loop.run_until_complete(client.aclose())
    loop.close()


def _send(loop: asyncio.AbstractEventLoop, client: Any, url: str, count: int) -> list[Any]:
    async def send() -> list[Any]:
        answers = await asyncio.gather(*(client.post(url, json=_BODY) for _ in range(count)))
        return [answer.json() for answer in answers]

    return loop.run_until_complete(send())


def _row(name: str, place: tuple[type, str], send: Callable[[], list[Any]]) -> Row:
    dispatcher = vars(place[0])[place[1]]
    theirs = functools.partial(_call, place, dispatcher.__wrapped__, dispatcher, send)
    ours = functools.partial(_call, place, dispatcher, dispatcher, send)
    return Row(
        name,
        theirs=Statement("call()", {"call": theirs}),
        ours=Statement("call()", {"call": ours}),
        goal=_NO_LOSS,
        difference=lambda: _difference(ours, theirs),
        most_calls=20,
        is_process_time=True,
    )


def _call(place: tuple[type, str], function: Any, dispatcher: Any, send: Callable[[], list[Any]]) -> list[Any]:
    """Requests with the function that the transport's class is to have; it has the dispatcher again afterwards."""
    setattr(*place, function)
    try:
        return send()
    finally:
        setattr(*place, dispatcher)


def _difference(ours: Callable[[], list[Any]], theirs: Callable[[], list[Any]]) -> str:
    before = _served_by_rust()
    answers = ours()
    if answers != theirs():
        return "the answers differ"
    return "" if _served_by_rust() == before + len(answers) else "Python answered, so there is nothing to time"


def _served_by_rust() -> int:
    served: dict[str, int] = fast_litellm.status()["features"]["connection_pooling"]["served"]
    return served.get("rust", 0)
