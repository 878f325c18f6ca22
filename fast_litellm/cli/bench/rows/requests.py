"""
Whole requests of LiteLLM to an OpenAI-compatible server on loopback, with everything on and in shadow, against stock
LiteLLM. Every side has a server of its own, in a process of its own: the client's processor time is the client's alone.
"""

from __future__ import annotations

import asyncio
from contextlib import closing, contextmanager
from random import Random
from typing import TYPE_CHECKING, Any, Callable

from fast_litellm.cli.bench import corpus
from fast_litellm.cli.bench.rotation import Kind, Rotation
from fast_litellm.cli.demo import server, texts
from fast_litellm.cli.demo.answers import PIECE_WORDS
from fast_litellm.cli.demo.traffic import TOOLS
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping

    from fast_litellm.cli.bench.row import Figure, Series

_MODEL = "openai/gpt-4o"
_HELLO = [{"role": "user", "content": "Hello, how are you?"}]
_LONG_CHARS = 100_000
_CHUNKS = 200

KINDS = (
    Kind("request, short", 10),
    Kind("request, 20 messages", 6, 1.8),
    Kind("request, 20 + tools", 6),
    Kind("request, 100k chars", 8),
    Kind("stream of 200 chunks", 1, 2),
    Kind("request, refused", 5),
)
_MOCKED = Kind("mock request", 40, caller_cost=1.01)


def rows() -> Iterator[Series | Figure]:
    """
    Yields:
        Every kind of request, among them one that LiteLLM answers itself; and what installing takes.
    """
    with closing(Rotation((*KINDS, _MOCKED), [f"{__name__}:calls"])) as rotation:
        yield from rotation.rows()
        yield from rotation.figures()


@contextmanager
def calls() -> Iterator[Mapping[str, Callable[[], Any]]]:
    """
    Yields:
        What sends a request of each kind, by its name; each returns what must be the same at every stage.
    """
    litellm = import_litellm()
    mocked = {"model": "gpt-4o", "messages": _HELLO, "mock_response": "Fine, thank you."}
    with server.running() as address, event_loop() as run:

        def sender(body: Mapping[str, Any], path: str = "v1") -> Callable[[], Any]:
            target = {"model": _MODEL, "api_base": f"{address}/{path}", "api_key": "none", "num_retries": 0}
            return lambda: run(_send(litellm, {**target, **body}))

        makers = zip(KINDS, _bodies(), ("v1", "v1", "v1", "v1", "v1", "missing"))
        made = {kind.name: sender(body, path) for kind, body, path in makers}
        yield {**made, _MOCKED.name: lambda: run(_send(litellm, mocked))}


def _bodies() -> Iterator[dict[str, Any]]:
    random = Random(1)  # noqa: S311 - two runs send the same requests
    short = {"messages": _HELLO}
    chat = {
        "messages": [
            {"role": ("user", "assistant")[turn % 2], "content": texts.prose(random, random.randint(1, 6))}
            for turn in range(20)
        ]
    }
    yield short
    yield chat
    # LiteLLM 1.106 imports the optional package `mcp` for any call with tools, unless told to skip that step.
    yield {**chat, "tools": [{**TOOLS[number % len(TOOLS)]} for number in range(8)], "_skip_mcp_handler": True}
    yield {"messages": [{"role": "user", "content": corpus.prose()[:_LONG_CHARS]}]}
    yield {**short, "stream": True, "max_tokens": PIECE_WORDS * (_CHUNKS - 2)}
    yield short


async def _send(litellm: Any, request: Mapping[str, Any]) -> Any:
    """What the caller sees of a request, without what is new every time."""
    try:
        answer = await litellm.acompletion(**request)
    except (litellm.BadRequestError, litellm.NotFoundError) as error:  # LiteLLM 1.109 tells them apart
        return f"{type(error).__name__}: {error}"
    if request.get("stream"):
        return [(chunk.choices[0].delta.content, chunk.choices[0].finish_reason) async for chunk in answer]
    return answer.choices[0].message.model_dump()


@contextmanager
def event_loop() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """
    Yields:
        Runs a coroutine on one and the same event loop, as a server does. After the block LiteLLM's clients are closed,
        and what it still has running on the loop is ended.
    """
    loop = asyncio.new_event_loop()
    try:
        yield loop.run_until_complete
    finally:
        loop.run_until_complete(_wind_up())
        loop.close()


async def _wind_up() -> None:
    from litellm.llms.custom_httpx.async_client_cleanup import close_litellm_async_clients

    await close_litellm_async_clients()
    # A cancelled task may start another one while it cleans up.
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
