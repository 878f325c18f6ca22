"""Where an exception came from."""

from __future__ import annotations

import json

import pytest

from fast_litellm.shadow.frames import innermost_function


def outer():
    """Calls what raises."""
    inner()


def inner():
    """Raises."""
    raise ValueError("secret")


def caught(function):
    """What it raised, as the one who caught it has it."""
    try:
        function()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def parse():
    """Fails in the standard library."""
    json.loads("secret")


@pytest.mark.parametrize(("function", "name"), [(outer, "inner"), (inner, "inner"), (parse, "raw_decode")])
def test_it_is_the_innermost_function(function, name):
    """What raised, not what called it."""
    assert name == innermost_function(caught(function)).rpartition(".")[2]


def test_native_code_has_no_frame():
    """The one who caught it is no answer."""
    assert "" == innermost_function(_raised_by_native_code())


def _raised_by_native_code():
    try:
        int("secret")
    except ValueError as error:
        return error


def test_an_exception_that_was_never_raised_has_none():
    """There is nothing to read."""
    assert "" == innermost_function(ValueError("secret"))


def test_a_name_that_is_no_name_is_not_shown():
    """A function can be renamed to anything, content included."""

    def fail():
        raise ValueError

    fail.__code__ = fail.__code__.replace(co_name="what the user said", **_qualname("what the user said"))
    assert "" == innermost_function(caught(fail))


def _qualname(name):
    return {"co_qualname": name} if hasattr(inner.__code__, "co_qualname") else {}
