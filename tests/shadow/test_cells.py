"""Shapes of calls, and the cells they lie in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.accel.native import Shaper
from fast_litellm.shadow import engine
from fast_litellm.shadow.cells import cells, is_known_beforehand, is_pair
from fast_litellm.shadow.evidence import Account, ShapeEvidence

COUNTER = ("model", "custom_tokenizer", "text", "messages")


def chat(*args, nested=None, **kwargs):
    """The values of a chat call's shape."""
    shape = Shaper("chat", COUNTER, nested).shape(args, kwargs)
    return engine.current().shape_values("chat", shape)


def plain(*args, **kwargs):
    """The values of any other call's shape."""
    return engine.current().shape_values("plain", Shaper("plain").shape(args, kwargs))


def test_a_chat_is_told_by_its_classes():
    """Model, size, roles, kinds of content, tools and script, and nothing of what is said."""
    parts = [{"type": "text", "text": "你好"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": parts, "name": "ann"},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "content": "42", "tool_call_id": "1"},
    ]
    expected = {
        "family": "gpt-4o",
        "provider": "openai",
        "size": "32-63",
        "messages": "2-4",
        "roles": "system+user+assistant+tool",
        "content": "text+image+tool_call+tool_result+none+list",
        "tools": "some",
        "keys": "name",
        "options": "tool_choice",
        "unicode": "cjk",
        "outcome": "unknown",
    }
    assert expected == chat("openai/gpt-4o", messages=messages, tools=[{}], tool_choice="auto")


def test_parameters_by_place_and_by_name_are_the_same():
    """A shape does not depend on how a call is written."""
    assert chat("gpt-4", None, "hello") == chat(model="gpt-4", text="hello")
    assert "text" == chat("gpt-4", text="hello")["options"]


def test_a_request_body_is_looked_into():
    """Where the parameters are in one dict, that is what has a shape."""
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "seed": 1, "stop": object()}
    values = chat(nested="model", model=body)

    assert ("gpt-4o", "1", "other") == (values["family"], values["messages"], values["options"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "ascii"),
        ("é", "latin1"),
        ("א", "rtl"),
        ("👍", "astral"),
        ("\ud800", "surrogate"),
        ("<|x|>", "special_token"),
    ],
)
def test_the_rarest_character_tells_the_script(text, expected):
    """Tokens hang on it, so it is a dimension."""
    assert expected == chat(text="plain " + text)["unicode"]


class Trap(dict):
    """Everything that could be asked of it fails."""

    def __iter__(self):
        raise AssertionError("asked")

    __len__ = __getitem__ = __eq__ = __hash__ = items = keys = get = __iter__  # type: ignore[assignment]


@pytest.mark.parametrize(
    "value", [Trap(), object(), [Trap()], {"role": Trap()}, [{"role": Trap(), 1: 2}], 5, b"x", ("a",)]
)
def test_no_argument_is_too_odd_for_a_shape(value):
    """A shape is found for anything, and no code of the arguments' runs."""
    assert 11 == len(chat(value, messages=value, text=[value], tools=value))
    assert 6 == len(plain(value, other=[value]))


def test_a_cycle_has_a_shape():
    """The walk ends."""
    messages = [{"role": "user"}]
    messages[0]["content"] = messages
    assert "list" in chat(messages=messages)["content"]
    assert "3+" == plain(messages)["depth"]


def test_plain_calls_are_told_by_their_values():
    """For a program's own pair: how many arguments, of which classes, how large and how deep."""
    expected = {
        "arguments": "2",
        "kinds": "int+str+list",
        "size": "4-7",
        "depth": "1",
        "unicode": "ascii",
        "outcome": "unknown",
    }
    assert expected == plain([1, 2], text="abc")


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner) | st.sets(st.integers()),
)


@given(st.lists(plain_values), st.dictionaries(st.sampled_from([*COUNTER, "tools", "seed"]), plain_values))
def test_any_call_has_one_shape(args, kwargs):
    """It is the same each time, it is not 0, and a database can hold it."""
    for shaper in (Shaper("chat", COUNTER), Shaper("plain")):
        shape = shaper.shape(tuple(args), kwargs)
        assert shape == shaper.shape(tuple(args), kwargs)
        assert 0 < shape < 2**63 - 1


def test_cells_add_up_the_shapes_that_lie_in_them():
    """A cell of one dimension has every call with that value; one of two has those with both."""
    shaper = Shaper("plain")
    shapes = [
        ShapeEvidence(shaper.shape((argument,), {}), {}, Account(offered=3, matched=2, shed={"budget": 1}), distinct=2)
        for argument in ("a", "é")
    ]
    found = cells("plain", [*shapes, ShapeEvidence(0, {}, Account(offered=9))])

    assert (6, 4, {"budget": 2}) == (
        found["kinds=str"].account.offered,
        found["kinds=str"].distinct,
        found["kinds=str"].account.shed,
    )
    assert 3 == found["kinds=str&unicode=latin1"].account.offered
    assert {6, 3} == {cell.account.offered for cell in found.values()}


def test_cells_tell_what_they_are():
    """A pair is two dimensions, and what the control did is known only afterwards."""
    assert [False, True] == [is_pair("a=1"), is_pair("a=1&b=2")]
    assert [True, False] == [is_known_beforehand("a=1"), is_known_beforehand("a=1&outcome=value")]


def test_there_are_two_profiles():
    """Any other is a mistake."""
    with pytest.raises(ValueError, match="'chat' or 'plain'"):
        Shaper("prose")
