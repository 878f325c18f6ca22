"""The generator that `AsyncStream.__aiter__` makes, out of the event loop's sight: the same in every other respect."""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import sys
from typing import Any, AsyncIterator, List

import pytest

import fast_litellm
from fast_litellm.accel.candidates import stream_iteration
from fast_litellm.accel.candidates.stream_iteration import StreamIterationCandidate
from fast_litellm.errors import Declined

openai = pytest.importorskip("openai")
streaming = importlib.import_module("openai._streaming")

DECLINED = sys.version_info >= (3, 13)
THREE_ANSWERS = ({"python": 3, "rust": 0}, {"python_version": 3}) if DECLINED else ({"python": 0, "rust": 3}, {})


class Stream(streaming.AsyncStream):
    """A stream of the SDK whose items come from memory."""

    def __init__(self, *items: Any) -> None:
        self._items = items
        self._iterator = self.__stream__()

    async def __stream__(self) -> AsyncIterator[Any]:
        for item in self._items:
            if isinstance(item, Exception):
                raise item
            yield item


@pytest.fixture
def iterate() -> Any:
    """Makes a stream's generator as the candidate does, where it does."""
    if DECLINED:
        pytest.skip("this Python would warn; the tests that need no generator say that it declines")
    candidate = StreamIterationCandidate(streaming, "1")

    def made(stream: Any) -> Any:
        return candidate.run(candidate.prepare((stream,), {}), (stream,), {})

    return made


def control(stream: Any) -> Any:
    """Makes a stream's generator as the SDK does."""
    return vars(streaming.AsyncStream)["__aiter__"](stream)


async def first_items(iterate: Any, stream: Any) -> List[Any]:
    """Reads a stream as LiteLLM does: a new generator for each item."""
    items: List[Any] = []
    while True:
        async for item in iterate(stream):
            items.append(item)
            break
        else:
            return items


def told(iterate: Any, stream: Any) -> List[str]:
    """Which generators an event loop would have heard of, reading a stream so."""
    names: List[str] = []

    async def read() -> None:
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(lambda it: names.append(it.__qualname__), lambda _: None)
        try:
            await first_items(iterate, stream)
        finally:
            sys.set_asyncgen_hooks(*hooks)

    asyncio.run(read())
    return names


@pytest.mark.parametrize("items", [(), (1,), (1, 2, 3)])
def test_the_items_are_the_streams(iterate, items):
    """However often it is begun anew."""
    expected = asyncio.run(first_items(control, Stream(*items)))

    assert expected == asyncio.run(first_items(iterate, Stream(*items))) == list(items)


def test_no_loop_hears_of_the_generators(iterate):
    """It hears of the stream's own alone, and of each of the control's."""
    own = "Stream.__stream__"

    assert [own] == told(iterate, Stream(1, 2))
    assert ["AsyncStream.__aiter__", own, *["AsyncStream.__aiter__"] * 2] == told(control, Stream(1, 2))


def test_what_is_made_is_the_controls_own_kind(iterate):
    """Its class, its names and its code."""

    def seen(made: Any) -> List[Any]:
        return [type(made), made.__name__, made.__qualname__, made.ag_code, made.ag_running, made.ag_await]

    assert seen(control(Stream())) == seen(iterate(Stream()))


def test_hooks_are_as_they_were(iterate):
    """Whoever set them."""

    async def around() -> bool:
        before = sys.get_asyncgen_hooks()
        iterate(Stream())
        return before == sys.get_asyncgen_hooks() and before.firstiter is not None

    assert asyncio.run(around())


@pytest.mark.parametrize("make", [control, None])
def test_a_streams_error_reaches_its_reader(iterate, make):
    """The same object, after the items before it."""
    error = ValueError("cut off")

    async def read() -> List[Any]:
        generator = (make or iterate)(Stream(1, error))
        return [await generator.__anext__(), *await asyncio.gather(generator.__anext__(), return_exceptions=True)]

    assert [1, error] == asyncio.run(read())


@pytest.mark.parametrize("make", [control, None])
def test_it_can_be_closed_thrown_into_and_exhausted(iterate, make):
    """As any asynchronous generator."""

    async def use() -> List[Any]:
        make_one = make or iterate
        closed, thrown, empty = make_one(Stream(1)), make_one(Stream(1)), make_one(Stream())
        return [
            await closed.aclose(),
            await outcome(closed.__anext__()),
            await outcome(empty.__anext__()),
            await outcome(thrown.athrow(KeyError("thrown"))),
            await make_one(Stream(7)).asend(None),
        ]

    assert [None, "StopAsyncIteration()", "StopAsyncIteration()", "KeyError('thrown')", 7] == asyncio.run(use())


async def outcome(step: Any) -> Any:
    """What one step of a generator gives, or its exception in words."""
    try:
        return await step
    except Exception as error:
        return repr(error)


def test_generators_that_are_abandoned_leave_nothing_behind(iterate):
    """Neither a task nor a warning; pytest makes errors of those."""

    async def read() -> int:
        await first_items(iterate, Stream(*range(50)))
        gc.collect()
        return len(asyncio.all_tasks())

    assert 1 == asyncio.run(read())


def test_wrong_arguments_are_the_controls(iterate):
    """It raises for them."""
    candidate = StreamIterationCandidate(streaming, "1")

    with pytest.raises(Declined, match="control_raises"):
        candidate.prepare((), {})


def test_a_python_that_would_warn_is_declined(monkeypatch):
    """From 3.13 on an answer that nobody awaits is worth a warning."""
    monkeypatch.setattr(stream_iteration, "_WARNS_OF_UNAWAITED", sys.version_info[:2])

    with pytest.raises(Declined, match="python_version"):
        StreamIterationCandidate(streaming, "1").prepare((Stream(),), {})


def test_at_on_the_sdk_iterates_so_and_looks_as_before(tmp_path):
    """The seam is replaced in the class, is still an asynchronous generator function, and answers or is declined."""
    rules = tmp_path / "rollout.yaml"
    rules.write_text("version: 1\nflags: {stream_wrapping: {stage: on}}\n", encoding="utf-8")
    fast_litellm.install(rules)
    try:
        method = streaming.AsyncStream.__aiter__
        assert (True, "(self)") == (
            inspect.isasyncgenfunction(method),
            str(inspect.signature(method)).partition(" ")[0],
        )
        assert [1, 2] == asyncio.run(first_items(lambda it: it.__aiter__(), Stream(1, 2)))
        counted = fast_litellm.status()["features"]["stream_wrapping"]
        assert THREE_ANSWERS == (counted["served"], counted["declined"])
    finally:
        fast_litellm.uninstall()
