"""Counting in batches against single calls: the same counts, the same errors, or declined."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fast_litellm.accel import counting, fingerprint, native, references
from fast_litellm.accel.candidates.batch_counting import SOURCES, BatchCountingCandidate
from fast_litellm.errors import Declined

litellm = pytest.importorskip("litellm")
known = references.known("batch_token_counting", fingerprint.fingerprint(SOURCES))
pytestmark = pytest.mark.skipif(known is None, reason="this LiteLLM's source is not known")

MODELS = ["gpt-4o", "gpt-4", "gpt-3.5-turbo-0301", "openai/gpt-4o", "claude-2.1"]
texts = st.one_of(
    st.text(max_size=40), st.sampled_from(["", "Hello " * 900, "\ud800", "a\ud83d\ude00b", "<|endoftext|>"])
)
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "system", "assistant"]), "content": st.none() | texts},
        optional={
            "name": texts,
            "tool_calls": st.just([{"id": "1", "type": "function", "function": {"arguments": "{}"}}]),
        },
    ),
    max_size=4,
)


@pytest.fixture(scope="module")
def candidate() -> BatchCountingCandidate:
    """A candidate for the installed LiteLLM."""
    return BatchCountingCandidate(counting, known.semantics)


def counted(candidate, *call):
    """What the candidate answers."""
    return candidate.run(candidate.prepare(call, {}), call, {})


@given(st.sampled_from(MODELS), st.lists(st.one_of(texts, messages), max_size=8))
@settings(max_examples=150, deadline=None)
def test_a_batch_is_its_single_calls(candidate, model, items):
    """Texts and message lists in any mixture have the counts of single calls, or the candidate declines."""
    try:
        answer = counted(candidate, model, items)
    except Declined:
        return
    assert counting.count_part(model, items) == answer


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_number_of_threads_counts_alike(candidate, threads):
    """Far more text than one thread is given."""
    items = [f"{index} and more, é 日本 " * (index % 50) for index in range(600)]
    items[::7] = [[{"role": "user", "content": item}] for item in items[::7]]
    plan = candidate.prepare(("gpt-4o", items), {})

    assert counting.count_part("gpt-4o", items) == native.count_batch(
        plan.counter, items, fixed_image_tokens=None, threads=threads
    )


def test_other_threads_run_meanwhile(candidate):
    """The interpreter is given up while texts are counted: somebody else changes the list, and the count goes on."""
    items = [[{"role": "user", "content": "word " * 750_000}], [{"role": "user", "content": "Hello"}]]
    expected = counting.count_part("gpt-4o", items)
    began, answers = threading.Event(), []

    def count():
        began.set()
        answers.append(counted(candidate, "gpt-4o", items))

    counter = threading.Thread(target=count)
    counter.start()
    began.wait(10)
    items[1][0]["content"] = b"Hello".decode()  # an equal text that is another object
    was_counting = counter.is_alive()
    counter.join(30)

    assert was_counting
    assert [expected] == answers


@pytest.mark.parametrize(
    "item", [None, 5, ["text"], [{"role": "user", "content": object()}], type("Text", (str,), {})("x"), [[]]]
)
def test_what_a_single_call_refuses_is_declined(candidate, item):
    """So that the error, if it is one, is LiteLLM's own."""
    with pytest.raises(Declined):
        counted(candidate, "gpt-4o", ["fine", item])


@pytest.mark.parametrize("call", [(), ("m",), ("m", [], 1)])
def test_other_parameters_are_declined(candidate, call):
    """The exception is the control's."""
    with pytest.raises(Declined, match="control_raises"):
        candidate.prepare(call, {})


def test_only_a_list_is_taken(candidate):
    """An iterator would be used up."""
    with pytest.raises(Declined, match="opaque_value"):
        candidate.prepare(("m", iter([])), {})


def test_a_switched_off_counter_counts_nothing(candidate, monkeypatch):
    """As a single call then does."""
    monkeypatch.setattr(litellm, "disable_token_counter", True)

    assert [0, 0] == counted(candidate, "gpt-4o", ["Hello", "you"]) == counting.count_part("gpt-4o", ["Hello", "you"])


@pytest.mark.parametrize(
    "place", [(litellm, "token_counter"), (litellm.utils, "token_counter"), (counting, "count_tokens")]
)
def test_a_patched_reference_is_declined(candidate, monkeypatch, place):
    """Somebody who replaces what a single call goes through expects to see it used."""
    monkeypatch.setattr(*place, lambda **_: 7)
    with pytest.raises(Declined, match="reference_patched"):
        candidate.prepare(("gpt-4o", []), {})
