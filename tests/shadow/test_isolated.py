"""The program of a worker process, without a process."""

from __future__ import annotations

import sys
import threading
from multiprocessing import Pipe

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.shadow.comparators import exact
from fast_litellm.shadow.isolated import NotPlainError, pack, serve, unpack

DEADLINE_S = 30
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
hashable = st.recursive(scalars, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=5)
plain = st.recursive(
    hashable,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(hashable, inner, max_size=4) | st.sets(hashable),
    max_leaves=20,
)


class Text(str):
    """A subclass, whose class would be lost."""


@given(plain)
def test_what_crosses_is_the_same_on_the_other_side(value):
    """Type by type, at any depth; NaN is NaN, and text may hold surrogates."""
    assert None is exact(value, unpack(pack(value)))


@given(st.text() | st.just("\ud800"))
def test_text_crosses_whatever_it_holds(text):
    """Half a surrogate pair included."""
    assert text == unpack(pack(text))


@pytest.mark.parametrize(
    "odd", [object(), bytearray(), memoryview(b""), Text("x"), int, pack, compile("1", "", "eval")]
)
@pytest.mark.parametrize("place", [lambda it: it, lambda it: [1, it], lambda it: ({"key": it},)])
def test_nothing_else_crosses(odd, place):
    """Anywhere in a value; the error has the type's name and nothing of the value."""
    with pytest.raises(NotPlainError) as caught:
        pack(place(odd))
    assert type(odd).__qualname__ == str(caught.value)


def test_what_holds_itself_is_walked_once():
    """A value that is its own element crosses as one."""
    value = [1]
    value.append(value)
    other = unpack(pack(value))
    assert (1, True) == (other[0], other[1] is other)


@pytest.fixture
def served():
    """Talks to the program, which runs on a thread here."""
    ours, theirs = Pipe()

    def run():
        with theirs, pytest.raises(EOFError):
            serve(theirs)

    thread = threading.Thread(target=run)
    path = list(sys.path)

    def ask(message):
        ours.send_bytes(pack(message))
        assert ours.poll(DEADLINE_S)
        return unpack(ours.recv_bytes())

    thread.start()
    yield ask
    ours.close()
    thread.join(DEADLINE_S)
    sys.path[:] = path


def test_calls_are_answered_one_after_the_other(served, monkeypatch):
    """Each with what was done, the arguments as they were left, and the processor time that it took."""
    monkeypatch.setattr("fast_litellm.shadow.isolated._set_alarm", lambda seconds: None)  # threads have none
    assert ("ready",) == served((sys.path, "operator:setitem", False, 1.0))
    word, value, args, kwargs, spent = served((None, ([1, 2], 0, "new"), {}))
    assert ("value", None, (["new", 2], 0, "new"), {}) == (word, value, args, kwargs)
    assert spent >= 0
    word, (module, name, text), *_ = served((None, ([], 5, 0), {}))
    assert ("raised", "builtins", "IndexError") == (word, module, name)
    assert "out of range" in text


def test_a_candidate_that_cannot_be_imported_is_said_so(monkeypatch):
    """And the program ends."""
    ours, theirs = Pipe()
    path = list(sys.path)
    ours.send_bytes(pack((sys.path, "no_such_module:anything", False, 1.0)))
    with theirs:
        serve(theirs)
    assert ("failed", "ModuleNotFoundError") == unpack(ours.recv_bytes())
    ours.close()
    sys.path[:] = path
