"""What standing at a seam costs the caller, over calling the function itself."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from fast_litellm.accel.feature import Feature, Pair
from fast_litellm.cli import console
from fast_litellm.cli.bench import stages
from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement
from fast_litellm.cli.demo import texts
from fast_litellm.cli.reference import import_litellm
from fast_litellm.flags import FlagManager
from fast_litellm.shadow import Budget, Experiment, FunctionCandidate, ShadowRunner, comparators

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What waits for its comparison must find room: beyond it calls are shed, which is cheaper and not what is measured.
_QUEUE = 2_000
_DRAIN_S = 30.0
_SAMPLE = 64

_SAMPLED_OUT = 0.0001  # percent, the smallest there is
_WHOLE = 100


def rows() -> Iterator[Row]:
    """
    Yields:
        The seam at off, a call that is sampled out, and a call that is compared, small and large; also beside
        laboratory, a port of scientist, which runs the candidate on the caller's path.
    """
    yield _off()
    with _seam("sampled_out", _SAMPLED_OUT) as (feature, _):
        yield _row("dispatch, sampled out", feature, "user-1", 60)
    with _seam("compared", _WHOLE) as (feature, runner):
        yield _row("compared call, one word", feature, "user-1", 1_000, runner)
        yield _row("compared call, 20 messages", feature, _chat(), 5_000, runner)
        yield from _beside_laboratory(feature, runner)


def _off() -> Row:
    litellm = import_litellm()
    module = litellm.litellm_core_utils.token_counter
    control = module.token_counter
    with stages.installed({"token_counting": {"stage": "off"}}):
        at_seam = module.token_counter
    call = "count(model='gpt-4o', text='Hello')"
    return Row(
        "token counting at off",
        theirs=Statement(call, {"count": control}),
        ours=Statement(call, {"count": at_seam}),
        goal=Goal(Measure.COST, 1.05),
        difference=lambda: "" if at_seam is control else "the function at the seam is not the original object",
    )


def _control(_value: object) -> int:
    return 13


def _beside_laboratory(feature: Feature, runner: ShadowRunner) -> Iterator[Row]:
    try:
        laboratory = importlib.import_module("laboratory")
    except ImportError:
        console.say("laboratory is not installed: pip install 'fast-litellm[bench]' has it raced, too")
        return
    experiment = laboratory.Experiment.decorator(_control)(_control)
    for name, value in {"one word": "user-1", "20 messages": _chat()}.items():
        ours = _row(f"laboratory, {name}", feature, value, 0, runner)
        theirs = Statement("call(item)", {"call": experiment})
        yield replace(ours, theirs=theirs, goal=Goal(Measure.SPEEDUP, 1))


@contextmanager
def _seam(name: str, percent: float) -> Iterator[tuple[Feature, ShadowRunner]]:
    """A seam that compares so many percent of its calls, around a function that does nothing."""
    manager = FlagManager.from_dict(
        {"version": 1, "flags": {name: {"stage": "shadow", "shadow": {"percent": percent, "budget": "100%"}}}}
    )
    candidate = FunctionCandidate(_control)
    feature = Feature(name, Pair(_control, candidate, comparators.exact, "bench", effect_free=True))
    experiment = Experiment(name, _control, candidate, comparators.exact)
    runner = ShadowRunner(experiment, tally=feature.tally, budget=Budget(1))
    feature.connect(manager, runner)
    try:
        yield feature, runner
    finally:
        feature.disconnect()


def _row(name: str, feature: Feature, value: Any, goal_ns: float, runner: ShadowRunner | None = None) -> Row:
    def drained(count: int) -> Iterable[object]:
        if runner is not None:
            runner.drain(_DRAIN_S)
        return [value] * count

    return Row(
        name,
        theirs=Statement("call(item)", {"call": _control}),
        ours=Statement("call(item)", {"call": feature.dispatcher}),
        goal=Goal(Measure.ADDED_NS, goal_ns),
        difference=lambda: _difference(feature, value, runner),
        items=drained,
        most_calls=_QUEUE if runner is not None else None,
    )


def _difference(feature: Feature, value: Any, runner: ShadowRunner | None) -> str:
    way = "compared" if runner is not None else "sampled_out"
    before = _counted(feature, way, runner)
    if [feature.dispatcher(value) for _ in range(_SAMPLE)] != [_control(value)] * _SAMPLE:
        return "the seam does not answer as its control"
    counted = _counted(feature, way, runner) - before
    return "" if counted == _SAMPLE else f"{counted} of {_SAMPLE} calls were {way}"


def _counted(feature: Feature, way: str, runner: ShadowRunner | None) -> int:
    if runner is not None:
        runner.drain(_DRAIN_S)
    counted: int = feature.tally.reading()[way]
    return counted


def _chat() -> list[dict[str, str]]:
    random = Random(1)  # noqa: S311 - two runs measure the same chat
    return [{"role": ("user", "assistant")[turn % 2], "content": texts.prose(random, 3)} for turn in range(20)]
