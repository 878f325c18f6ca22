"""Exceptions that come from somewhere else than the code they come out of."""

from __future__ import annotations

import binascii
import contextlib
import functools
import signal
from unittest import mock

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


@contextlib.contextmanager
def span():
    """As tracing libraries have one, which decorates functions of all kinds."""
    yield


HANDLERS = {
    "a function": raise_late,
    "a method": Handler().method,
    "an object": Handler(),
    "an heir": Heir(),
    "a partial": functools.partial(functools.partial(raise_late, 1), 2),
    "one with a memory": functools.lru_cache(raise_late),
    "one that calls another": lambda *_: raise_late(),
    "one with names for what it gets": lambda number, frame: raise_late(),
    "a decorated one": span()(raise_late),
    "a mock": mock.Mock(side_effect=LateError),
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


@span()
def defective(*_):
    raise ValueError("its own defect")


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL, print, raise_late, span()(print), defective])
def test_what_no_handler_raises_is_not(handler):
    """Also where the same function, or one with the same decorator, is called by somebody else."""
    with handled(handler):
        assert not is_from_elsewhere(raised(raise_late))
        assert not is_from_elsewhere(raised(defective, 1))


@pytest.mark.parametrize("error", [LateError, TimeoutError])
def test_what_the_package_never_raises_was_set_by_another_thread(error):
    """A killed thread stands anywhere."""
    assert is_from_elsewhere(raised(of_the_package("raise error", error=error)))


OWN = ["1 / 0", "{}['missing']", "None.missing", "raise RecursionError", "open('/')", "raise LateError('with a word')"]


@pytest.mark.parametrize("statement", OWN)
def test_what_the_package_may_raise_is_its_own_failure(statement):
    """Nor is it the program's when it comes out of what the package has called, be that written in Python or not."""
    assert not is_from_elsewhere(raised(of_the_package(statement, LateError=LateError)))
    assert not is_from_elsewhere(raised(of_the_package("late()", late=raise_late)))
    assert not is_from_elsewhere(raised(of_the_package("native('x')", native=binascii.unhexlify)))


def test_where_it_was_raised_may_be_told():
    """An exception that is on its way need not hold its traceback yet."""
    with handled(raise_late):
        error = raised(signal.raise_signal, signal.SIGTERM)
    way, error.__traceback__ = error.__traceback__, None

    assert [False, True] == [is_from_elsewhere(error), is_from_elsewhere(error, way)]


def test_classes_that_tell_by_themselves_are_not_asked_about():
    """Nor is one that has not been raised."""
    assert not is_from_elsewhere(raised(of_the_package("raise KeyboardInterrupt")))
    assert not is_from_elsewhere(LateError())
