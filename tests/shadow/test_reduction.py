"""Making values smaller."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.shadow import reduction

SCALARS = st.none() | st.booleans() | st.integers(-1_000, 1_000) | st.text(max_size=20)
VALUES = st.recursive(SCALARS, lambda it: st.lists(it) | st.tuples(it, it) | st.dictionaries(st.text(max_size=3), it))


def test_only_what_matters_is_left():
    """One message, one character that matters, none of the options."""
    call = ((), {"model": "gpt", "messages": [{"role": "user", "content": f"some text {n}"} for n in range(9)]})
    call[1]["messages"][5]["content"] = "before and é after"

    def holds(value):
        return len(value) == 2 and "é" in str(value[1])

    assert ((), {"messages": [{"content": "é"}]}) == reduction.smallest(call, holds)


def test_a_long_text_takes_few_tries():
    """Halves are left out before single characters."""
    tries = []

    def holds(value):
        tries.append(value)
        return value.count("!") == 2

    assert "!!" == reduction.smallest("a" * 5_000 + "!" + "b" * 9_000 + "!" + "c" * 3_000, holds)
    assert len(tries) < 500


@given(st.integers(2, 10**9), st.integers(0, 10**9))
def test_a_number_becomes_the_smallest_that_will_do(least, more):
    """Where a larger one will do whenever a smaller one does; with its sign, if that is what matters."""
    found = [reduction.smallest(sign * (least + more), lambda it, sign=sign: it * sign >= least) for sign in (1, -1)]

    assert [least, -least] == found


@given(VALUES)
def test_it_ends_whatever_will_do(value):
    """Where everything will do, nothing is left, within the tries that are allowed."""
    smallest = reduction.smallest(value, lambda smaller: True)

    assert [] == list(reduction.reductions(smallest)) or smallest in (0, 1)


@given(VALUES)
def test_where_nothing_smaller_will_do_the_value_stays(value):
    """It is the very object."""
    assert reduction.smallest(value, lambda smaller: False) is value


def test_the_tries_are_counted():
    """No more than are allowed, whatever could still be left out."""
    tries = []
    reduction.smallest(list(range(100)), lambda smaller: tries.append(smaller) or False, max_tries=7)

    assert 7 == len(tries)
