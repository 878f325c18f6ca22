"""What a stream's chunks cost: one in the SDK, a whole stream of it, and a whole stream of LiteLLM."""

from __future__ import annotations

import asyncio
import functools
import importlib
import json
from typing import TYPE_CHECKING, Any, Callable

import fast_litellm
from fast_litellm.cli.bench import stages
from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Iterator

_FEATURES = ("stream_parsing", "stream_wrapping")
_TEXTS = 200  # with a first and a last chunk, 202
_MESSAGES = [{"role": "user", "content": "Hello, how are you?"}]


def rows() -> Iterator[Row]:
    """
    Yields:
        One chunk, and streams of 202 chunks whose bytes come from memory.
    """
    import_litellm()
    with stages.installed({name: {"stage": "on"} for name in _FEATURES}):
        yield from _rows(_Places())


class _Places:
    """Where the seams' functions are looked up: naming the one to be found costs nothing beside a stream."""

    def __init__(self) -> None:
        handler = importlib.import_module("litellm.litellm_core_utils.streaming_handler")
        self._base_client: Any = importlib.import_module("openai._base_client")
        self._wrapper = handler.CustomStreamWrapper
        self._stream: Any = importlib.import_module("openai._streaming").AsyncStream
        self.construct = self._base_client.construct_type
        self._wrap = vars(self._wrapper)["chunk_creator"]
        self._iterate = vars(self._stream)["__aiter__"]

    def put(self, *, ours: bool) -> None:
        """Puts our functions or theirs in place."""
        self._base_client.construct_type = self.construct if ours else self.construct.__wrapped__
        self._wrapper.chunk_creator = self._wrap if ours else self._wrap.__wrapped__
        self._stream.__aiter__ = self._iterate if ours else self._iterate.__wrapped__


def _rows(places: _Places) -> Iterator[Row]:
    cls = importlib.import_module("openai.types.chat").ChatCompletionChunk
    names = {"value": _chunks()[1], "type_": cls}
    ours, theirs = places.construct, places.construct.__wrapped__
    yield Row(
        "SDK's construct, one chunk",
        theirs=Statement("call(value=value, type_=type_)", {**names, "call": theirs}),
        ours=Statement("call(value=value, type_=type_)", {**names, "call": ours}),
        goal=Goal(Measure.SPEEDUP, 10),
        difference=lambda: _difference(functools.partial(ours, **names), functools.partial(theirs, **names)),
    )
    yield _stream("SDK stream, 202 chunks", places, _read_by_sdk, 1.5)
    yield _stream("LiteLLM stream, 202 chunks", places, _read_by_litellm, 2)
    places.put(ours=True)


def _stream(name: str, places: _Places, read: Callable[[Any], list[Any]], goal: float) -> Row:
    client = _client()

    def call(*, ours: bool) -> list[Any]:
        places.put(ours=ours)
        return read(client)

    def difference() -> str:
        texts = [[chunk.choices[0].delta for chunk in call(ours=ours) if chunk.choices] for ours in (True, False)]
        return "" if texts[0] == texts[1] and len(texts[0]) > _TEXTS else "the chunks differ"

    return Row(
        name,
        theirs=Statement("call(ours=False)", {"call": call}),
        ours=Statement("call(ours=True)", {"call": call}),
        goal=Goal(Measure.SPEEDUP, goal),
        difference=difference,
        most_calls=4,
    )


def _read_by_sdk(client: Any) -> list[Any]:
    async def read() -> list[Any]:
        stream = await client.chat.completions.create(model="gpt-4o", messages=_MESSAGES, stream=True)
        return [chunk async for chunk in stream]

    return asyncio.run(read())


def _read_by_litellm(client: Any) -> list[Any]:
    litellm = importlib.import_module("litellm")

    async def read() -> list[Any]:
        stream = await litellm.acompletion("openai/gpt-4o", _MESSAGES, stream=True, client=client, api_key="none")
        return [chunk async for chunk in stream]

    return asyncio.run(read())


def _client() -> Any:
    httpx, openai = importlib.import_module("httpx"), importlib.import_module("openai")
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in _chunks()) + "data: [DONE]\n\n"
    headers = {"content-type": "text/event-stream"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=body.encode()))
    return openai.AsyncOpenAI(
        base_url="http://localhost/v1", api_key="none", http_client=httpx.AsyncClient(transport=transport)
    )


def _chunks() -> list[dict[str, Any]]:
    deltas = [{"role": "assistant", "content": ""}, *({"content": f"word{index} "} for index in range(_TEXTS)), {}]
    whole = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o", "obfuscation": "x"}
    return [
        {
            **whole,
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None if delta else "stop"}],
        }
        for delta in deltas
    ]


def _difference(ours: Callable[[], Any], theirs: Callable[[], Any]) -> str:
    before = fast_litellm.status()["features"]["stream_parsing"]["served"]["rust"]
    if ours() != theirs():
        return "the answers differ"
    after: int = fast_litellm.status()["features"]["stream_parsing"]["served"]["rust"]
    return "" if after == before + 1 else "Python answered, so there is nothing to time"
