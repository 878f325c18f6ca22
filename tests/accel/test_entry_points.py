"""LiteLLM's entry points carry the context of a call."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import pickle

import pytest

from fast_litellm.accel import entry_points, patching
from fast_litellm.accel.context import CallContext, current

litellm = pytest.importorskip("litellm")


@pytest.fixture
def wrapped():
    """LiteLLM with its entry points wrapped, and put back afterwards."""
    for module in entry_points.ROUTERS:  # some are imported with the first router only
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    patches = entry_points.patches()
    patching.apply(patches)
    yield patches
    patching.restore(patches)


def scoped(function, *args, **kwargs):
    return entry_points._scoped(function, first_argument=0)(*args, **kwargs)


def test_a_call_carries_its_id_user_team_and_model():
    """What LiteLLM's arguments say becomes the unit and the attributes."""
    context = scoped(
        lambda *_args, **_kwargs: current.get(),
        "gpt-4o",
        litellm_call_id="call-1",
        user="user-1",
        metadata={"user_api_key_team_id": "team-1"},
    )

    expected = {"call_id": "call-1", "model": "gpt-4o", "user": "user-1", "team": "team-1"}
    assert CallContext("call-1", expected) == context


def test_an_inner_call_keeps_the_outer_unit():
    """A Router call and the SDK call inside it are one unit."""

    def outer(**_kwargs):
        return current.get().unit, scoped(lambda **_inner: current.get().unit, model="gpt-4")

    first, second = scoped(outer, model="group")

    assert first == second


def test_two_calls_without_an_id_are_two_units():
    """A fresh id is made for each outermost call."""
    first, second = (scoped(lambda **_kwargs: current.get().unit, model="gpt-4") for _ in range(2))

    assert first != second


def test_the_scope_ends_with_the_call():
    """Nothing is left behind, neither after an answer nor after an exception."""

    def raising(**_kwargs):
        raise LookupError

    scoped(lambda **_kwargs: None, model="gpt-4")
    with pytest.raises(LookupError):
        scoped(raising, model="gpt-4")

    assert current.get().unit is None


@pytest.mark.parametrize("user", [7, object(), {"a": 1}, "", None])
def test_odd_arguments_are_no_facts(user):
    """Values that are not non-empty strings are left out, and nothing raises."""
    context = scoped(lambda **_kwargs: current.get(), model=user, user=user, metadata=user)

    assert {"call_id"} == set(context.attributes)


def test_an_asynchronous_entry_point_stays_one():
    """The wrapper of a coroutine function is a coroutine function and keeps the context across awaits."""

    async def entry(**_kwargs):
        await asyncio.sleep(0)
        return current.get().unit

    wrapper = entry_points._scoped(entry, first_argument=0)

    assert inspect.iscoroutinefunction(wrapper)
    assert "call-1" == asyncio.run(wrapper(litellm_call_id="call-1"))


@pytest.mark.parametrize("name", ["completion", "acompletion", "embedding", "text_completion", "stream_chunk_builder"])
def test_wrapped_entry_points_look_like_the_originals(wrapped, name):
    """Signature, name, coroutine nature and pickling by reference are unchanged."""
    original = next(patch.original for patch in wrapped if patch.original.__name__ == name and patch.owner is None)
    replacement = getattr(litellm, name)

    assert original is not replacement
    assert inspect.signature(original) == inspect.signature(replacement)
    assert inspect.iscoroutinefunction(original) == inspect.iscoroutinefunction(replacement)
    assert replacement is pickle.loads(pickle.dumps(replacement))


@pytest.mark.parametrize("name", entry_points.ROUTER_METHODS)
def test_a_wrapped_method_of_the_router_tells_its_arguments(wrapped, name):
    """Also to those who do not follow `__wrapped__`."""
    original, replacement = next((it.original, it.replacement) for it in wrapped if it.owner and it.name == name)

    assert inspect.getfullargspec(original) == inspect.getfullargspec(replacement)
    assert (original.__defaults__, original.__kwdefaults__) == (replacement.__defaults__, replacement.__kwdefaults__)


def test_a_router_call_is_one_unit(wrapped, monkeypatch):
    """The Router's method opens the scope, the SDK call inside keeps its unit, and the class is the same class."""
    seen = []
    monkeypatch.setattr(litellm, "input_callback", [lambda _details: seen.append(current.get())])
    router = litellm.Router(
        model_list=[
            {"model_name": "group", "litellm_params": {"model": "gpt-4o", "api_key": "x", "mock_response": "ok"}}
        ]
    )
    router.completion(model="group", messages=[{"role": "user", "content": "hi"}], user="user-1")

    assert type(router) is litellm.Router
    assert [("user-1", True)] == [(context.attributes["user"], context.unit is not None) for context in seen]


def test_the_attempts_of_a_router_call_are_one_unit(wrapped, monkeypatch):
    """A call that is tried again is not moved to another side, whoever drives the attempts."""
    units = []

    def failing(**_request):
        units.append(current.get().unit)
        raise litellm.InternalServerError("not now", "openai", "gpt-4o")

    monkeypatch.setattr(litellm, "completion", failing)
    target = {"model": "gpt-4o", "api_key": "x"}
    router = litellm.Router([{"model_name": "group", "litellm_params": target}], num_retries=2, retry_after=0)
    with pytest.raises(litellm.InternalServerError):
        router.completion(model="group", messages=[{"role": "user", "content": "hi"}], litellm_call_id="call-1")

    assert ["call-1"] * 3 == units


def test_a_mocked_completion_sees_the_context(wrapped, monkeypatch):
    """A real call through LiteLLM runs inside the scope of its entry point."""
    seen = []
    monkeypatch.setattr(litellm, "success_callback", [])
    monkeypatch.setattr(litellm, "input_callback", [lambda _details: seen.append(current.get())])
    litellm.completion(
        model="gpt-4o", messages=[{"role": "user", "content": "hi"}], mock_response="ok", litellm_call_id="call-9"
    )

    assert ["call-9"] == [context.unit for context in seen]


def test_the_context_returns_when_a_stream_ends(wrapped):
    """A stream is read after its entry point returned, and its final count still has the call's unit."""
    stream = litellm.completion(
        model="gpt-4o",
        messages=[{"role": "user", "content": "hi"}],
        mock_response="hello there",
        stream=True,
        litellm_call_id="call-7",
    )
    builder = entry_points._resuming(lambda **_kwargs: current.get().unit)

    assert ("call-7", None) == (builder(logging_obj=stream.logging_obj), builder(logging_obj=None))
