"""Coroutine functions that serve: what the dispatcher does for plain functions, done while awaiting."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import itertools
import json
import weakref

import pytest

import fast_litellm
from fast_litellm.accel import installation, own_pairs
from fast_litellm.errors import Declined

NUMBERS = itertools.count()
Panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})
SIGNALS = [SystemExit(1), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError()]


@pytest.fixture(autouse=True)
def clean(tmp_path, monkeypatch):
    """Pairs declared by a test are forgotten after it."""
    monkeypatch.setenv("FAST_LITELLM_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setattr(own_pairs, "_declared", {})
    yield
    fast_litellm.uninstall()


class Pair:
    """A control and a candidate that do what they are told, and what their caller sees."""

    def __init__(self, name, path, *, effect_free=True, **rule):
        self.name = name
        self.control_error = self.candidate_error = self.answer = None
        self.value, self.other = ["the control's"], ["the candidate's"]
        seam = fast_litellm.seam(name, candidate=self.candidate, effect_free=effect_free)
        self.function = seam(self.control)
        path.write_text(json.dumps({"version": 1, "flags": {name: {"stage": "on", **rule}}}), encoding="utf-8")
        fast_litellm.install(path)

    async def control(self):
        await asyncio.sleep(0)
        if self.control_error is not None:
            raise self.control_error
        return self.value if self.answer is None else self.answer()

    async def candidate(self):
        await asyncio.sleep(0)
        if self.candidate_error is not None:
            raise self.candidate_error
        return self.other if self.answer is None else self.answer()

    def call(self):
        """What is returned or raised."""
        try:
            return asyncio.run(self.function())
        except BaseException as error:
            return error

    def status(self):
        return fast_litellm.status()["features"][self.name]

    @property
    def feature(self):
        return installation._current._pairs[self.name]


@pytest.fixture
def make_pair(tmp_path):
    """Makes pairs whose counters are the test's own: a flag goes on counting for as long as the process lives."""
    return lambda **options: Pair(f"awaited_{next(NUMBERS)}", tmp_path / "rollout.yaml", **options)


@pytest.mark.parametrize("error", [ValueError("x"), RecursionError(), MemoryError(), Panic("x")], ids=repr)
def test_the_control_answers_for_a_candidate_that_fails(make_pair, error):
    """Its own object, and nothing of the failure hangs on it; the failure is counted by its class."""
    pair = make_pair()
    pair.candidate_error = error
    assert pair.call() is pair.value
    assert {type(error).__name__: 1} == pair.status()["failed"]
    pair.control_error = KeyError("the control's")
    assert pair.call() is pair.control_error
    assert (None, None) == (pair.control_error.__context__, pair.control_error.__cause__)


class Held:
    """What the frame of a candidate that failed holds."""


def _drive(coroutine) -> None:
    """Without a task, which would hold what is raised."""
    while True:
        coroutine.send(None)


@pytest.mark.parametrize("effect_free", [True, False])
def test_what_a_candidate_raised_is_let_go_of(make_pair, effect_free):
    """With all that its frames hold, and not by the collector alone."""
    pair = make_pair(effect_free=effect_free)
    freed: list = []

    def fail() -> None:
        held = Held()
        weakref.finalize(held, freed.append, 1)
        raise ValueError

    pair.answer = fail
    gc.collect()
    gc.disable()
    try:
        with contextlib.suppress(ValueError):
            _drive(pair.function())
    finally:
        gc.enable()

    assert ([1] * (1 + effect_free), {"ValueError": 1} if effect_free else {}) == (freed, pair.status()["failed"])


@pytest.mark.parametrize("error", SIGNALS, ids=repr)
def test_a_signal_is_the_programs(make_pair, error):
    """No control is started for a caller that is to end."""
    pair = make_pair()
    pair.candidate_error = error
    raised = pair.call()  # Python 3.10 makes another CancelledError of the one that it is given
    assert type(error) is type(raised) or isinstance(error, GeneratorExit)
    is_the_callers = isinstance(error, (asyncio.CancelledError, GeneratorExit))
    assert ({} if is_the_callers else {type(error).__name__: 1}) == pair.status()["failed"]


def test_what_a_signals_handler_raises_is_the_programs(make_pair, late):
    """Its time limit would be lost if the control answered."""
    pair = make_pair()
    pair.answer = late

    assert (late.error, {"LateError": 1}) == (type(pair.call()), pair.status()["failed"])


def test_a_cancelled_caller_is_cancelled(make_pair):
    """While its candidate waits."""
    pair = make_pair()

    async def main():
        task = asyncio.create_task(pair.function())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return task.cancelled()

    assert asyncio.run(main())
    assert {} == pair.status()["failed"]


def test_a_reason_is_counted(make_pair):
    """A candidate may decline while it is awaited."""
    pair = make_pair()
    pair.candidate_error = Declined("too_long")
    assert pair.call() is pair.value
    assert {"too_long": 1} == pair.status()["declined"]


def test_what_has_effects_is_not_repeated(make_pair):
    """The caller gets what the candidate raised, the same object."""
    pair = make_pair(effect_free=False)
    pair.candidate_error = ValueError("x")
    assert pair.call() is pair.candidate_error
    assert ({"python": 0, "rust": 1}, {}) == (pair.status()["served"], pair.status()["failed"])


@pytest.mark.parametrize(("share", "compared"), [(1.0, 3), (0.0, 0)])
def test_served_calls_are_compared_afterwards(make_pair, share, compared):
    """The control is awaited later, off the caller's path, and compared with what was served."""
    pair = make_pair()
    pair.feature.trust(None, share)
    pair.other = ["the control's"]
    assert [pair.other] * 3 == [pair.call() for _ in range(3)]
    assert pair.feature.runner.drain(10)
    assert (compared, 0) == (pair.status()["matched"], pair.status()["diverged"])
    pair.other = ["wrong"]
    pair.call()
    assert pair.feature.runner.drain(10)
    assert (1 if share else 0) == pair.status()["diverged"]
    assert ("blocked" if share else "on") == pair.status()["stage"]


def test_the_control_of_a_served_call_sees_the_callers_context(make_pair):
    """Though it runs later and elsewhere."""
    pair = make_pair()
    pair.feature.trust(None, 1.0)
    tenant = contextvars.ContextVar("tenant", default="nobody")
    pair.answer = tenant.get

    def call():
        tenant.set("somebody")
        return pair.call()

    assert "somebody" == contextvars.copy_context().run(call)
    assert pair.feature.runner.drain(10)
    assert (1, 0) == (pair.status()["matched"], pair.status()["diverged"])


def test_a_served_call_that_fails_is_not_compared(make_pair):
    """It is counted as one that was not served."""
    pair = make_pair()
    pair.feature.trust(None, 1.0)
    pair.candidate_error = ValueError("x")
    assert pair.call() is pair.value
    assert {"not_served": 1} == pair.status()["shed"]


GUARD = {
    "min_calls": 20,
    "error_rate": {"max_over_python": "1%"},
    "on_breach": {"serve": "python", "hold": "300s", "retry_percent": 1, "scope": "process"},
}


def test_the_guard_sees_how_awaiting_ends(make_pair):
    """A candidate that fails is stopped, although making its coroutine never does."""
    pair = make_pair(guard=GUARD)
    pair.candidate_error = ValueError("x")
    assert [pair.value] * 100 == [pair.call() for _ in range(100)]
    assert "guard_tripped:error_rate" == installation._current.manager.standing(pair.name)["state"]
    assert pair.status()["failed"]["ValueError"] < 100


def test_the_guard_lets_a_candidate_be_that_fails_as_the_control_does(make_pair):
    """The same class of exception on both sides is no failure; nor is the short time in which a coroutine is made."""
    pair = make_pair(guard=GUARD)
    pair.candidate_error = pair.control_error = ValueError("x")
    for _ in range(100):
        assert pair.call() is pair.control_error
    assert "running" == installation._current.manager.standing(pair.name)["state"]
    assert 100 == pair.status()["failed"]["ValueError"]
    calls, errors, nanos = installation._current.manager.bind(pair.name).figures()[0]
    assert (100, 0, True) == (calls, errors, nanos > 0)
