"""The account that LiteLLM 1.109 and later keep of what a stream has said: the same account, or declined."""

from __future__ import annotations

import copy
import inspect
from types import SimpleNamespace
from typing import Any, Dict, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.accel.candidates.stream_deltas import NAME, StreamDeltasCandidate
from fast_litellm.errors import Declined

pytest.importorskip("litellm")
handler = pytest.importorskip("litellm.litellm_core_utils.streaming_handler")
types = pytest.importorskip("litellm.types.utils")
_CONTROL = vars(handler.CustomStreamWrapper).get(NAME.rpartition(".")[2])
pytestmark = pytest.mark.skipif(_CONTROL is None, reason="this LiteLLM keeps no such account")
CALL = {"index": 0, "id": "1", "function": {"name": "f", "arguments": "{}"}}


@pytest.fixture(scope="module")
def candidate() -> StreamDeltasCandidate:
    """A candidate for the installed LiteLLM."""
    return StreamDeltasCandidate(handler, "1")


def wrapper(*, emitted: bool = False, said: Any = "so far ", cls: Any = handler.CustomStreamWrapper) -> Any:
    """A stream's wrapper, as far as the account goes."""
    made = object.__new__(cls)
    vars(made).update(response_uptil_now=said, _emitted_disqualifying_content=emitted)
    return made


class Truth:
    """Answers for itself."""

    def __bool__(self) -> bool:
        return True


class Heir(types.Delta):
    """A class of somebody's own."""


def delta(cls: Any = types.Delta, parts: Any = None, **fields: Any) -> Any:
    """What is new in a choice."""
    made = cls(**fields)
    for name, value in (parts or {}).items():
        object.__setattr__(made, name, value)
    return made


PLAIN: Dict[str, Any] = {
    "text": lambda: delta(content="text"),
    "no text": delta,
    "empty text": lambda: delta(content="", role="assistant"),
    "a call": lambda: delta(tool_calls=[CALL]),
    "no calls": lambda: delta(content="text", tool_calls=[]),
    "thoughts": lambda: delta(reasoning_content="hm"),
    "no thoughts": lambda: delta(content="text", reasoning_content=""),
    "blocks": lambda: delta(thinking_blocks=[{"type": "thinking", "thinking": "hm"}]),
    "images": lambda: delta(images=[{"type": "image_url", "image_url": {"url": "x"}}]),
    "annotations": lambda: delta(annotations=[]),
    "sound": lambda: delta(content="text", audio={"id": "1"}),
}
ODD: Dict[str, Any] = {
    "an old call": lambda: delta(function_call={"name": "f", "arguments": "{}"}),
    "a number for a text": lambda: delta(content=7),
    "a value with a truth of its own": lambda: delta(content="text", audio=Truth()),
    "somebody's own class": lambda: delta(Heir, content="text"),
    "another way to get": lambda: delta(parts={"get": lambda _: "other"}),
    "no extras": lambda: delta(parts={"__pydantic_extra__": None}),
    "a dict": lambda: {"content": "text"},
    "a namespace": lambda: SimpleNamespace(content="text"),
    "nothing": lambda: None,
}


def accounts(keep: Any, make: Any, **settings: Any) -> Tuple[Any, Any]:
    """What comes of it, and the wrapper's account afterwards."""
    stream, new = wrapper(**settings), make()
    before = copy.deepcopy(new) if isinstance(new, types.Delta) else new
    try:
        result: Tuple[Any, ...] = ("value", keep(stream, new))
    except TypeError as error:
        result = (type(error), str(error))
    assert before == new
    return result, vars(stream)


def by(candidate: StreamDeltasCandidate) -> Any:
    """The candidate as a function."""

    def keep(*args: Any) -> Any:
        return candidate.run(candidate.prepare(args, {}), args, {})

    return keep


def declined(candidate: StreamDeltasCandidate, *args: Any, **kwargs: Any) -> str:
    """Why a call is declined; "" if it is not."""
    try:
        candidate.prepare(args, kwargs)
    except Declined as refusal:
        return refusal.reason
    return ""


@pytest.mark.parametrize("emitted", [False, True])
@pytest.mark.parametrize("what", PLAIN)
def test_the_account_is_the_same(candidate, what, emitted):
    """Whatever is new, and whether there has been something else than text before."""
    expected = accounts(inspect.unwrap(_CONTROL), PLAIN[what], emitted=emitted)

    assert expected == accounts(by(candidate), PLAIN[what], emitted=emitted)


@given(st.lists(st.sampled_from(list(PLAIN)), max_size=20))
def test_the_account_of_a_stream_is_the_same(candidate, whats):
    """The text in its order, and that there was something else from then on."""
    streams = [wrapper(), wrapper()]
    for what in whats:
        inspect.unwrap(_CONTROL)(streams[0], PLAIN[what]())
        by(candidate)(streams[1], PLAIN[what]())

    assert vars(streams[0]) == vars(streams[1])


@pytest.mark.parametrize("what", ODD)
def test_what_cannot_be_told_is_declined(candidate, what):
    """Before anything is done."""
    stream = wrapper()

    assert "opaque_value" == declined(candidate, stream, ODD[what]())
    assert vars(wrapper()) == vars(stream)


def test_an_account_that_is_no_text_fails_alike(candidate):
    """With LiteLLM's own exception."""
    expected = accounts(inspect.unwrap(_CONTROL), PLAIN["text"], said=7)

    assert expected == accounts(by(candidate), PLAIN["text"], said=7)


def test_wrappers_of_another_kind_are_declined(candidate):
    """Somebody's own class, or one with a method of its own; and other arguments."""

    class Own(handler.CustomStreamWrapper):
        def __del__(self) -> None:
            pass

    odd = wrapper()
    odd._delta_disqualifies_continuation = lambda _: True
    reasons = [declined(candidate, it, delta()) for it in (wrapper(cls=Own), odd)]

    assert ["reference_patched", "reference_patched", "control_raises"] == [*reasons, declined(candidate, wrapper())]


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (types.Delta, "get"),
        (types.Delta, "__getattr__"),
        (types.Delta, "content"),
        (types.Delta, "audio"),
        (handler.CustomStreamWrapper, "_delta_disqualifies_continuation"),
        (handler.CustomStreamWrapper, "_CONTINUATION_DISQUALIFYING_DELTA_FIELDS"),
    ],
)
def test_what_somebody_has_replaced_is_asked_by_the_control(candidate, monkeypatch, owner, name):
    """And once it is put back the candidate answers again."""
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, lambda *_: None, raising=False)
        during = declined(candidate, wrapper(), delta(content="text"))

    assert ("reference_patched", "") == (during, declined(candidate, wrapper(), delta(content="text")))
