"""
The demo's traffic: what many users of a chat service send, from a seeded generator, so that two runs send the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any, Callable

from fast_litellm.cli.demo import texts

MODELS = ("gpt-4o", "gpt-4", "gpt-3.5-turbo")

# One pixel: what an application sends inline. LiteLLM counts it by its size and fetches nothing.
_PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)

TOOLS: tuple[dict[str, Any], ...] = (
    {
        "type": "function",
        "function": {
            "name": "find_berth",
            "description": "Find a free berth for a boat",
            "parameters": {
                "type": "object",
                "properties": {
                    "query": {"type": "string", "description": "What the skipper asked for"},
                    "limit": {"type": "integer", "description": "How many at most"},
                    "sides": {"type": "array", "items": {"type": "string", "enum": ["port", "starboard"]}},
                },
                "required": ["query"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "tide_at",
            "description": "Height of the tide in metres, at a place and an hour",
            "parameters": {
                "type": "object",
                "properties": {
                    "query": {"type": "string"},
                    "place": {
                        "type": "object",
                        "properties": {"latitude": {"type": "number"}, "longitude": {"type": "number"}},
                        "required": ["latitude", "longitude"],
                    },
                    "exact": {"type": "boolean"},
                },
            },
        },
    },
)

Messages = list[dict[str, Any]]


@dataclass(frozen=True)
class Call:
    """
    One call of an application.

    Args:
        kind: What its messages are made of, a key of `KINDS`.
        model: The model's name.
        user: The caller's user, the unit of a sticky decision.
        messages: In the chat API's shape.
        tools: In the chat API's shape, None for a call without.
        router: Whether it goes through `litellm.Router` or straight through the SDK.
        asynchronous: Whether it is awaited.
        stream: Whether the answer is streamed.
        usage_reported: Whether the server reports usage; without it, LiteLLM counts a streamed answer itself.
    """

    kind: str
    model: str
    user: str
    messages: Messages
    tools: list[dict[str, Any]] | None
    router: bool
    asynchronous: bool
    stream: bool
    usage_reported: bool


def calls(seed: int, count: int, users: int) -> list[Call]:
    """
    Generate traffic.

    Args:
        seed: The same seed gives the same calls.
        count: How many calls.
        users: How many users take turns, each with the same number of calls up to one.

    Returns:
        The calls, kinds, models and doors mixed.
    """
    random = Random(seed)  # noqa: S311 - the same seed must give the same traffic
    return [_call(random, f"user-{seed}-{index % users}") for index in range(count)]


def _call(random: Random, user: str) -> Call:
    kind = random.choices(list(KINDS), [weight for weight, _ in KINDS.values()])[0]
    tools = list(TOOLS[: random.randint(1, len(TOOLS))]) if kind in {"tools", "tool calls"} else None
    return Call(
        kind=kind,
        model=random.choice(MODELS),
        user=user,
        messages=KINDS[kind][1](random),
        tools=tools,
        router=_happens(random, 0.5),
        asynchronous=_happens(random, 0.5),
        stream=_happens(random, 0.5),
        usage_reported=_happens(random, 0.4),
    )


def _happens(random: Random, likelihood: float) -> bool:
    return random.random() < likelihood


def _chat(text: Callable[[Random], str]) -> Callable[[Random], Messages]:
    def messages(random: Random) -> Messages:
        turns: Messages = [{"role": "system", "content": texts.prose(random, 2)}] if _happens(random, 0.5) else []
        for _ in range(random.randint(0, 2)):
            turns.append({"role": "user", "content": texts.prose(random, 1), "name": f"skipper_{random.randint(1, 9)}"})
            turns.append({"role": "assistant", "content": texts.prose(random, 2)})
        return [*turns, {"role": "user", "content": text(random)}]

    return messages


def _tool_calls(random: Random) -> Messages:
    arguments = json.dumps({"query": texts.prose(random, 1), "limit": random.randint(1, 9)})
    call = {"id": f"call_{random.getrandbits(32):x}", "type": "function"}
    return [
        {"role": "user", "content": texts.prose(random, 1)},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{**call, "function": {"name": "find_berth", "arguments": arguments}}],
        },
        {"role": "tool", "tool_call_id": call["id"], "content": texts.structured(random)},
    ]


def _images(random: Random) -> Messages:
    image: dict[str, Any] = {"url": _PIXEL} if _happens(random, 0.5) else {"url": "https://images.example/pier.png"}
    if _happens(random, 0.7):
        image["detail"] = random.choice(("low", "auto"))
    question = {"type": "text", "text": texts.prose(random, 1)}
    parts = [question, *({"type": "image_url", "image_url": image} for _ in range(random.randint(1, 2)))]
    return [{"role": "user", "content": parts}]


# Weight and maker of each kind.
KINDS: dict[str, tuple[int, Callable[[Random], Messages]]] = {
    "prose": (24, _chat(lambda random: texts.prose(random, random.randint(1, 12)))),
    "code": (12, _chat(texts.code)),
    "json": (12, _chat(texts.structured)),
    "scripts": (12, _chat(texts.scripts)),
    "emoji": (10, _chat(texts.emoji)),
    "tools": (10, _chat(lambda random: texts.prose(random, 2))),
    "tool calls": (8, _tool_calls),
    "images": (8, _images),
    "long documents": (4, _chat(texts.long_document)),
}
