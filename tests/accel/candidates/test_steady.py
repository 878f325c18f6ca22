"""Answers that are made again by a rule: new where the function's own are new, and shared where they are shared."""

from __future__ import annotations

import pytest

from fast_litellm.accel.candidates.steady import Unsteady, learned
from fast_litellm.accel.native import Recipe, is_in_state

pydantic = pytest.importorskip("pydantic")


class Choice(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    _hidden: dict = pydantic.PrivateAttr(default_factory=dict)
    index: int = 0
    text: str = ""


SHARED = object()


def answer(text: str, at: float) -> dict:
    choice = Choice(text=text, note="kept")
    choice._hidden["at"] = at
    return {"choices": [choice], "created": at, "tags": {"a", "b"}, "shared": SHARED, "nothing": None}


SLOTS = {(1.5, 2.5): 0, ("one", "other"): 1}


def test_an_answer_is_made_as_the_function_makes_it():
    recipe = learned(answer("one", 1.5), answer("other", 2.5), SLOTS)
    first, second = recipe.make([3.5, "third"]), recipe.make([4.5, "fourth"])

    assert answer("third", 3.5) == first
    assert ({"at": 3.5}, {"note": "kept"}) == (first["choices"][0]._hidden, first["choices"][0].model_extra)
    assert {"text", "note"} == first["choices"][0].model_fields_set
    assert first["shared"] is second["shared"] is SHARED
    for one, other in ((first, second), (first["tags"], second["tags"]), (first["choices"], second["choices"])):
        assert one is not other
    first["tags"].clear()
    first["choices"][0]._hidden.clear()
    assert answer("fourth", 4.5) == second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("one", "another"),
        ([1], [1, 2]),
        ({"a": 1}, {"b": 1}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1}, {2}),
        ({1}, {1}),
        ((1, []), (1, [])),
        (1, True),
        (object(), object()),
    ],
)
def test_what_differs_or_is_made_in_another_way_has_no_rule(one, other):
    with pytest.raises(Unsteady):
        learned({"it": one}, {"it": other}, SLOTS)


def test_a_rule_is_not_changed_by_what_it_was_learned_from():
    one = {"tags": {"a"}, "created": 1.5, "more": {"b": 1.5}}
    recipe = learned(one, {"tags": {"a"}, "created": 2.5, "more": {"b": 2.5}}, SLOTS)
    one["tags"].add("c")
    one["more"]["d"] = 1

    assert {"tags": {"a"}, "created": 9.0, "more": {"b": 9.0}} == recipe.make([9.0, ""])


def test_a_place_without_a_value_is_an_error():
    with pytest.raises(IndexError):
        Recipe.new_list([Recipe.value(2)]).make([1, 2])


class Changing(dict):
    """Changes what it stands in while it is compared."""

    def __init__(self, where):
        self.where = where

    def __eq__(self, other):
        self.where["new"] = 1
        return True

    __hash__ = None


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"a": 1, "b": [2], "c": 9}, True),
        ({"b": [2], "a": 1.0}, True),
        ({"a": 1}, False),
        ({"a": 1, "b": [3]}, False),
        ({"a": 1, "b": [2], "d": 0}, False),
    ],
)
def test_a_state_is_what_it_was_but_for_what_varies(attributes, expected):
    assert expected is is_in_state(attributes, {"a": 1, "b": [2]}, frozenset({"c"}))


def test_a_state_may_change_while_it_is_looked_at():
    attributes: dict = {}
    attributes.update(a=Changing(attributes), b=2)

    assert is_in_state(attributes, {"a": Changing(attributes), "b": 2}, frozenset())
    assert 1 == attributes["new"]
