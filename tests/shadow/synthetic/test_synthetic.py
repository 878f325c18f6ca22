"""Calls made up from a shape."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fast_litellm.accel.native import Shaper
from fast_litellm.shadow import engine, synthetic
from fast_litellm.shadow.synthetic.text import ALPHABETS, text

SHAPERS = {"chat": Shaper("chat"), "plain": Shaper("plain")}
UNICODE = ["ascii", *ALPHABETS]
TRIES = 5_000  # one in 250 calls has the rarest shapes; most need no second try


def some(*words):
    """Any of these words together."""
    return st.lists(st.sampled_from(words), unique=True).map(lambda found: "+".join(found) or "-")


SIZES = st.sampled_from(["0", "1", "2-3", "64-127", "512-1023"])
CHAT = st.fixed_dictionaries(
    {
        "family": st.sampled_from(["gpt-4o", "claude", "none", "other"]),
        "provider": st.sampled_from(["none", "azure", "other"]),
        "size": SIZES,
        "messages": st.sampled_from(["0", "1", "2-4", "17-64"]),
        "roles": some("system", "user", "assistant", "tool"),
        "content": some("text", "image", "audio", "file", "tool_call", "tool_result", "none", "list"),
        "tools": st.sampled_from(["none", "some", "many"]),
        "keys": some("name", "cache_control", "function_call", "other"),
        "options": some("text", "tool_choice", "stream"),
        "unicode": st.sampled_from(UNICODE),
    }
)


def alike(profile, shape, draw):
    """Whether one of several calls that are made up from a shape has it."""
    values = engine.current().shape_values(profile, shape)
    return any(shape == SHAPERS[profile].shape(*synthetic.call(profile, values, draw)) for _ in range(TRIES))


@settings(max_examples=150)
@given(values=CHAT, seed=st.integers(0, 2**32))
def test_a_call_has_the_shape_it_was_made_from(values, seed):
    """Whatever shape a call with messages has, another call of that very shape can be made up."""
    draw = Random(seed)
    assert alike("chat", SHAPERS["chat"].shape(*synthetic.call("chat", values, draw)), draw)


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("text",),
        ("", 1, None),
        (b"bytes", 0.5),
        ([1, 2, 3],),
        ([], True),
        (["one", "two"], "שלום"),
        ({"key": ["a"]}, {"other": "👍"}),
        ((1, {2, 3}),),
        ("x" * 100_000,),
    ],
)
def test_a_call_of_any_function_has_the_shape_it_was_made_from(args):
    """Arguments of the same kinds, size, depth and Unicode class."""
    assert alike("plain", SHAPERS["plain"].shape(args), Random(7))


@pytest.mark.parametrize("unicode_class", UNICODE)
@pytest.mark.parametrize("size", [0, 1, 13, 5_000])
def test_a_text_has_its_size_and_class(unicode_class, size):
    """Exactly so many characters, and the rarest of them of the class."""
    made = text(unicode_class, size, Random(1))
    shape = engine.current().shape_values("plain", SHAPERS["plain"].shape((made,)))
    long_enough = size >= (2 if unicode_class == "special_token" else 1)
    assert (size, unicode_class if long_enough else "ascii") == (len(made), shape["unicode"])


def test_the_same_seed_makes_the_same_call():
    """A finding can be told by its seed."""
    values = engine.current().shape_values(
        "chat", SHAPERS["chat"].shape((), {"model": "gpt-4o", "messages": [{"content": "text"}]})
    )
    first, second = (synthetic.call("chat", values, Random(7)) for _ in range(2))
    assert first == second
