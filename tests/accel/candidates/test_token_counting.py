"""The token counting candidate against LiteLLM's own function: the same number, or declined."""

from __future__ import annotations

import functools
import importlib
import json
import os
import random
import sys
from collections import OrderedDict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fast_litellm.accel import fingerprint, references
from fast_litellm.accel.candidates import vocabulary
from fast_litellm.accel.candidates.token_counting import SOURCES, TokenCountingCandidate
from fast_litellm.errors import Declined

litellm = pytest.importorskip("litellm")
tiktoken = pytest.importorskip("tiktoken")
reference = pytest.importorskip("litellm.litellm_core_utils.token_counter")

MODELS = [
    "gpt-4o",
    "gpt-4",
    "gpt-3.5-turbo-0301",
    "gpt-35-turbo",
    "azure/gpt-4o",
    "openai/gpt-4o",
    "gemini/gemini-pro",
    "o1",
    "gpt-5",
    "nobody-knows-this-one",
    "",
    None,
]
TEXTS = [
    "",
    "Hello, how are you?",
    "<|endoftext|>",
    "def f(x):\n    return x  # naïve",
    '{"a": [1, 2, {"b": null}]}',
    "你好,世界",
    "नमस्ते दुनिया",
    "👨‍👩‍👧 family",
    "\ud83d half a pair",
    "two halves \ud83d\ude00",
    "a" * 1023 + "😀" * 3,
    " \t\r\n \u2003",
    "ſ 'S don't WE'LL",
]


@pytest.fixture(scope="module")
def semantics() -> str:
    """The rule set that the installed LiteLLM's fingerprint stands for."""
    known = references.known("token_counting", fingerprint.fingerprint(SOURCES))
    assert known is not None, "the installed LiteLLM is not in accel/references.py"
    return known.semantics


@pytest.fixture
def candidate(semantics) -> TokenCountingCandidate:
    """A candidate for the installed LiteLLM."""
    return TokenCountingCandidate(reference, semantics)


def control(**call):
    return (
        reference.token_counter.__wrapped__(**call)
        if hasattr(reference.token_counter, "__wrapped__")
        else reference.token_counter(**call)
    )


def answer(candidate, **call):
    """What the candidate says: a number, or the reason it declined with."""
    try:
        return candidate.run(candidate.prepare((), call), (), call)
    except Declined as declined:
        return declined.reason


def agree(candidate, **call) -> bool:
    """Asserts that the candidate equals the control or declines; returns whether it answered."""
    found = answer(candidate, **call)
    if isinstance(found, str):
        return False
    expected = control(**call)

    assert (type(expected), expected) == (type(found), found)
    return True


def user(content) -> list:
    return [{"role": "user", "content": content}]


TOOL = {
    "type": "function",
    "function": {
        "name": "find",
        "description": "Finds things",
        "parameters": {
            "type": "object",
            "properties": {
                "query": {"type": "string", "description": "what"},
                "kind": {"type": "string", "enum": ["a", "b"]},
                "where": {
                    "type": "object",
                    "properties": {"x": {"type": "integer"}, "y": {"type": "array", "items": {}}},
                },
                "any": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
            "required": ["query"],
        },
    },
}
ORDINARY = {
    "short": {"messages": user("Hello")},
    "nothing": {"messages": []},
    "conversation": {
        "messages": [{"role": "system", "content": "Be brief."}, *user("Hi"), {"role": "assistant", "content": None}]
    },
    "name": {"messages": [{"role": "user", "name": "ann", "content": "Hi"}]},
    "blocks": {
        "messages": user([{"type": "text", "text": "a"}, {"type": "text", "text": "b", "cache_control": {"type": "x"}}])
    },
    "image": {
        "messages": user([{"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}}])
    },
    "image address": {"messages": user([{"type": "image_url", "image_url": "https://example.com/a.png"}])},
    "tool call": {
        "messages": [{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}]
    },
    "tool result": {"messages": [{"role": "tool", "tool_call_id": "c", "content": "42"}]},
    "tools": {
        "messages": user("Hi"),
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "find"}},
    },
    "anthropic tools": {
        "messages": user("Hi"),
        "tools": [{"name": "f", "input_schema": {"properties": {"a": {"type": "null"}}}}],
    },
    "tool use": {"messages": user([{"type": "tool_use", "id": "t", "name": "f", "input": {"a": [1, "x", None, 2.5]}}])},
    "thinking": {"messages": user([{"type": "thinking", "thinking": "hmm", "signature": "s"}])},
    "document": {"messages": user([{"type": "document", "title": "t", "source": {"type": "text", "data": "body"}}])},
    "text": {"text": "Hello"},
    "texts": {"text": ["Hello", " ", "world", 7]},
    "response": {"messages": user("Hi"), "count_response_tokens": True},
    "fixed images": {
        "messages": user([{"type": "image_url", "image_url": "x"}]),
        "use_default_image_token_count": True,
    },
}


@pytest.mark.parametrize("model", [model for model in MODELS if model is not None])
@pytest.mark.parametrize("shape", ORDINARY)
def test_ordinary_calls_are_answered_and_equal(candidate, model, shape):
    """The shapes that traffic is made of are not declined: a candidate that never runs proves nothing."""
    assert agree(candidate, model=model, **ORDINARY[shape])


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4", None])
def test_texts_are_equal(candidate, model, text):
    """Scripts, specials, lone surrogates and slice borders count the same, as text and as a message."""
    assert agree(candidate, model=model, text=text)
    assert agree(candidate, model=model, messages=user(text))


@pytest.mark.parametrize("length", [3_999_999, 4_000_000, 4_000_001, 4_100_003])
def test_a_text_beyond_the_exact_limit_is_extrapolated_alike(candidate, length):
    """Sixteen samples and Python's rounding give the same estimate."""
    text = ("The quick brown fox, 你好 and 😀. " * (length // 30 + 1))[:length]

    assert agree(candidate, model="gpt-4o", text=text)


RAISING = {
    "both": {"text": "a", "messages": []},
    "neither": {},
    "text with tools": {"text": "a", "tools": [TOOL]},
    "text is a number": {"text": 7},
    "message is a text": {"messages": ["hello"]},
    "messages is a tuple": {"messages": ({"role": "user"},)},
    "tool calls is a text": {"messages": [{"tool_calls": "x"}]},
    "tool call without function": {"messages": [{"tool_calls": [{"id": "x"}]}]},
    "function call is a text": {"messages": [{"function_call": "x"}]},
    "block without type": {"messages": user([{"text": "x"}])},
    "unknown block": {"messages": user([{"type": "hologram"}])},
    "image without url": {"messages": user([{"type": "image_url", "image_url": {}}])},
    "image detail": {"messages": user([{"type": "image_url", "image_url": {"url": "u", "detail": "huge"}}])},
    "unknown argument": {"messages": [], "colour": "red"},
}


@pytest.mark.parametrize("shape", RAISING)
def test_what_the_control_raises_for_is_declined(candidate, shape):
    """The exception and its message are always the control's own."""
    assert isinstance(answer(candidate, model="gpt-4o", **RAISING[shape]), str)


class Text(str):
    """A subclass of str whose length is its own business."""


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ({"messages": user(Text("hello"))}, "opaque_value"),
        ({"messages": [OrderedDict(role="user")]}, "opaque_value"),
        ({"messages": user([{"type": "tool_use", "input": {"a": object()}}])}, "opaque_value"),
        ({"text": ["a", Text("b")]}, "opaque_value"),
        ({"text": Text("b")}, "text_type"),
        ({"messages": [], "custom_tokenizer": {"type": "openai_tokenizer", "tokenizer": None}}, "custom_tokenizer"),
        ({"messages": user([{"type": "image_url", "image_url": {"url": "u", "detail": "high"}}])}, "image_detail"),
    ],
)
def test_what_is_not_reproduced_is_declined_with_its_reason(candidate, call, reason):
    """A decline says why in a word from a fixed set."""
    assert reason == answer(candidate, model="gpt-4o", **call)


def test_a_hugging_face_model_is_declined_before_anything_is_loaded(candidate, monkeypatch):
    """No tokenizer is fetched or parsed for a call that Python will answer."""
    monkeypatch.setattr(litellm.utils, "_load_huggingface_tokenizer", pytest.fail)

    assert "huggingface_tokenizer" == answer(candidate, model="llama-3-70b", messages=user("Hi"))


@pytest.mark.parametrize("model", ["gpt-4o", "claude-3-opus-20240229"])
def test_a_programs_own_tiktoken_finds_litellms_files_after_a_count(candidate, monkeypatch, model):
    """LiteLLM tells tiktoken of them with its first count; once it has, the program may say otherwise."""
    module = "litellm.litellm_core_utils.default_encoding"
    importlib.import_module(module)
    vocabulary.announce.cache_clear()
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "the program's own")
    answer(TokenCountingCandidate(reference, candidate._semantics), model=model, text="hi")
    after_litellm = os.environ["TIKTOKEN_CACHE_DIR"]
    vocabulary.announce.cache_clear()
    monkeypatch.delitem(sys.modules, module)
    answer(TokenCountingCandidate(reference, candidate._semantics), model=model, text="hi")

    assert "the program's own" == after_litellm
    assert str(Path(litellm.__file__).parent / "litellm_core_utils" / "tokenizers") == os.environ["TIKTOKEN_CACHE_DIR"]


def test_counting_switched_off_is_zero_before_any_check(candidate, monkeypatch):
    """`litellm.disable_token_counter` is read on every call, and wins over invalid arguments."""
    monkeypatch.setattr(litellm, "disable_token_counter", True)

    assert 0 == answer(candidate, model="gpt-4o")


def test_a_replaced_helper_is_respected(candidate, monkeypatch):
    """When somebody has put their own object in place of a helper, the control answers, with that object."""
    monkeypatch.setattr(reference, "_count_messages", lambda *_args: 7)

    assert "reference_patched" == answer(candidate, model="gpt-4o", messages=user("Hi"))


def own(original):
    """An object of somebody's own that does what the original does."""
    return functools.partial(original) if callable(original) else type(original)()


REPLACED = [
    *((litellm.utils, name) for name in ("_select_tokenizer_helper", "_return_openai_tokenizer", "select_tokenizer")),
    *((litellm.utils, name) for name in ("_return_huggingface_tokenizer", "uses_anthropic_tokenizer")),
    *((litellm.utils, name) for name in ("huggingface_tokenizer_kind", "cleanup_none_field_in_message")),
    *((litellm.utils, name) for name in ("convert_list_message_to_dict", "convert_to_dict", "print_verbose")),
    (
        importlib.import_module("litellm.litellm_core_utils.prompt_templates.common_utils"),
        "extract_search_results_text",
    ),
    *((reference, name) for name in ("AnthropicMessagesToolUseParam", "_evenly_spaced_samples", "get_encoding")),
    *((reference, name) for name in ("EXTRAPOLATION_SAMPLES", "_format_type", "_count_extra", "_MessageCountParams")),
    (reference._MessageCountParams, "__init__"),
    (tiktoken, "encoding_name_for_model"),
    (tiktoken.model, "encoding_name_for_model"),
    (tiktoken.model, "MODEL_TO_ENCODING"),
    (tiktoken.model, "MODEL_PREFIX_TO_ENCODING"),
    (tiktoken.registry, "ENCODINGS"),
    (tiktoken, "get_encoding"),
    (tiktoken.Encoding, "encode"),
]


@pytest.mark.parametrize(("owner", "name"), REPLACED, ids=lambda it: it if isinstance(it, str) else it.__name__)
def test_whatever_is_replaced_the_control_answers_with_it(candidate, monkeypatch, owner, name):
    """Every helper on the control's way is watched, wherever it is defined."""
    monkeypatch.setattr(owner, name, own(getattr(owner, name)))

    assert "reference_patched" == answer(candidate, model="gpt-4o", messages=user("Hi"))
    monkeypatch.undo()
    assert agree(candidate, model="gpt-4o", messages=user("Hi"))


@pytest.mark.parametrize("name", ["_count_messages", "_format_type", "_evenly_spaced_samples"])
def test_a_helper_replaced_before_installing_makes_the_reference_unknown(monkeypatch, name):
    """The text of a file does not speak for a module that holds somebody's own function."""
    monkeypatch.setattr(reference, name, own(getattr(reference, name)))

    assert None is fingerprint.fingerprint(SOURCES)


@pytest.mark.parametrize(
    ("model", "table"),
    [
        ("gpt-4", tiktoken.model.MODEL_TO_ENCODING),
        ("gpt-3.5-turbo", tiktoken.model.MODEL_TO_ENCODING),
        ("gpt-4-0613", tiktoken.model.MODEL_PREFIX_TO_ENCODING),
    ],
)
def test_an_entry_of_tiktokens_tables_that_changes_in_place_is_seen(candidate, monkeypatch, model, table):
    """The encoding of a model is asked anew, although the table is the same and as long as before."""
    text = "नमस्ते दुनिया, 你好"
    before = answer(candidate, model=model, text=text)
    for name in table:
        monkeypatch.setitem(table, name, "o200k_base")

    assert agree(candidate, model=model, text=text)
    assert before != answer(candidate, model=model, text=text)


def test_a_model_registered_at_run_time_is_seen(candidate, monkeypatch):
    """The answer for a model is asked anew when the sets it came from have changed."""
    name = "gpt-4o-of-our-own"
    before = answer(candidate, model=name, text="你好,世界 and more")
    monkeypatch.setattr(litellm, "open_ai_chat_completion_models", litellm.open_ai_chat_completion_models | {name})

    assert agree(candidate, model=name, text="你好,世界 and more")
    assert before is not None


def test_debug_logging_leaves_the_call_to_the_control(candidate, monkeypatch):
    """The control writes debug records; they stay as they are."""
    monkeypatch.setattr(reference.verbose_logger, "isEnabledFor", lambda _level: True)

    assert "debug_logging" == answer(candidate, model="gpt-4o", messages=user("Hi"))


def test_a_model_name_made_up_for_every_call_does_not_fill_memory(candidate):
    """The table of models is bounded."""
    for number in range(1_500):
        answer(candidate, model=f"made-up-{number}", text="x")

    assert len(candidate._models._known) <= 1_024


KEYS = [
    "role",
    "content",
    "name",
    "tool_calls",
    "function_call",
    "type",
    "text",
    "image_url",
    "url",
    "detail",
    "source",
    "data",
    "media_type",
    "function",
    "arguments",
    "parameters",
    "properties",
    "required",
    "items",
    "enum",
    "description",
    "input_schema",
    "input",
    "caller",
    "tool_use_id",
    "id",
    "thinking",
    "tool_name",
    "file",
    "filename",
    "file_data",
    "title",
    "context",
    "search_results",
    "citations",
    "provider_specific_fields",
    "compaction_blocks",
    "function_declarations",
    "functionDeclarations",
    "cache_control",
    "strict",
    "anyOf",
]
WORDS = [*KEYS, *TEXTS[:9], "tool_use", "tool_result", "search_result", "document", "string", "array", "object", "none"]

texts = st.sampled_from(WORDS) | st.text(max_size=20) | st.text(st.characters(), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | texts | st.binary(max_size=3)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | texts, inner, max_size=4),
    max_leaves=12,
)


def loosely(strategy):
    """Mostly the expected shape, sometimes anything at all."""
    return st.one_of(strategy, strategy, strategy, values)


blocks = loosely(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(
                [
                    "text",
                    "image_url",
                    "image",
                    "document",
                    "file",
                    "tool_use",
                    "tool_result",
                    "thinking",
                    "tool_reference",
                    "search_result",
                    "compaction",
                ]
            )
        },
        optional=dict.fromkeys(
            (
                "text",
                "image_url",
                "source",
                "file",
                "name",
                "input",
                "content",
                "thinking",
                "tool_name",
                "tool_use_id",
                "title",
            ),
            values,
        ),
    )
)
messages = loosely(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "system", "assistant", "tool"]),
            "content": loosely(texts | st.lists(blocks, max_size=3)),
        },
        optional=dict.fromkeys(
            ("name", "tool_calls", "function_call", "search_results", "provider_specific_fields"), values
        ),
    )
)
schemas = st.recursive(
    values,
    lambda inner: st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "integer", "array", "object", "null", "boolean"])},
        optional={
            "items": inner,
            "properties": st.dictionaries(texts, inner, max_size=3),
            "required": values,
            "enum": values,
            "description": values,
        },
    ),
    max_leaves=6,
)
functions = st.fixed_dictionaries(
    {"name": texts}, optional={"description": values, "parameters": schemas, "input_schema": schemas}
)
tools = loosely(
    st.lists(
        loosely(functions | st.fixed_dictionaries({"type": st.just("function"), "function": functions})), max_size=2
    )
)
calls = st.fixed_dictionaries(
    {"model": st.sampled_from(MODELS)},
    optional={
        "messages": loosely(st.lists(messages, max_size=3)),
        "text": loosely(texts),
        "tools": tools,
        "tool_choice": values,
        "count_response_tokens": scalars,
        "use_default_image_token_count": scalars,
        "default_token_count": st.none() | st.integers(0, 9),
    },
)


@settings(max_examples=1_500, deadline=None)
@given(call=calls)
def test_any_call_at_all_is_equal_or_declined(semantics, call):
    """Whatever is thrown at it, the candidate's number is the control's, and it never raises anything but a decline."""
    candidate = _shared(semantics)
    found = answer(candidate, **call)
    if isinstance(found, str):
        return

    assert control(**call) == found


_candidates: dict = {}


def _shared(semantics) -> TokenCountingCandidate:
    return _candidates.setdefault(semantics, TokenCountingCandidate(reference, semantics))


def test_seeded_conversations_are_answered_and_equal(candidate):
    """Many long mixed conversations, none of them declined."""
    dice = random.Random(20261123)
    plain = [text for text in TEXTS if text.isprintable() or text.isascii()]
    answered = 0
    for _ in range(300):
        conversation = [
            {"role": dice.choice(["user", "assistant"]), "content": "".join(dice.choices(plain, k=dice.randint(0, 5)))}
            for _ in range(dice.randint(0, 8))
        ]
        answered += agree(
            candidate, model=dice.choice(MODELS), messages=conversation, tools=dice.choice([None, [TOOL]])
        )

    assert 300 == answered


def test_vectors_name_only_releases_that_are_known():
    """The vectors shared with Rust speak of rule sets that a reference stands for."""
    vectors = json.loads((Path(__file__).parents[2] / "vectors" / "messages.json").read_text(encoding="utf-8"))
    named = {release for case in vectors for release in case["expected"]}

    assert {"1.106", "1.109"} <= named
