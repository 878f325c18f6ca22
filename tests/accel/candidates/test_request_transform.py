"""The request transform candidate against the OpenAI SDK's own functions: the same body, or declined."""

from __future__ import annotations

import asyncio
import collections
import copy
import importlib
import pkgutil
import random
from typing import Any, Dict, Iterable, List, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import Annotated, Literal, TypedDict

from fast_litellm.accel.candidates.request_transform import AsyncRequestTransformCandidate, RequestTransformCandidate
from fast_litellm.errors import Declined

reference = pytest.importorskip("openai._utils._transform")
openai_types = pytest.importorskip("openai._types")
chat_params = pytest.importorskip("openai.types.chat.completion_create_params")

CHAT = chat_params.CompletionCreateParamsNonStreaming
OMIT = openai_types.Omit()


@pytest.fixture(scope="module")
def candidate() -> RequestTransformCandidate:
    """A candidate for the installed SDK."""
    return RequestTransformCandidate(reference, "1")


def transformed(candidate: RequestTransformCandidate, *args: Any, **kwargs: Any) -> Any:
    """What the candidate answers."""
    return candidate.run(candidate.prepare(args, kwargs), args, kwargs)


def same(control: Any, answer: Any) -> bool:
    """Equal in value, type and order of keys, at every depth."""
    if type(control) is not type(answer):
        return False
    if type(control) is dict:
        return list(control) == list(answer) and all(same(control[key], answer[key]) for key in control)
    if type(control) is list:
        return len(control) == len(answer) and all(map(same, control, answer))
    return control is answer or control == answer


def shared(body: Any, answer: Any) -> List[bool]:
    """Which dicts and lists of the answer are the caller's own, in order."""
    own: Dict[int, Any] = {}
    collect(body, own)
    return [id(part) in own for part in collect(answer, {})]


def collect(value: Any, found: Dict[int, Any]) -> Iterable[Any]:
    """Every dict and list inside a value, in order; the dict it is given holds them by identity."""
    parts = list(value.values()) if type(value) is dict else value if type(value) is list else None
    if parts is None:
        return []
    found[id(value)] = value
    return [value, *(inner for part in parts for inner in collect(part, found))]


def params() -> List[Any]:
    """Every parameter type of the SDK."""
    package = importlib.import_module("openai.types")
    names = [it.name for it in pkgutil.walk_packages(package.__path__, "openai.types.") if it.name.endswith("_params")]
    modules = [importlib.import_module(name) for name in names]
    return [it for module in modules for it in vars(module).values() if reference.is_typeddict(it)]


PARAMS = params()


class Bodies:
    """Makes bodies that mostly fit a type, by throws of dice."""

    def __init__(self, dice: random.Random) -> None:
        self.random = dice

    def of(self, annotation: Any, depth: int = 0) -> Any:
        stripped = reference.strip_annotated_type(annotation)
        if reference.is_union_type(stripped):
            return self.of(self.random.choice(reference.get_args(stripped)), depth)
        if depth > 6 or self.random.random() < 0.05:
            return self.anything(depth)
        if reference.get_origin(stripped) is Literal:
            return self.random.choice(reference.get_args(stripped))
        return self.container(stripped, depth)

    def container(self, stripped: Any, depth: int) -> Any:
        if reference.is_typeddict(stripped):
            return self.typed(stripped, depth)
        inner = (reference.get_args(stripped) or (Any,))[-1]
        if reference.get_origin(stripped) is dict:
            return {self.word(): self.of(inner, depth + 1) for _ in range(self.random.randrange(3))}
        if any(it(stripped) for it in (reference.is_list_type, reference.is_iterable_type, reference.is_sequence_type)):
            return [self.of(inner, depth + 1) for _ in range(self.random.randrange(4))]
        return self.scalar()

    def typed(self, typed_dict: Any, depth: int) -> Dict[str, Any]:
        hints = list(reference.get_type_hints(typed_dict, include_extras=True).items())
        chosen = self.random.sample(hints, self.random.randrange(len(hints) + 1))
        body = {key: self.of(hint, depth + 1) for key, hint in chosen}
        if self.random.random() < 0.3:
            body[self.word()] = self.anything(depth)
        if self.random.random() < 0.3:
            body[self.word()] = OMIT
        return body

    def anything(self, depth: int) -> Any:
        kind = self.random.randrange(8) if depth < 6 else 9
        if kind == 0:
            return {self.word(): self.anything(depth + 1) for _ in range(3)}
        if kind == 1:
            return [self.anything(depth + 1) for _ in range(3)]
        return self.scalar()

    def scalar(self) -> Any:
        return self.random.choice([None, True, 0, -1, 1.5, "", "text", "\ud800", self.word()])

    def word(self) -> str:
        return self.random.choice(["role", "content", "type", "text", "name", "x", "tool_calls", "id"])


def test_bodies_of_every_parameter_type_are_transformed_alike(candidate):
    """Every type of the SDK, with values that fit it and some that do not: the same body, the same sharing of parts."""
    bodies, answered, declined = Bodies(random.Random(1)), 0, collections.Counter()
    for expected in PARAMS:
        for _ in range(40):
            body = bodies.of(expected)
            before = copy.deepcopy(body, {id(OMIT): OMIT})
            try:
                answer = transformed(candidate, body, expected)
            except Declined as refusal:
                declined[refusal.reason] += 1
                continue
            control = reference.maybe_transform(body, expected)
            assert same(control, answer), expected
            assert shared(body, control) == shared(body, answer), expected
            assert before == body
            answered += 1
    assert answered > 30 * len(PARAMS)
    assert {"request_type"} >= set(declined) - {"opaque_value"}


WORDS = ["messages", "role", "content", "type", "text", "tools", "function", "parameters", "input", "metadata", "x", ""]
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.just(OMIT)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_body_of_any_type_is_transformed_alike(candidate, data):
    """Whether it fits the type or not: the same body, the same sharing of parts, or declined."""
    expected, body = data.draw(st.sampled_from(PARAMS)), data.draw(VALUES)
    try:
        answer = transformed(candidate, body, expected)
    except Declined:
        return
    control = reference.maybe_transform(body, expected)

    assert same(control, answer)
    assert shared(body, control) == shared(body, answer)


def test_a_coroutine_gives_the_same_body():
    """The candidate of the SDK's coroutine function is awaited, and gives what that gives."""
    candidate, bodies, answered = AsyncRequestTransformCandidate(reference, "2"), Bodies(random.Random(2)), 0
    for _ in range(300):
        body = bodies.of(CHAT)
        try:
            answer = asyncio.run(transformed(candidate, body, CHAT))
        except Declined:
            continue
        assert same(asyncio.run(reference.async_maybe_transform(body, CHAT)), answer)
        answered += 1
    assert answered > 200


def test_values_that_are_not_given_are_left_out(candidate):
    """The SDK passes every parameter of a call, most of them as `omit`; the body has only those that were given."""
    body = {"messages": [{"role": "user", "content": "hello"}], "model": "gpt-4o", "tools": OMIT, "n": OMIT}

    assert {"messages": [{"role": "user", "content": "hello"}], "model": "gpt-4o"} == transformed(candidate, body, CHAT)


def test_parameters_may_be_given_by_name(candidate):
    """The candidate binds a call as the control does."""
    assert {"model": "m"} == transformed(candidate, data={"model": "m"}, expected_type=CHAT)


def test_nothing_stays_nothing(candidate):
    """A body of None is None."""
    assert transformed(candidate, None, CHAT) is None


class Inner(TypedDict, total=False):
    """Described, and inside another."""

    values: List[int]
    again: Iterable[Inner]


class Outer(TypedDict, total=False):
    """Unions, dicts of described dicts, and a list that needs no walk."""

    one: Union[str, Inner, Dict[str, Inner]]
    many: Union[Iterable[Inner], List[Dict[str, str]], None]
    plain: object


def test_a_union_copies_what_any_of_its_members_describes(candidate):
    """A dict described by one member and a dict of anything described by another are both walked."""
    body = {"one": {"values": [1], "x": {"values": [2]}}, "many": [{"values": [], "again": [{}]}], "plain": {"a": [1]}}

    answer, control = transformed(candidate, body, Outer), reference.maybe_transform(body, Outer)

    assert same(control, answer)
    assert shared(body, control) == shared(body, answer)


class Renamed(TypedDict, total=False):
    """A key that is sent under another name."""

    beta: Annotated[str, reference.PropertyInfo(alias="openai-beta")]


class HoldsRenamed(TypedDict, total=False):
    """The renamed key is inside."""

    inner: Renamed


@pytest.mark.parametrize("expected", [Renamed, HoldsRenamed, Dict, Union[str, Dict]])
def test_types_that_are_not_covered_are_declined_each_time(candidate, expected):
    """A type that renames keys, or that the control could not follow, is declined each time."""
    for _ in range(2):
        with pytest.raises(Declined, match="request_type"):
            candidate.prepare(({}, expected), {})


def test_types_that_are_made_as_a_program_runs_do_not_pile_up(monkeypatch):
    """A full table takes no more types: Python answers for those, and the known ones go on."""
    monkeypatch.setattr("fast_litellm.accel.candidates.typed._MAX_TYPES", 2)
    candidate = RequestTransformCandidate(reference, "2")
    known = [TypedDict(f"Known{index}", {"x": List[int]}) for index in range(2)]
    for expected in (*known, *known):
        assert {"x": [1]} == transformed(candidate, {"x": [1]}, expected)
    with pytest.raises(Declined, match="request_type"):
        candidate.prepare(({}, TypedDict("Further", {"x": List[int]})), {})


def test_what_was_compiled_before_a_type_failed_is_forgotten(candidate):
    """A plain type that a failed one has mentioned is still walked as it should be."""

    class Fine(TypedDict, total=False):
        parts: List[Dict[str, str]]

    class Both(TypedDict, total=False):
        fine: Fine
        broken: Renamed

    with pytest.raises(Declined):
        candidate.prepare(({}, Both), {})
    body = {"parts": [{"a": "b"}]}

    assert [False] * 3 == shared(body, transformed(candidate, body, Fine))


class Text(str):
    """A subclass may do anything."""


@pytest.mark.parametrize(
    "value",
    [Text("x"), ("a",), b"x", {1}, collections.OrderedDict(a=1), iter([]), object()],
    ids=lambda it: type(it).__name__,
)
def test_values_that_are_not_plain_are_declined(candidate, value):
    """Iterators would be used up, subclasses could run code of their own, and tuples become lists: Python answers."""
    with pytest.raises(Declined, match="opaque_value"):
        transformed(candidate, {"messages": value}, CHAT)


def test_a_cycle_is_declined(candidate):
    """The control would never come back either."""
    message: Dict[str, Any] = {}
    message["again"] = [message]
    with pytest.raises(Declined, match="depth"):
        transformed(candidate, message, Inner)


@pytest.mark.parametrize("call", [((), {}), (({},), {}), (({}, CHAT, 1), {}), (({},), {"expected": CHAT})])
def test_a_call_that_the_control_refuses_is_declined(candidate, call):
    """The exception is the control's own."""
    with pytest.raises(Declined, match="control_raises"):
        candidate.prepare(*call)


def test_an_unhashable_type_is_declined(candidate):
    """Plans are found by the type."""
    with pytest.raises(Declined, match="request_type"):
        candidate.prepare(({}, []), {})


def test_a_patched_reference_is_declined(candidate, monkeypatch):
    """Somebody who replaces a function of the SDK expects to see it used."""
    monkeypatch.setattr(reference, "_transform_recursive", lambda data, **_: data)
    with pytest.raises(Declined, match="reference_patched"):
        candidate.prepare(({}, CHAT), {})
