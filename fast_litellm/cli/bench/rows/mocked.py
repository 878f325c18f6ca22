"""What comparing every call costs a whole request of LiteLLM, whose answer is made up so that nobody is waited for."""

from __future__ import annotations

import asyncio
import functools
import json
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from random import Random
from types import ModuleType
from typing import TYPE_CHECKING, Any, Callable

import fast_litellm
from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement
from fast_litellm.cli.demo import texts
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FEATURES = ("token_counting", "request_transform", "secret_redaction")
_SHADOW = {"stage": "shadow", "shadow": {"percent": 100, "budget": "100%"}}
_GOAL = Goal(Measure.COST, 1.01)
_CALLS = 64
_DRAIN_S = 30.0
_LOOK_S = 0.001


class _Sides:
    """LiteLLM as it is and LiteLLM at the seams, in one process: the places where the two differ."""

    def __init__(self, before: dict[str, dict[str, Any]]) -> None:
        self._places = [
            (namespace, name, before[module][name], value)
            for module, namespace in _namespaces().items()
            for name, value in list(namespace.items())
            if name in before.get(module, ()) and before[module][name] is not value
        ]
        self._is_ours = True

    def call(self, function: Callable[[], Any], *, ours: bool) -> Any:
        """Calls a function on one side; staying there costs one comparison."""
        if ours is not self._is_ours:
            for namespace, name, theirs, replacement in self._places:
                namespace[name] = replacement if ours else theirs
            self._is_ours = ours
        return function()


def rows() -> Iterator[Row]:
    """
    Yields:
        A request with a made-up answer, awaited or not, at 100 % shadow against LiteLLM alone.
    """
    litellm = import_litellm()
    with tempfile.TemporaryDirectory(prefix="fast-litellm-bench-") as directory:
        file = Path(directory) / "rollout.yaml"
        file.write_text(json.dumps({"version": 1, "flags": dict.fromkeys(_FEATURES, _SHADOW)}), encoding="utf-8")
        before = {name: dict(namespace) for name, namespace in _namespaces().items()}
        fast_litellm.install(file)
        try:
            yield from _requests(litellm, _Sides(before))
        finally:
            fast_litellm.uninstall()


def _requests(litellm: Any, sides: _Sides) -> Iterator[Row]:
    question = texts.prose(Random(1), 3)  # noqa: S311 - two runs ask the same
    messages = [{"role": "user", "content": question}]
    request = {"model": "gpt-4o", "messages": messages, "mock_response": "It is sunny."}
    with closing(asyncio.new_event_loop()) as loop:
        ways = {
            "mock request": lambda: litellm.completion(**request),
            "mock request, awaited": lambda: loop.run_until_complete(litellm.acompletion(**request)),
        }
        for name, call in ways.items():
            ours, theirs = (functools.partial(sides.call, call, ours=side) for side in (True, False))
            yield Row(
                f"{name}, compared",
                theirs=Statement("call()", {"call": theirs}),
                ours=Statement("call()", {"call": ours}),
                goal=_GOAL,
                difference=functools.partial(_difference, ours, theirs),
                items=_drained,
                most_calls=_CALLS,
                # LiteLLM runs what is awaited on a thread of its own.
                is_wall_time="awaited" in name,
            )
        sides.call(lambda: None, ours=True)


def _namespaces() -> dict[str, dict[str, Any]]:
    modules = list(sys.modules.items())
    return {name: vars(module) for name, module in modules if isinstance(module, ModuleType)}


def _drained(count: int) -> Iterable[object]:
    deadline = time.monotonic() + _DRAIN_S
    while _counted("in_flight") and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    return [None] * count


def _counted(word: str) -> int:
    features: dict[str, dict[str, Any]] = fast_litellm.status()["features"]
    return sum(features[name][word] for name in _FEATURES if name in features)


def _difference(ours: Callable[[], Any], theirs: Callable[[], Any]) -> str:
    before = _counted("compared")
    if ours().usage != theirs().usage:
        return "the answers differ"
    _drained(0)
    if _counted("diverged"):
        return "the candidates differ"
    return "" if _counted("compared") > before else "nothing was compared, so there is nothing to time"
