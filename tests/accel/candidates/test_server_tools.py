"""The blocks of tools that Anthropic's servers run, counted from 1.110 on, against LiteLLM's own function."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fast_litellm.accel import fingerprint, references
from fast_litellm.accel.candidates.token_counting import SOURCES, TokenCountingCandidate
from fast_litellm.errors import Declined

reference = pytest.importorskip("litellm.litellm_core_utils.token_counter")

KINDS = tuple(getattr(reference, "_ANTHROPIC_SERVER_TOOL_FIELDS", ("server_tool_use", "web_search_tool_result")))
IS_COUNTED = hasattr(reference, "_ANTHROPIC_SERVER_TOOL_FIELDS")
FOUND = {"type": "web_search_result", "url": "https://example.com", "title": "A page", "encrypted_content": "x" * 40}
PAGE = {"type": "text", "media_type": "text/plain", "data": "The page's text, नमस्ते."}


def document(**fields) -> dict:
    return {"type": "document", "source": PAGE, **fields}


def fetched(content) -> dict:
    page = {"type": "web_fetch_result", "url": "https://example.com", "retrieved_at": "2026-11-30", "content": content}
    return {"type": "web_fetch_tool_result", "tool_use_id": "srvtoolu_1", "content": page}


ANSWERED = {
    "a search that is asked for": {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
    "a connected server's tool": {"type": "mcp_tool_use", "id": "m", "name": "echo", "server_name": "n", "input": {}},
    "what a search found": {"type": "web_search_tool_result", "tool_use_id": "s", "content": [FOUND, FOUND]},
    "a search that failed": {
        "type": "web_search_tool_result",
        "content": {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"},
    },
    "a fetched page": fetched(document(title="A title", context="Some context")),
    "a fetched picture": fetched(document(source={"type": "url", "url": "https://example.com/a.png"})),
    "a page of text in one piece": fetched(document(source={"type": "content", "content": "one piece"})),
    "a program's output": {
        "type": "bash_code_execution_tool_result",
        "content": {
            "type": "bash_code_execution_result",
            "stdout": "42\n",
            "stderr": "",
            "return_code": 0,
            "content": [{"type": "bash_code_execution_output", "file_id": "f"}],
        },
    },
    "a file that was looked at": {
        "type": "text_editor_code_execution_tool_result",
        "content": {"type": "text_editor_code_execution_view_result", "content": "line 1\nline 2", "num_lines": 2},
    },
    "an edit": {
        "type": "text_editor_code_execution_tool_result",
        "content": {"type": "text_editor_code_execution_str_replace_result", "lines": ["-a", "+b"], "new_start": 1},
    },
    "a connected server's answer": {"type": "mcp_tool_result", "content": [{"type": "text", "text": "fine"}]},
    "a tool's answer inside of one": {"type": "mcp_tool_result", "content": {"type": "tool_result", "content": "fine"}},
}
LEFT = {
    "a source whose media type the control refuses": fetched(document(source={**PAGE, "media_type": "text/html"})),
    "a title that is no text": fetched(document(title=7)),
    "half of a pair of surrogates": fetched(document(title="\ud83d")),
    "citations": fetched(document(citations={"enabled": True})),
    "a kind nobody knows": {"type": "mcp_tool_result", "content": {"type": "hologram"}},
    "a dictionary without a kind": {"type": "mcp_tool_result", "content": {"text": "x"}},
}


@pytest.fixture(scope="module")
def candidate() -> TokenCountingCandidate:
    """A candidate for the installed LiteLLM."""
    known = references.known("token_counting", fingerprint.fingerprint(SOURCES))
    assert known is not None
    return TokenCountingCandidate(reference, known.semantics)


def said_by(block) -> dict:
    return {"model": "claude-sonnet-4-5", "messages": [{"role": "assistant", "content": [block]}]}


def control(call) -> object:
    """The number of tokens, or the class of the exception."""
    function = getattr(reference.token_counter, "__wrapped__", reference.token_counter)
    try:
        return function(**call)
    except Exception as error:
        return type(error)


def answer(candidate, call) -> object:
    """The number of tokens, or the reason of a decline."""
    try:
        return candidate.run(candidate.prepare((), call), (), call)
    except Declined as declined:
        return declined.reason


@pytest.mark.skipif(not IS_COUNTED, reason="LiteLLM counts these blocks from 1.110 on")
@pytest.mark.parametrize("shape", ANSWERED)
def test_what_anthropic_sends_is_answered_and_equal(candidate, shape):
    """The blocks of a conversation in which servers ran tools are not declined."""
    call = said_by(ANSWERED[shape])

    assert control(call) == answer(candidate, call)


@pytest.mark.skipif(IS_COUNTED, reason="LiteLLM raises for these blocks before 1.110")
@pytest.mark.parametrize("shape", ANSWERED)
def test_before_litellm_counts_them_they_are_the_controls(candidate, shape):
    """The exception is the control's own."""
    call = said_by(ANSWERED[shape])

    assert isinstance(control(call), type)
    assert "control_raises" == answer(candidate, call)


@pytest.mark.parametrize("shape", LEFT)
def test_what_is_not_certain_is_left_to_the_control(candidate, shape):
    """The control validates a document inside of a result, and refuses what it does not know."""
    assert isinstance(answer(candidate, said_by(LEFT[shape])), str)


@pytest.mark.skipif(not IS_COUNTED, reason="LiteLLM counts these blocks from 1.110 on")
def test_every_kind_the_control_counts_is_answered(candidate):
    """None of the kinds in LiteLLM's own table is forgotten."""
    declined = [kind for kind in KINDS if isinstance(answer(candidate, said_by({"type": kind})), str)]

    assert [] == declined


@pytest.mark.skipif(not IS_COUNTED, reason="LiteLLM counts these blocks from 1.110 on")
def test_a_lower_limit_of_nesting_leaves_the_blocks_to_the_control(candidate, monkeypatch):
    """`DEFAULT_MAX_RECURSE_DEPTH` may be lower than what is walked natively; other calls are answered as before."""
    monkeypatch.setattr(reference, "DEFAULT_MAX_RECURSE_DEPTH", 2)
    shallow = TokenCountingCandidate(reference, candidate._semantics)
    nested = said_by(ANSWERED["a fetched page"])

    assert isinstance(control(nested), type)
    assert "control_raises" == answer(shallow, nested)
    assert control(said_by("plain")) == answer(shallow, said_by("plain"))


def test_nesting_beyond_the_walk_is_left_to_the_control(candidate):
    """A hostile conversation does not reach the end of the stack."""
    block: dict = {"type": "mcp_tool_result", "content": "x"}
    for _ in range(5_000):
        block = {"type": "mcp_tool_result", "content": block}

    assert isinstance(answer(candidate, said_by(block)), str)


FIELDS = ("name", "input", "url", "title", "snippet", "stdout", "stderr", "error_code", "error_message", "lines")
words = st.sampled_from(["", "Hello", "नमस्ते", "\ud83d", "a b c"]) | st.text(max_size=8)
plain = st.none() | st.booleans() | st.integers(-5, 5) | words
sources = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "url", "base64", "content", "file", "other"])},
    optional=dict.fromkeys(("data", "url", "content", "file_id"), words)
    | {"media_type": st.sampled_from(["text/plain", "image/png", "application/pdf"])},
)
documents = st.fixed_dictionaries(
    {"type": st.just("document"), "source": sources | plain}, optional={"title": plain, "context": plain}
)
blocks = st.recursive(
    documents | plain | st.fixed_dictionaries({"type": st.just("text"), "text": words}),
    lambda inner: st.fixed_dictionaries(
        {"type": st.sampled_from([*KINDS, "tool_use", "tool_result", "search_result", "text"])},
        optional={"content": inner | st.lists(inner, max_size=3), **dict.fromkeys(FIELDS, plain | st.lists(words))},
    ),
    max_leaves=8,
)


@settings(max_examples=800, deadline=None)
@given(block=blocks)
def test_any_nesting_is_equal_or_declined(candidate, block):
    """Whatever stands inside of whatever, a number is the control's number."""
    found = answer(candidate, said_by(block))

    assert isinstance(found, str) or control(said_by(block)) == found
