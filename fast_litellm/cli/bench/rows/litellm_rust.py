"""LiteLLM's own native code against ours, as candidates of the same seams."""

from __future__ import annotations

import functools
import importlib
from importlib import util
from typing import TYPE_CHECKING, Any

from fast_litellm.accel import fingerprint, references
from fast_litellm.accel.candidates.litellm_rust import LiteLLMRedactionCandidate, LiteLLMTokenCountingCandidate
from fast_litellm.accel.candidates.secret_redaction import SecretRedactionCandidate
from fast_litellm.accel.candidates.token_counting import SOURCES, TokenCountingCandidate
from fast_litellm.cli.bench import corpus
from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_LOSS = Goal(Measure.SPEEDUP, 1)
_LONG_CHARS = 20_000
_TURNS = 20
_TURN_CHARS = 900


def rows() -> Iterator[Row]:
    """
    Yields:
        Chats and a long text, counted and redacted by both; nothing where LiteLLM has no native code.
    """
    import_litellm()
    if util.find_spec("litellm.rust_bridge") is None:
        return
    counting = importlib.import_module("litellm.litellm_core_utils.token_counter")
    known = references.known("token_counting", fingerprint.fingerprint(SOURCES))
    semantics = "" if known is None else known.semantics
    theirs, ours = LiteLLMTokenCountingCandidate(counting, semantics), TokenCountingCandidate(counting, semantics)
    short = [{"role": "user", "content": "Hello, how are you?"}]
    long = [
        {"role": ("user", "assistant")[turn % 2], "content": corpus.prose()[turn * 900 :][:900]}
        for turn in range(_TURNS)
    ]
    for name, messages in {"short chat": short, "chat of 20": long}.items():
        yield _row(f"LiteLLM's Rust, {name}", theirs, ours, {"model": "gpt-4o", "messages": messages})
    redaction = importlib.import_module("litellm.litellm_core_utils.secret_redaction")
    redactors = LiteLLMRedactionCandidate(redaction, "1"), SecretRedactionCandidate(redaction, "1")
    yield _row("LiteLLM's Rust, redaction 20k", *redactors, {"value": corpus.prose()[:_LONG_CHARS]})


def _row(name: str, theirs: Any, ours: Any, call: dict[str, Any]) -> Row:
    answers = {side: functools.partial(_answer, candidate, call) for side, candidate in (("t", theirs), ("o", ours))}
    return Row(
        name,
        theirs=Statement("call()", {"call": answers["t"]}),
        ours=Statement("call()", {"call": answers["o"]}),
        goal=_NO_LOSS,
        difference=lambda: "" if answers["t"]() == answers["o"]() else "the answers differ",
    )


def _answer(candidate: Any, call: dict[str, Any]) -> Any:
    return candidate.run(candidate.prepare((), call), (), call)
