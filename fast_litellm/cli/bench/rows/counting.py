"""What LiteLLM's token counter gains with token counting on, against the function it was installed with."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import fast_litellm
from fast_litellm.cli.bench import corpus, stages
from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement
from fast_litellm.cli.demo import texts
from fast_litellm.cli.demo.traffic import TOOLS
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODELS = ("gpt-4o", "gpt-4")
_LONG_CHARS = 100_000
_GOAL = Goal(Measure.SPEEDUP, 10)


def rows() -> Iterator[Row]:
    """
    Yields:
        A short chat, one of 20 messages, the same with 8 tools, and 100,000 characters, for both encodings.
    """
    litellm = import_litellm()
    control = litellm.litellm_core_utils.token_counter.token_counter
    with stages.installed({"token_counting": {"stage": "on"}}):
        for model in _MODELS:
            for name, arguments in requests().items():
                yield _row(f"{name}, {model}", litellm, control, {"model": model, **arguments})


def requests() -> dict[str, dict[str, Any]]:
    """
    Returns:
        What is counted, by its name.
    """
    random = Random(1)  # noqa: S311 - two runs count the same requests
    chat = [
        {"role": ("user", "assistant")[turn % 2], "content": texts.prose(random, random.randint(1, 6))}
        for turn in range(20)
    ]
    tools = [{**TOOLS[number % len(TOOLS)]} for number in range(8)]
    return {
        "short chat": {"messages": [{"role": "user", "content": "Hello, how are you?"}]},
        "chat of 20": {"messages": chat},
        "chat of 20, 8 tools": {"messages": chat, "tools": tools},
        "100k characters": {"messages": [{"role": "user", "content": corpus.prose()[:_LONG_CHARS]}]},
    }


def _row(name: str, litellm: Any, control: Any, arguments: dict[str, Any]) -> Row:
    module = litellm.litellm_core_utils.token_counter
    call = "count(**arguments)"
    return Row(
        name,
        theirs=Statement(call, {"count": control, "arguments": arguments}),
        ours=Statement(call, {"count": module.token_counter, "arguments": arguments}),
        goal=_GOAL,
        difference=lambda: _difference(module.token_counter, control, arguments),
    )


def _difference(count: Any, control: Any, arguments: dict[str, Any]) -> str:
    before = _served_by_rust()
    given, wanted = count(**arguments), control(**arguments)
    if given != wanted:
        return f"LiteLLM counts {wanted}, ours {given}"
    return "" if _served_by_rust() == before + 1 else "Python answered, so there is nothing to time"


def _served_by_rust() -> int:
    served: dict[str, int] = fast_litellm.status()["features"]["token_counting"]["served"]
    return served.get("rust", 0)
