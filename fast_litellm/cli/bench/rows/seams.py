"""What the SDK's request transform, LiteLLM's secret redaction and batch counting gain, alone and in whole calls."""

from __future__ import annotations

import functools
import importlib
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING, Any, Callable

import fast_litellm
from fast_litellm.accel import native
from fast_litellm.accel.candidates.batch_counting import BatchCountingCandidate
from fast_litellm.cli.bench import corpus, stages
from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement
from fast_litellm.cli.demo import server, texts
from fast_litellm.cli.demo.traffic import TOOLS
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FEATURES = ("request_transform", "secret_redaction")
_LONG_CHARS = 20_000
_SECRETS = 20
_TEXTS = 2_000
_TEXT_CHARS = 1_000
_NO_LOSS = Goal(Measure.SPEEDUP, 1)
_GOALS = {
    "transform, chat of 20": Goal(Measure.SPEEDUP, 100),
    "SDK call, chat of 20": Goal(Measure.SPEEDUP, 1.8),
    "redaction, 20k characters": Goal(Measure.SPEEDUP, 10),
}


def rows() -> Iterator[Row]:
    """
    Yields:
        Request bodies, whole calls of the SDK, long texts with and without secrets, and a batch on two threads.
    """
    import_litellm()
    with stages.installed({name: {"stage": "on"} for name in _FEATURES}):
        yield from _transforms()
        yield from _calls()
        yield from _redactions()
    yield _batch()


def _bodies() -> dict[str, dict[str, Any]]:
    random = Random(1)  # noqa: S311 - two runs send the same requests
    chat = [
        {"role": ("user", "assistant")[turn % 2], "content": texts.prose(random, random.randint(1, 6))}
        for turn in range(20)
    ]
    tools = [{**TOOLS[number % len(TOOLS)]} for number in range(8)]
    return {
        "short": {"messages": [{"role": "user", "content": "Hello, how are you?"}]},
        "chat of 20": {"messages": chat},
        "chat of 20, 8 tools": {"messages": chat, "tools": tools},
    }


def _transforms() -> Iterator[Row]:
    dispatcher = importlib.import_module("openai._utils._transform").maybe_transform
    params = importlib.import_module("openai.types.chat.completion_create_params")
    for name, body in _bodies().items():
        # The SDK passes every parameter of a call, most of them as not given.
        left_out = dict.fromkeys(("n", "stop", "seed", "user"), importlib.import_module("openai").omit)
        names = {"body": {**body, "model": "gpt-4o", **left_out}, "type": params.CompletionCreateParamsNonStreaming}
        yield _row(f"transform, {name}", "request_transform", dispatcher, ("call(body, type)", names))


def _redactions() -> Iterator[Row]:
    dispatcher = importlib.import_module("litellm.litellm_core_utils.secret_redaction").python_redact_string
    clean = corpus.prose()[:_LONG_CHARS]
    step = _LONG_CHARS // _SECRETS
    leaking = " Bearer abcdefghijklmnopqrstuvwxyz ".join(clean[at : at + step] for at in range(0, _LONG_CHARS, step))
    for name, text in {"redaction, 20k characters": clean, "redaction, 20 secrets": leaking}.items():
        yield _row(name, "secret_redaction", dispatcher, ("call(text)", {"text": text}))


def _row(name: str, feature: str, dispatcher: Any, call: tuple[str, Mapping[str, Any]]) -> Row:
    source, names = call
    ours = {**names, "call": dispatcher}
    theirs = {**names, "call": dispatcher.__wrapped__}
    return Row(
        name,
        theirs=Statement(source, theirs),
        ours=Statement(source, ours),
        goal=_GOALS.get(name, _NO_LOSS),
        difference=lambda: _difference(
            feature,
            lambda: eval(source, {}, ours),  # noqa: S307 - our own lines
            lambda: eval(source, {}, theirs),  # noqa: S307 - as above
        ),
    )


def _calls() -> Iterator[Row]:
    openai = importlib.import_module("openai")
    place = vars(importlib.import_module("openai.resources.chat.completions.completions"))
    dispatcher = place["maybe_transform"]
    with server.running() as address, closing(openai.OpenAI(base_url=f"{address}/v1", api_key="none")) as client:
        for name, body in _bodies().items():
            call = functools.partial(_call, client.chat.completions.create, place, body)
            theirs, ours = functools.partial(call, dispatcher.__wrapped__), functools.partial(call, dispatcher)
            yield Row(
                f"SDK call, {name}",
                theirs=Statement("call()", {"call": theirs}),
                ours=Statement("call()", {"call": ours}),
                goal=_GOALS.get(f"SDK call, {name}", _NO_LOSS),
                difference=functools.partial(_difference, "request_transform", ours, theirs),
                most_calls=8,
            )
        place["maybe_transform"] = dispatcher


def _call(
    create: Callable[..., Any], place: dict[str, Any], body: dict[str, Any], transform: Callable[..., Any]
) -> Any:
    """One request, with the function that the SDK's module is to find; naming it costs nothing beside the call."""
    place["maybe_transform"] = transform
    return create(model="gpt-4o", **body)


def _difference(feature: str, ours: Callable[[], Any], theirs: Callable[[], Any]) -> str:
    before = _served_by_rust(feature)
    if ours() != theirs():
        return "the answers differ"
    return "" if _served_by_rust(feature) == before + 1 else "Python answered, so there is nothing to time"


def _served_by_rust(feature: str) -> int:
    served: dict[str, int] = fast_litellm.status()["features"][feature]["served"]
    return served.get("rust", 0)


def _batch() -> Row:
    random = Random(1)  # noqa: S311 - two runs count the same texts
    starts = [random.randrange(len(corpus.prose()) - _TEXT_CHARS) for _ in range(_TEXTS)]
    items: list[str | list[Any]] = [corpus.prose()[start : start + _TEXT_CHARS] for start in starts]
    module = importlib.import_module("fast_litellm.accel.counting")
    counter: Any = BatchCountingCandidate(module, "1.106").prepare(("gpt-4o", items), {}).counter
    count = functools.partial(native.count_batch, counter, items, fixed_image_tokens=None)
    return Row(
        "batch counting, two threads",
        theirs=Statement("count(threads=1)", {"count": count}),
        ours=Statement("count(threads=2)", {"count": count}),
        goal=Goal(Measure.SPEEDUP, 1.8),
        difference=lambda: "" if count(threads=1) == count(threads=2) else "the counts differ",
        is_wall_time=True,
    )
