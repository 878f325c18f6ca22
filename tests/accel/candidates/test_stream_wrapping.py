"""The stream wrapping candidate against LiteLLM's own wrapper: the same chunks and the same state, or declined."""

from __future__ import annotations

import asyncio
import collections
import datetime as dt
import gc
import importlib
import logging
from types import MappingProxyType, SimpleNamespace
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fast_litellm.accel.candidates.stream_wrapping import StreamWrappingCandidate
from fast_litellm.errors import Declined
from fast_litellm.shadow import comparators

litellm = pytest.importorskip("litellm")
handler = pytest.importorskip("litellm.litellm_core_utils.streaming_handler")
construct_type = importlib.import_module("openai._models").construct_type
CHUNK = importlib.import_module("openai.types.chat").ChatCompletionChunk
Logging = importlib.import_module("litellm.litellm_core_utils.litellm_logging").Logging
CONTROL = handler.CustomStreamWrapper.chunk_creator


@pytest.fixture(scope="module", autouse=True)
def standing_clock():
    """Chunks carry the time at which they were made."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (handler, importlib.import_module("litellm.types.utils")):
            patch.setattr(module, "time", SimpleNamespace(time=lambda: 1.5))
        yield


@pytest.fixture
def candidate() -> StreamWrappingCandidate:
    """A candidate for the installed LiteLLM."""
    return StreamWrappingCandidate(handler, "1")


def wrapper(provider: str = "openai", source: Any = None, **settings: Any) -> Any:
    """A stream's wrapper, as LiteLLM makes it."""
    logger = Logging(
        model="gpt-4o",
        messages=[],
        stream=True,
        call_type="completion",
        start_time=dt.datetime(2020, 1, 1),  # noqa: DTZ001 - as LiteLLM's
        litellm_call_id="1",
        function_id="1",
    )
    logger.update_environment_variables(
        model="gpt-4o", user="", optional_params={}, litellm_params=settings, custom_llm_provider=provider
    )
    return handler.CustomStreamWrapper(source, "gpt-4o", logger, provider)


def choice(text: Any = "text", **others: Any) -> Dict[str, Any]:
    """One of a chunk's choices as a provider sends it."""
    delta = text if isinstance(text, dict) else {"content": text}
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None, **others}


def chunk(text: Any = "text", *, choices: Any = None, **others: Any) -> Any:
    """A chunk as the SDK makes it."""
    value = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-2024",
        "system_fingerprint": "fp",
        "choices": [choice(text)] if choices is None else choices,
        **others,
    }
    return construct_type(value=value, type_=CHUNK)


FIRST = {"role": "assistant", "content": ""}
LAST = [{"index": 0, "delta": {}, "finish_reason": "stop"}]


def by_control(stream: Any, one: Any) -> Tuple[Any, ...]:
    """What LiteLLM makes of a chunk."""
    try:
        return ("value", CONTROL(stream, chunk=one))
    except Exception as error:
        return type(error), str(error)


class Twice:
    """Two equal streams, one read by the control and one by the candidate, with the control where that declines."""

    def __init__(self, candidate: StreamWrappingCandidate, **settings: Any) -> None:
        self.candidate = candidate
        self.streams = [wrapper(**settings), wrapper(**settings)]
        self.answered = 0
        self.declined: Dict[str, int] = collections.Counter()

    def read(self, *ones: Any) -> None:
        """Reads two equal chunks, and holds what is made of them, and what is left, against one another."""
        answers = [by_control(self.streams[0], ones[0]), self.by_candidate(ones[1])]
        assert comparators.models(*answers) is None
        assert self.state(0) == self.state(1)
        for stream, answer in zip(self.streams, answers):
            if answer[0] == "value" and answer[1] is not None:
                stream.chunks.append(answer[1])

    def by_candidate(self, one: Any) -> Tuple[Any, ...]:
        args, kwargs = (self.streams[1],), {"chunk": one}
        try:
            answer = "value", self.candidate.run(self.candidate.prepare(args, kwargs), args, kwargs)
        except Declined as refusal:
            declined = refusal.reason
        else:
            self.answered += 1
            return answer
        self.declined[declined] += 1
        return by_control(self.streams[1], one)  # no longer under way: LiteLLM writes tracebacks into its messages

    def state(self, index: int) -> Dict[str, Any]:
        """All attributes of a wrapper that can be compared."""
        kinds = (str, int, float, bool, dict, list, MappingProxyType, type(None))
        named = {name: value for name, value in vars(self.streams[index]).items() if isinstance(value, kinds)}
        return {**named, "chunks": len(named["chunks"])}


def read_all(twice: Twice, *requests: Dict[str, Any]) -> Twice:
    """Reads a stream of chunks that are made anew for each side."""
    for request in requests:
        twice.read(chunk(**request), chunk(**request))
    return twice


def text(words: str, **others: Any) -> List[Dict[str, Any]]:
    """A stream's text, word by word."""
    return [{"text": f"{word} ", **others} for word in words.split()]


def test_plain_text_is_answered_as_by_the_control(candidate):
    """The first chunk and the last are the control's, and one of the text whose state differs from what comes after."""
    twice = read_all(Twice(candidate), {"text": FIRST}, *text("a bc def ghij klmno p"), {"choices": LAST})

    assert (5, {"not_plain_text": 2, "unsteady": 1}) == (twice.answered, twice.declined)


def test_what_else_a_provider_sends_with_each_chunk_is_kept(candidate):
    """Its values differ from chunk to chunk; a further name is another frame."""
    each = [{**one, "obfuscation": "x" * index} for index, one in enumerate(text("a b c d"))]
    twice = read_all(Twice(candidate), *each, *text("e f", obfuscation="y", padding="z"), *text("g h"))

    assert twice.answered == 4 - 2 + 1 + 1


CHOICES = [
    [choice("x", token_ids=[1, 2])],
    [choice("x", token_ids=None, stop_reason=None)],
    [choice("", token_ids=[3])],
    [choice("", index=1, token_ids=[4])],
    [choice("x", logprobs={"content": []})],
    [choice("x", citations=["y"])],
    [choice("x", provider_specific_fields={"token_ids": [5]})],
    [choice("x", index=1)],
    [choice("x", finish_reason="stop", stop_reason=6)],
    [choice({}, finish_reason="length", stop_reason=7, token_ids=[8])],
    [choice({}, index=1, finish_reason="stop", stop_reason="y")],
    [choice("x", finish_reason="stop"), choice("y", index=1, finish_reason="length")],
    [choice({"content": "x", "thinking_blocks": [{"type": "thinking", "thinking": "hm"}]})],
    [choice({"content": "", "thinking_blocks": [{"type": "thinking", "thinking": "hm"}]})],
    [choice({"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": None}}]})],
]
"""What a chunk may bring besides text; from 1.110 on the wrapper keeps some of it for a later chunk of that choice."""

REQUESTS = st.one_of(
    st.fixed_dictionaries({"text": st.text(max_size=3)}, optional={"obfuscation": st.text(max_size=2)}),
    st.sampled_from(CHOICES).map(lambda choices: {"choices": choices}),
    st.sampled_from(
        [
            {"text": FIRST},
            {"text": {"content": None}},
            {"text": {"content": "x", "reasoning_content": "hm"}},
            {"text": {"content": "x", "role": "assistant"}},
            {"text": {"content": 5}},
            {"text": {"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": ""}}]}},
            {"choices": LAST},
            {"choices": []},
            {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}},
            {"text": "x", "id": "chatcmpl-2"},
            {"text": "x", "model": "another"},
            {"text": "x", "provider": {"name": "y"}},
            {"text": "x", "provider_specific_fields": {"a": 1}},
            {"text": "x", "citations": ["y"]},
            {"text": "x", "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}},
            {"text": "x", "service_tier": "default"},
            {"text": "x", "system_fingerprint": None},
            {"choices": [{"index": index, "delta": {"content": "x"}} for index in range(2)]},
        ]
    ),
)


RULES = st.sampled_from([[], [bool]])


@given(
    st.lists(st.tuples(REQUESTS, st.integers(1, 4), RULES), max_size=6), st.sampled_from(["openai", "azure", "groq"])
)
@settings(max_examples=100, deadline=None)
def test_any_stream_is_answered_as_by_the_control(requests, provider):
    """Chunks of all kinds, some several times in turn: all of each chunk and the wrapper's state are the same."""
    twice = Twice(StreamWrappingCandidate(handler, "1"), provider=provider)
    with pytest.MonkeyPatch.context() as patch:
        for request, times, rules in requests:
            patch.setattr(litellm, "post_call_rules", rules)
            read_all(twice, *[request] * times)


@pytest.mark.parametrize("choices", CHOICES)
def test_what_a_chunk_brings_besides_text_is_left_to_the_control(candidate, choices):
    """Between chunks of text, which the candidate answers before and after, whatever is kept of it."""
    special = {"choices": choices}
    twice = read_all(Twice(candidate), *text("a b c"), special, *text("d e f g"), special, *text("h i j"))

    assert twice.answered >= 4 - (choices == [choice("x", index=1)])


def test_text_is_answered_while_something_is_kept_for_another_choice(candidate):
    """The first choice goes on after its end; the second has sent tokens that its next text is to bring."""
    end = {"choices": [choice("end", finish_reason="stop", stop_reason=1)]}
    others = [{"choices": [choice(word, index=1)]} for word in "wxyz"]
    kept = {"choices": [choice("", index=1, token_ids=[2])]}
    twice = read_all(Twice(candidate), *text("a b"), end, kept, *text("c d e f"))
    before = twice.answered
    keeps = bool(getattr(twice.streams[1], "carried_chunk_choice_fields", None))
    read_all(twice, *others)

    assert before > 1
    assert before + 3 - keeps == twice.answered  # the chunk that brings them changes the state
    assert not getattr(twice.streams[1], "carried_chunk_choice_fields", None)


def test_a_program_may_have_rules_for_what_comes_back(candidate, monkeypatch):
    """From 1.110 on LiteLLM takes tokens out of every chunk then; what was learned without rules is learned anew."""
    twice = read_all(Twice(candidate), *text("a b c"))
    monkeypatch.setattr(litellm, "post_call_rules", [bool])
    read_all(twice, *text("d e f"))

    assert (3, {"unsteady": 3}) == (twice.answered, twice.declined)


WHOLE = [
    *({"text": text} for text in (FIRST, "a", "b", "c")),
    {"choices": [choice("d", token_ids=[1])]},
    *text("e f g"),
    {"choices": [choice({}, finish_reason="stop", stop_reason=2, token_ids=[3])]},
    {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}},
]


class Source:
    """A provider's stream."""

    def __init__(self) -> None:
        self._chunks = iter([chunk(**request) for request in WHOLE])

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return next(self._chunks)

    async def __aiter__(self) -> Any:
        for one in self._chunks:
            yield one


def in_turn(stream: Any) -> List[Any]:
    return list(stream)


def awaited(stream: Any) -> List[Any]:
    async def read() -> List[Any]:
        return [one async for one in stream]

    return asyncio.run(read())


@pytest.mark.parametrize("read", [in_turn, awaited])
def test_a_whole_stream_is_read_as_by_the_control(candidate, monkeypatch, read):
    """What LiteLLM's caller gets of it, to the usage that is told with its end."""
    twice = Twice(candidate)
    twice.streams = [wrapper(source=Source()), wrapper(source=Source())]
    expected = read(twice.streams[0])
    monkeypatch.setattr(handler.CustomStreamWrapper, "chunk_creator", lambda _self, chunk: twice.by_candidate(chunk)[1])
    answers = read(twice.streams[1])

    assert [None] * len(expected) == [comparators.models(*pair) for pair in zip(expected, answers)]
    assert (len(expected), twice.state(0)) == (len(answers), twice.state(1))
    assert twice.answered > 2


def test_a_stream_that_repeats_itself_ends_as_by_the_control(candidate, monkeypatch):
    """The wrapper counts repetitions, and raises."""
    monkeypatch.setattr(litellm, "REPEATED_STREAMING_CHUNK_LIMIT", 4)
    twice = read_all(Twice(candidate), *text("again again again again again again again again"))

    assert twice.answered == 2
    assert twice.declined["repetition"] > 0


def test_thoughts_that_are_merged_into_the_text_are_seen(candidate):
    """A wrapper that marks the end of thoughts changes its state, and the text with it."""
    thought = {"text": {"content": None, "reasoning_content": "hm"}}
    twice = read_all(Twice(candidate, merge_reasoning_content_in_choices=True), thought, *text("a b c d e"))

    assert twice.answered > 1


def test_parts_of_an_answer_are_the_callers_own(candidate):
    """Who changes one chunk changes no other; what the control shares between chunks is shared."""
    stream, made = wrapper(), []
    for one in ("a", "b", "c", "d"):
        args, kwargs = (stream,), {"chunk": chunk(one)}
        try:
            made.append(candidate.run(candidate.prepare(args, kwargs), args, kwargs))
        except Declined:
            by_control(stream, kwargs["chunk"])
    made[0].choices[0].delta.content = "changed"
    made[0]._hidden_params["model_id"] = "changed"
    made[0].choices[0].__pydantic_fields_set__.clear()
    first, last = by_control(stream, chunk("x"))[1], made[-1]

    assert comparators.models(by_control(stream, chunk("d"))[1], last) is None
    assert first._hidden_params["additional_headers"] is last._hidden_params["additional_headers"]
    assert len(made) == 2


def test_a_stream_is_forgotten_with_its_wrapper(candidate):
    """Nothing of it is kept."""
    twice = read_all(Twice(candidate), *text("a b c d"))
    assert len(candidate._streams) == 1
    del twice
    gc.collect()

    assert len(candidate._streams) == 0


def prepared(candidate: StreamWrappingCandidate, stream: Any, one: Any) -> Any:
    return candidate.prepare((stream,), {"chunk": one})


@pytest.mark.parametrize(
    ("module", "name", "value", "reason"),
    [
        (litellm, "set_verbose", True, "settings"),
        (litellm, "_custom_providers", ["x"], "settings"),
        (handler, "Delta", dict, "reference_patched"),
    ],
)
def test_what_the_control_would_do_besides_is_declined(candidate, monkeypatch, module, name, value, reason):
    """It prints, asks a program's own provider, or asks a function that somebody has put there."""
    monkeypatch.setattr(module, name, value)

    with pytest.raises(Declined, match=reason):
        prepared(candidate, wrapper(), chunk())


def test_nothing_is_learned_of_a_patched_control(candidate, monkeypatch):
    """What somebody has put in place of a helper could do more with a probe than answer."""
    monkeypatch.setattr(handler.CustomStreamWrapper, "set_model_id", lambda _self, _id, model_response: model_response)

    assert read_all(Twice(candidate), *text("a b c d")).declined["reference_patched"] == 2


def test_a_program_that_logs_every_chunk_is_left_to_the_control(candidate):
    """LiteLLM writes each delta to its log then."""
    level = litellm.verbose_logger.level
    litellm.verbose_logger.setLevel(logging.DEBUG)
    try:
        with pytest.raises(Declined, match="settings"):
            prepared(candidate, wrapper(), chunk())
    finally:
        litellm.verbose_logger.setLevel(level)


def test_a_wrapper_of_a_class_of_its_own_is_declined(candidate):
    """Its methods are not the control's."""
    stream = wrapper()
    stream.__class__ = type("Own", (handler.CustomStreamWrapper,), {})

    with pytest.raises(Declined, match="provider"):
        prepared(candidate, stream, chunk())
    with pytest.raises(Declined, match="control_raises"):
        candidate.prepare((stream,), {})


def test_a_stream_of_many_frames_is_not_learned_for_ever(candidate):
    """A rule takes two runs of the control to learn."""
    frames = [request for index in range(6) for request in [{"text": "x", "service_tier": str(index)}] * 2]
    twice = read_all(Twice(candidate), *frames)

    assert twice.answered == 3


def test_a_wrapper_with_a_method_of_somebodys_own_is_declined(candidate):
    """As `patch.object` gives it one."""
    stream = wrapper()
    stream.set_model_id = lambda _id, model_response: model_response

    with pytest.raises(Declined, match="reference_patched"):
        prepared(candidate, stream, chunk())
