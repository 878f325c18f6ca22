"""Counting with Anthropic's tokenizer against LiteLLM and the Hugging Face library: the same number, or declined."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fast_litellm.accel import fingerprint, references
from fast_litellm.accel.candidates.token_counting import SOURCES, TokenCountingCandidate
from fast_litellm.accel.candidates.vocabulary import ANTHROPIC
from fast_litellm.errors import Declined

litellm = pytest.importorskip("litellm")
pytest.importorskip("tokenizers")
reference = pytest.importorskip("litellm.litellm_core_utils.token_counter")

MODEL = min(model for model in litellm.anthropic_models if "claude-3" not in model)
FRAGMENTS = [
    *("'s", "'S", "'ll", "<EOT>", "<META_START>", "<META", "EOT>", "<SOS>", " ", "  ", "\n", "\t", "\u00a0", "\u3000"),
    *(
        "/",
        "...",
        '{"',
        "word",
        "Word",
        "WORD",
        "1",
        "123",
        "\u00bd",
        "\u00e9",
        "e\u0301",
        "\ufb01",
        "\u2167",
        "\u212b",
    ),
    *(
        "\u4e2d",
        "\u6587\u5b57",
        "\ud55c",
        "\u1112\u1161\u11ab",
        "\uff76\uff9e",
        "\U0001f600",
        "\U0001f469\u200d\U0001f467",
    ),
    *("\u017f", "\u1e9b\u0323", "\x00", "a" * 30, "-" * 40, "=" * 200),
]
MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Bonjour \u00e0 tous, \u4f60\u597d"}]},
    {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": '{"a": 1}'}}]},
]
TOOLS = [{"type": "function", "function": {"name": "f", "description": "Does it.", "parameters": {}}}]


@pytest.fixture(scope="module")
def candidate():
    known = references.known("token_counting", fingerprint.fingerprint(SOURCES))
    return TokenCountingCandidate(reference, known.semantics)


@pytest.fixture(scope="module")
def tokenizer():
    """The tokenizer LiteLLM counts with."""
    return litellm.utils.select_tokenizer(MODEL)["tokenizer"]


def answer(candidate, **call):
    """The candidate's number, or the word it declines with."""
    try:
        return candidate.run(candidate.prepare((), call), (), call)
    except Declined as declined:
        return declined.reason


def control(**call):
    return reference.token_counter(**call)


def test_anthropics_models_are_counted_with_its_own_tokenizer(candidate):
    """Which tokenizer a model has is LiteLLM's to say."""
    assert ANTHROPIC == candidate.prepare((), {"model": MODEL, "text": ""}).model.encoding
    assert "cl100k_base" == candidate.prepare((), {"model": "claude-3-opus-20240229", "text": ""}).model.encoding


@pytest.mark.parametrize(
    "call",
    [
        {"text": ""},
        {"text": "<EOT> ends what <META>x"},
        {"text": "Hello world! " * 500},
        {"text": ["some", "text"]},
        {"messages": MESSAGES},
        {"messages": MESSAGES, "tools": TOOLS, "tool_choice": "none"},
    ],
)
def test_a_call_has_the_controls_number(candidate, call):
    """Text is never cut into slices, and messages cost what they cost elsewhere."""
    assert control(model=MODEL, **call) == answer(candidate, model=MODEL, **call)


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(text=st.lists(st.sampled_from(FRAGMENTS) | st.characters(), max_size=14).map("".join))
def test_any_text_counts_as_in_the_library_or_is_declined(candidate, tokenizer, text):
    """Whatever the library would normalise, split or take for special."""
    found = answer(candidate, model=MODEL, text=text)

    assert found == "unicode" or found == len(tokenizer.encode_batch_fast([text])[0])


@pytest.mark.parametrize("text", ["\U0001f16c", "\u32ff", "a\ud800", "\U00010940"], ids=ascii)
def test_what_hangs_on_the_version_of_unicode_is_declined(candidate, text):
    """The library's tables differ between its releases, and it refuses lone surrogates."""
    assert "unicode" == answer(candidate, model=MODEL, text=text)
    assert "unicode" == answer(candidate, model=MODEL, messages=[{"role": "user", "content": text}])


def test_a_tokenizer_that_truncates_is_declined(candidate, tokenizer):
    """What somebody has changed about LiteLLM's tokenizer is the control's to apply, and is looked at on every call."""
    assert control(model=MODEL, text="Hi") == answer(candidate, model=MODEL, text="Hi")
    tokenizer.enable_truncation(5)
    try:
        assert "huggingface_tokenizer" == answer(candidate, model=MODEL, text="Hi")
    finally:
        tokenizer.no_truncation()


def test_another_text_of_the_tokenizer_is_declined(candidate, monkeypatch):
    """It is read on every call."""
    assert control(model=MODEL, text="Hi") == answer(candidate, model=MODEL, text="Hi")
    monkeypatch.setattr(litellm.utils, "claude_json_str", "{}")

    assert "huggingface_tokenizer" == answer(candidate, model=MODEL, text="Hi")
