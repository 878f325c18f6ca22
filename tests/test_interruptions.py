"""Exceptions that come from somewhere else than the code they come out of."""

from __future__ import annotations

import contextlib
import functools
import signal

import pytest

from fast_litellm.interruptions import is_from_elsewhere


class LateError(Exception):
    """What a program raises when its time is over."""


def raise_late(*_):
    raise LateError


class Handler:
    """Handlers of other kinds."""

    def method(self, *_):
        raise LateError

    def __call__(self, *_):
        raise LateError


class Heir(Handler):
    """Inherits how it is called."""


HANDLERS = {
    "a function": raise_late,
    "a method": Handler().method,
    "an object": Handler(),
    "an heir": Heir(),
    "a partial": functools.partial(functools.partial(raise_late, 1), 2),
    "one that calls another": lambda *_: raise_late(),
}


@contextlib.contextmanager
def handled(handler):
    """Has a handler for a signal for a while."""
    before = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def raised(function, *args):
    """What a function raises."""
    try:
        function(*args)
    except BaseException as error:
        return error
    raise AssertionError


def of_the_package(statement, **names):
    """A function that stands in a module of the package."""
    namespace = {"__name__": "fast_litellm.made_up", **names}
    exec(f"def function():\n    {statement}", namespace)
    return namespace["function"]


@pytest.mark.parametrize("kind", HANDLERS)
def test_what_a_signals_handler_raises_is_from_elsewhere(kind):
    """However it is written."""
    with handled(HANDLERS[kind]):
        assert is_from_elsewhere(raised(signal.raise_signal, signal.SIGTERM))


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL, signal.default_int_handler, print])
def test_what_no_handler_raises_is_not(handler):
    """Also where handlers are not written in Python, and where the same function is called by somebody else."""
    with handled(handler):
        assert not is_from_elsewhere(raised(raise_late))


@pytest.mark.parametrize("error", [LateError, TimeoutError])
def test_what_the_package_never_raises_was_set_by_another_thread(error):
    """A killed thread stands anywhere."""
    assert is_from_elsewhere(raised(of_the_package("raise error", error=error)))


@pytest.mark.parametrize("statement", ["1 / 0", "{}['missing']", "None.missing", "raise RecursionError", "open('/')"])
def test_what_the_package_may_raise_is_its_own_failure(statement):
    """Nor is it the program's when it comes out of what the package has called."""
    assert not is_from_elsewhere(raised(of_the_package(statement)))
    assert not is_from_elsewhere(raised(of_the_package("late()", late=raise_late)))


def test_classes_that_tell_by_themselves_are_not_asked_about():
    """Nor is one that has not been raised."""
    assert not is_from_elsewhere(raised(of_the_package("raise KeyboardInterrupt")))
    assert not is_from_elsewhere(LateError())
