"""
What the demo's server says: a pure function of the request, so that two runs of the demo hear the same words.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TALE = (
    "the tide tables say nothing of patience but each harbour keeps its own clock and écluse Wetter 港 नदी река "
    "lighthouse keepers count lamps 🚢 slowly, then twice; «so be it» they write: 42 boats, 7 nets."
)
_WORDS = _TALE.split()
PIECE_WORDS = 6
"""How many words a streaming server sends at a time."""


@dataclass(frozen=True)
class Answer:
    """
    One deterministic answer.

    Args:
        model: The model that was asked for.
        content: The text, empty when the answer is a tool call.
        tool_call: A tool call in the API's shape, or None.
        usage: Token usage in the API's shape.
    """

    model: str
    content: str
    tool_call: dict[str, Any] | None
    usage: dict[str, int]

    def pieces(self) -> Iterator[str]:
        """
        Yields:
            The content as a streaming server sends it: a few words at a time, joined they are the whole.
        """
        words = self.content.split(" ")
        for start in range(0, len(words), PIECE_WORDS):
            lead = " " if start else ""
            yield lead + " ".join(words[start : start + PIECE_WORDS])


def answer(request: Mapping[str, Any]) -> Answer:
    """
    Answer a chat completion request.

    Args:
        request: The decoded JSON body of `POST /v1/chat/completions`.

    Returns:
        A tool call for half of the requests that offer tools, text for all others: as many words as `max_tokens` says,
        or a few.

    Raises:
        KeyError: The request names no model or has no messages.
    """
    prompt = json.dumps(request["messages"])
    digest = hashlib.blake2b(prompt.encode(), digest_size=8).digest()
    tools = request.get("tools")
    tool_call = _tool_call(tools, digest) if tools and digest[0] % 2 == 0 else None
    content = "" if tool_call else _text(digest, request.get("max_tokens"))
    return Answer(request["model"], content, tool_call, _usage(prompt, content))


def _text(digest: bytes, length: int | None = None) -> str:
    length = length or 12 + digest[1] % 60
    first, step = digest[2], 1 + digest[3] % (len(_WORDS) - 1)
    return " ".join(_WORDS[(first + index * step) % len(_WORDS)] for index in range(length))


def _tool_call(tools: list[Mapping[str, Any]], digest: bytes) -> dict[str, Any]:
    function = tools[digest[4] % len(tools)]["function"]
    arguments = json.dumps({"query": _text(digest)[:40], "limit": digest[5]}, ensure_ascii=False)
    return {
        "id": f"call_{digest.hex()}",
        "type": "function",
        "function": {"name": function["name"], "arguments": arguments},
    }


def _usage(prompt: str, content: str) -> dict[str, int]:
    # A provider's own tokenizer is its own business: words stand in for tokens, and nobody compares them.
    asked, answered = len(prompt.split()), len(content.split())
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}
