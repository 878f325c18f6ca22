"""The dispatcher of one flag with its counters."""

from __future__ import annotations

import inspect
from unittest import mock

import pytest
import structlog

from fast_litellm import events
from fast_litellm.accel.evidence import Evidence
from fast_litellm.accel.feature import Feature, Pair
from fast_litellm.flags import FlagManager
from fast_litellm.shadow import FunctionCandidate, comparators

RULES = {"version": 1, "flags": {"feature": {"stage": "on"}}}


def control(text: str, *, times: int = 2) -> str:
    """Repeats a text."""
    return text * times


def failing(text: str, *, times: int = 2) -> str:
    raise ValueError("secret")


def made(candidate=failing) -> Feature:
    """A feature that serves its candidate."""
    pair = Pair(control, FunctionCandidate(candidate), comparators.exact, "reference", effect_free=True)
    feature = Feature("feature", pair)
    manager = FlagManager.from_dict(RULES)
    feature.connect(manager, Evidence("sqlite:///ledger.db").runner(feature, manager, dict))
    return feature


def test_logging_that_raises_does_not_reach_the_caller_of_a_failing_candidate():
    """The control answers, the failure is counted, and so is the event that could not be logged."""

    def broken(*_arguments):
        raise OSError("no space left on device")

    feature = made()
    before = events.lost["OSError"]
    structlog.configure(processors=[broken])

    assert "abab" == feature.dispatcher("ab")
    assert ({"ValueError": 1}, before + 1) == (feature.tally.reading()["failed"], events.lost["OSError"])
    feature.disconnect()


def test_a_dispatcher_shows_the_code_and_defaults_of_its_function():
    """Tools that read a function's code and defaults find the control's."""
    dispatcher = made().dispatcher

    assert (control.__code__, control.__defaults__, {"times": 2}) == (
        dispatcher.__code__,
        dispatcher.__defaults__,
        dispatcher.__kwdefaults__,
    )


def test_a_mock_made_after_a_dispatcher_takes_the_functions_arguments():
    """`autospec` refuses what the function would refuse."""
    mocked = mock.create_autospec(made().dispatcher, return_value="x")
    with pytest.raises(TypeError, match="nonsense"):
        mocked("ab", nonsense=1)

    assert "x" == mocked("ab", times=3)
    assert inspect.signature(control) == inspect.signature(mocked)


class Owner:
    """Has a method that is dispatched."""

    def method(self, text: str) -> str:
        return text


def test_a_mock_made_after_a_class_with_a_dispatched_method_takes_the_methods_arguments(monkeypatch):
    """Its instances pass themselves."""
    pair = Pair(Owner.method, FunctionCandidate(failing), comparators.exact, "reference", effect_free=True)
    monkeypatch.setattr(Owner, "method", Feature("feature", pair).dispatcher)
    mocked = mock.create_autospec(Owner, instance=True)
    mocked.method.return_value = "x"

    assert "x" == mocked.method("ab")
    with pytest.raises(TypeError, match="too many"):
        mocked.method("ab", "cd")


def test_connecting_again_closes_the_runner_before():
    """Two runners would compare on two threads, and the first would never end."""
    feature = made()
    first = feature.runner
    manager = FlagManager.from_dict(RULES)
    feature.connect(manager, Evidence("sqlite:///ledger.db").runner(feature, manager, dict))

    assert ("shutdown", None) == (first._worker.refusal(), feature.runner._worker.refusal())
    feature.disconnect()
