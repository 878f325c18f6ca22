"""The usage of a stream: LiteLLM's sum of the chunks that matter is its sum of all."""

from __future__ import annotations

import inspect
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.accel.candidates.stream_usage import NAME, StreamUsageCandidate
from fast_litellm.errors import Declined
from fast_litellm.shadow import comparators

pytest.importorskip("litellm")
reference = pytest.importorskip("litellm.litellm_core_utils.streaming_chunk_builder_utils")
types = pytest.importorskip("litellm.types.utils")
CONTROL = inspect.unwrap(vars(reference.ChunkProcessor)[NAME.rpartition(".")[2]])
COUNTS = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}


@pytest.fixture(scope="module")
def candidate() -> StreamUsageCandidate:
    """A candidate for the installed LiteLLM."""
    return StreamUsageCandidate(reference, "1")


class Heir(types.ModelResponseStream):
    """A class of somebody's own."""


def chunk(finish_reason: Any = None, hidden: Any = None, cls: type = types.ModelResponseStream, **others: Any) -> Any:
    """One of a stream's chunks, as LiteLLM keeps it."""
    choice = types.StreamingChoices(finish_reason=finish_reason, delta=types.Delta(content="text"))
    made = cls(choices=[choice], **others)
    if hidden is not None:
        made._hidden_params = hidden
    return made


def with_usage_of(value: Any) -> Any:
    """A chunk to which somebody has given this usage."""
    made = chunk()
    made.usage = value
    return made


def changed(**parts: Any) -> Any:
    """A chunk that is laid out in another way."""
    made = chunk()
    for name, value in parts.items():
        object.__setattr__(made, name, value)
    return made


USAGES = (
    types.Usage(**COUNTS),
    types.Usage(prompt_tokens=0, completion_tokens=0),
    types.Usage(prompt_tokens=5, completion_tokens=2, speed="fast", inference_geo="us", cost=0.5),
    types.Usage(
        **COUNTS, prompt_tokens_details={"cached_tokens": 2}, completion_tokens_details={"reasoning_tokens": 1}
    ),
    {**COUNTS, "cache_read_input_tokens": 2, "server_tool_use": {"web_search_requests": 1}},
    {},
    {"prompt_tokens": "many"},
    7,
    "usage",
    None,
)
PLAIN = (
    chunk,
    lambda: chunk(hidden={"custom_llm_provider": "anthropic"}),
    lambda: chunk(hidden={"usage": None}),
    lambda: with_usage_of(None),
    lambda: chunk(provider_specific_fields={"usage": 1}),
    lambda: changed(choices=[]),
)
ODD = (
    lambda: chunk(finish_reason="stop"),
    lambda: chunk(cls=Heir),
    lambda: changed(choices=None),
    lambda: changed(choices=[{"finish_reason": "stop"}]),
    lambda: changed(__pydantic_private__=None),
    lambda: changed(__pydantic_private__={}),
    lambda: changed(__pydantic_extra__=None),
    lambda: changed(_hidden_params=7),
    types.ModelResponse,
    lambda: types.ModelResponse(usage=types.Usage(**COUNTS)),
    lambda: {"choices": [{"finish_reason": None}], "usage": None},
    lambda: {"choices": [{"finish_reason": "stop"}]},
    lambda: {"choices": [], "usage": dict(COUNTS)},
    dict,
    lambda: None,
)
USED = tuple(
    maker
    for usage in USAGES
    for maker in (
        lambda usage=usage: with_usage_of(usage),
        lambda usage=usage: chunk(hidden={"usage": usage}),
        lambda usage=usage: {"choices": [], "usage": usage},
    )
)
STREAMS = st.lists(st.sampled_from([*PLAIN * 8, *ODD, *USED]), max_size=12)


def outcome(summed: Any, chunks: List[Any]) -> Tuple[Any, ...]:
    """What comes of it: a sum, or an exception."""
    try:
        return "value", summed(reference.ChunkProcessor.__new__(reference.ChunkProcessor), chunks)
    except Exception as error:
        return type(error), str(error)


def by(candidate: StreamUsageCandidate) -> Any:
    """The candidate as a function."""

    def summed(*args: Any) -> Any:
        return candidate.run(candidate.prepare(args, {}), args, {})

    return summed


@given(STREAMS)
def test_the_sum_of_the_chunks_that_matter_is_the_sum_of_all(candidate, makers):
    """Or the same exception, whatever chunks there are."""
    chunks = [make() for make in makers]

    assert comparators.models(outcome(CONTROL, chunks), outcome(by(candidate), chunks)) is None


@pytest.mark.parametrize("make", PLAIN)
def test_chunks_of_text_are_left_out_but_for_the_first(candidate, make):
    """So LiteLLM is asked about two of a hundred and one."""
    last = with_usage_of(types.Usage(**COUNTS))
    chunks = [make() for _ in range(100)]
    telling = candidate.prepare((reference.ChunkProcessor.__new__(reference.ChunkProcessor), [*chunks, last]), {})

    assert [id(chunks[0]), id(last)] == [id(it) for it in telling]


@pytest.mark.parametrize("make", [*ODD, *USED[:-3]])
def test_no_other_chunk_is_left_out(candidate, make):
    """It may matter, or nobody can tell."""
    odd = make()
    telling = candidate.prepare(
        (reference.ChunkProcessor.__new__(reference.ChunkProcessor), [chunk(), odd, chunk()]), {}
    )

    assert odd is telling[1]


def declined(candidate: StreamUsageCandidate, *args: Any, **kwargs: Any) -> str:
    """Why a call is declined; "" if it is not."""
    try:
        candidate.prepare(args, kwargs)
    except Declined as refusal:
        return refusal.reason
    return ""


def test_calls_of_another_kind_are_declined(candidate):
    """Other arguments, a sequence that is no list, somebody's own processor, or one with a method of its own."""

    class Own(reference.ChunkProcessor):
        pass

    ours, own, odd = (it.__new__(it) for it in (reference.ChunkProcessor, Own, reference.ChunkProcessor))
    odd._usage_chunk_calculation_helper = lambda *_: {}
    reasons = [
        declined(candidate, ours),
        declined(candidate, ours, (chunk(),)),
        declined(candidate, own, [chunk()]),
        declined(candidate, odd, [chunk()]),
        declined(candidate, ours, chunks=[chunk()]),
    ]

    assert ["control_raises", "opaque_value", "reference_patched", "reference_patched", ""] == reasons


REPLACED: Dict[str, Tuple[Any, str, Any]] = {
    "what a chunk contains": (types.ModelResponseStream, "__contains__", lambda *_: True),
    "what a chunk has": (types.ModelResponseStream, "__getattr__", lambda *_: 1),
    "a usage of all chunks": (types.ModelResponseStream, "usage", types.Usage(**COUNTS)),
    "an end of all choices": (types.StreamingChoices, "finish_reason", property(lambda _: "stop")),
}


@pytest.mark.parametrize("what", REPLACED)
def test_what_somebody_has_replaced_is_asked_by_the_control(candidate, monkeypatch, what):
    """And once it is put back the candidate answers again."""
    args = (reference.ChunkProcessor.__new__(reference.ChunkProcessor), [chunk()])
    owner, name, value = REPLACED[what]
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, value, raising=False)
        during = declined(candidate, *args)

    assert ("reference_patched", "") == (during, declined(candidate, *args))
