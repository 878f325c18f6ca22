"""The stream parsing candidate against the OpenAI SDK's own function: the same objects in every part, or declined."""

from __future__ import annotations

import collections
import copy
import importlib
import inspect
import pickle
import pkgutil
import random
from typing import Any, Dict, List, Optional, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fast_litellm.accel import native
from fast_litellm.accel.candidates.stream_parsing import StreamParsingCandidate
from fast_litellm.errors import Declined
from fast_litellm.shadow import comparators

base_client = pytest.importorskip("openai._base_client")
models = importlib.import_module("openai._models")
CHUNK = importlib.import_module("openai.types.chat").ChatCompletionChunk
DELTA = importlib.import_module("openai.types.chat.chat_completion_chunk").ChoiceDelta
COMPLETION = importlib.import_module("openai.types.chat").ChatCompletion


@pytest.fixture(scope="module")
def candidate() -> StreamParsingCandidate:
    """A candidate for the installed SDK."""
    return StreamParsingCandidate(base_client, "2")


def constructed(candidate: StreamParsingCandidate, **kwargs: Any) -> Any:
    """What the candidate answers."""
    return candidate.run(candidate.prepare((), kwargs), (), kwargs)


def difference(value: Any, answer: Any, cls: type) -> Any:
    """What tells the candidate's answer from the control's."""
    return comparators.models(models.construct_type(value=value, type_=cls), answer)


def parts(value: Any) -> List[Any]:
    """Every dict and list inside an answer, in order: of models those that they pass on."""
    if isinstance(value, models.BaseModel):
        inner = [*vars(value).values(), *value.__pydantic_extra__.values()]
        return [part for one in inner for part in parts(one)]
    inner = list(value.values()) if type(value) is dict else value if type(value) is list else None
    return [] if inner is None else [value, *(part for one in inner for part in parts(one))]


def shared(value: Any, answer: Any) -> List[bool]:
    """Which dicts and lists of an answer are those that were received."""
    own = {id(part) for part in parts(value)}
    return [id(part) in own for part in parts(answer)]


def responses() -> List[type]:
    """Every class of the SDK's responses."""
    package = importlib.import_module("openai.types")
    modules = [
        importlib.import_module(it.name)
        for it in pkgutil.walk_packages(package.__path__, "openai.types.")
        if not it.name.endswith("_param") and not it.name.endswith("_params")
    ]
    found = {it: None for module in modules for it in vars(module).values() if inspect.isclass(it)}
    return [it for it in found if issubclass(it, models.BaseModel)]


RESPONSES = responses()


class Values:
    """Makes values that mostly fit a type, by throws of dice."""

    def __init__(self, dice: random.Random) -> None:
        self.random = dice

    def of(self, annotation: Any, depth: int = 0) -> Any:
        if models.is_type_alias_type(annotation):
            return self.of(annotation.__value__, depth)
        stripped = models.strip_annotated_type(annotation)
        origin, arguments = models.get_origin(stripped) or stripped, models.get_args(stripped)
        if depth > 6 or self.random.random() < 0.07:
            return self.anything(depth)
        if models.is_union(origin) or models.is_literal_type(stripped):
            chosen = self.random.choice(arguments)
            return chosen if models.is_literal_type(stripped) else self.of(chosen, depth)
        return self.described(stripped, origin, arguments, depth)

    def described(self, stripped: Any, origin: Any, arguments: Any, depth: int) -> Any:
        if inspect.isclass(origin) and issubclass(origin, models.BaseModel):
            return self.object(stripped, depth)
        if origin is dict:
            return {self.word(): self.of((arguments or (Any,))[-1], depth + 1) for _ in range(2)}
        if origin is list:
            return [self.of((arguments or (Any,))[0], depth + 1) for _ in range(self.random.randrange(3))]
        return self.fitting(origin)

    def object(self, cls: Any, depth: int) -> Dict[str, Any]:
        fields = list(cls.model_fields.items())
        chosen = self.random.sample(fields, self.random.randrange(len(fields) + 1)) if depth > 2 else fields
        made = {field.alias or name: self.of(field.annotation, depth + 1) for name, field in chosen}
        if self.random.random() < 0.3:
            made[self.word()] = self.anything(depth)
        return made

    def fitting(self, origin: Any) -> Any:
        return {str: "text", int: 3, float: 1, bool: True, type(None): None}.get(origin, self.scalar())

    def anything(self, depth: int) -> Any:
        kind = self.random.randrange(8) if depth < 6 else 9
        if kind == 0:
            return {self.word(): self.anything(depth + 1) for _ in range(3)}
        if kind == 1:
            return [self.anything(depth + 1) for _ in range(3)]
        return self.scalar()

    def scalar(self) -> Any:
        return self.random.choice([None, True, 0, -1, 1.5, "", "5", "2020-01-01", "text", "\ud800", self.word()])

    def word(self) -> str:
        return self.random.choice(["role", "content", "type", "text", "name", "x", "from", "index", "id", "model_"])


def test_values_of_every_response_class_are_constructed_alike(candidate):
    """Classes of the SDK, with values that fit and some that do not: the same in every part, sharing included."""
    values, answered, declined = Values(random.Random(1)), 0, collections.Counter()
    for cls in (*RESPONSES[::9], *[CHUNK, COMPLETION] * 20):
        for _ in range(3):
            value = values.of(cls)
            before = copy.deepcopy(value)
            try:
                answer = constructed(candidate, value=value, type_=cls)
            except Declined as refusal:
                declined[refusal.reason] += 1
                continue
            assert difference(value, answer, cls) is None, (cls, value)
            assert shared(value, models.construct_type(value=value, type_=cls)) == shared(value, answer), cls
            assert before == value
            answered += 1
    assert answered > len(RESPONSES) / 4
    assert {"response_type"} >= set(declined)


WORDS = ["choices", "delta", "content", "role", "tool_calls", "index", "usage", "logprobs", "finish_reason", "function"]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["stop", "tool"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
DELTAS = st.fixed_dictionaries(
    {},
    optional={
        "content": st.none() | st.text(max_size=4) | JSON,
        "role": st.sampled_from(["assistant", "robot", None, 1]),
        "refusal": JSON,
        "tool_calls": st.lists(
            st.fixed_dictionaries({"function": JSON}, optional={"index": JSON, "id": JSON, "type": JSON}), max_size=2
        )
        | JSON,
        "function_call": JSON,
        "reasoning_content": JSON,
    },
)
CHOICES = st.fixed_dictionaries(
    {"delta": DELTAS | JSON}, optional={"index": JSON, "finish_reason": JSON, "logprobs": JSON, "matched_stop": JSON}
)
CHUNKS = st.fixed_dictionaries(
    {"choices": st.lists(CHOICES | JSON, max_size=3) | CHOICES | JSON},
    optional={
        "id": JSON,
        "created": JSON,
        "model": JSON,
        "object": JSON,
        "service_tier": JSON,
        "system_fingerprint": JSON,
        "usage": st.fixed_dictionaries({"prompt_tokens": JSON, "completion_tokens": JSON, "total_tokens": JSON}) | JSON,
        "obfuscation": JSON,
        "moderation": JSON,
    },
)


@given(CHUNKS | JSON)
@settings(max_examples=150, deadline=None)
def test_any_chunk_is_constructed_alike(candidate, chunk):
    """Extras, nulls, missing fields, wrong types, words that are no members, nested unions: the same in every part."""
    answer = constructed(candidate, value=chunk, type_=CHUNK)

    assert difference(chunk, answer, CHUNK) is None
    assert shared(chunk, models.construct_type(value=chunk, type_=CHUNK)) == shared(chunk, answer)


@pytest.fixture
def chunk() -> Dict[str, Any]:
    """With logprobs, a tool call, usage and extras."""
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}, "x": 1}
    token = {"token": "a", "logprob": -1, "bytes": [97], "top_logprobs": []}
    delta = {"role": "assistant", "content": None, "tool_calls": [call], "reasoning": [{"a": [1]}]}
    return {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "logprobs": {"content": [token]}, "finish_reason": "odd"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": "3", "prompt_tokens_details": {}},
        "obfuscation": "x",
    }


def test_an_object_is_used_alike(candidate, chunk):
    """It is equal, dumps, prints, copies, pickles, validates and can be changed as the control's."""
    control, answer = models.construct_type(value=chunk, type_=CHUNK), constructed(candidate, value=chunk, type_=CHUNK)
    for one in (control, answer):
        one.choices[0].delta.content = "changed"
        one.added = 1
        del one.usage

    assert control == answer
    assert repr(control) == repr(answer)
    assert str(control) == str(answer)
    assert comparators.models(control, answer) is None
    assert comparators.models(control.model_copy(deep=True), answer.model_copy(deep=True)) is None
    assert comparators.models(pickle.loads(pickle.dumps(control)), pickle.loads(pickle.dumps(answer))) is None
    for unset in (True, False):
        dumps = [it.model_dump(exclude_unset=unset, warnings=False) for it in (control, answer)]
        texts = [it.model_dump_json(exclude_unset=unset, warnings=False) for it in (control, answer)]
        assert (dumps[0], texts[0]) == (dumps[1], texts[1])


def test_a_whole_response_is_constructed_alike(candidate):
    """Not only chunks pass through the function."""
    message = {"role": "assistant", "content": "hello", "annotations": [], "reasoning_content": "hm"}
    value = {"id": "1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": None}

    assert difference(value, constructed(candidate, value=value, type_=COMPLETION), COMPLETION) is None


class Own(models.BaseModel):
    """A program's class: what it does when it is made is its own."""


@pytest.mark.parametrize(
    ("kwargs", "reason"),
    [
        ({"value": {}, "type_": Own}, "response_type"),
        ({"value": {}, "type_": Optional[CHUNK]}, "response_type"),
        ({"value": {}, "type_": Union[CHUNK, COMPLETION]}, "response_type"),
        ({"value": {}, "type_": []}, "response_type"),
        ({"value": {}, "type_": CHUNK, "metadata": [1]}, "other_parameters"),
        ({"value": {}}, "other_parameters"),
        ({"value": {1: 2}, "type_": CHUNK}, "opaque_value"),
        ({"value": {"_fields_set": None}, "type_": CHUNK}, "opaque_value"),
        ({"value": {"choices": [{"_BaseModel__cls": 1}]}, "type_": CHUNK}, "opaque_value"),
        ({"value": collections.OrderedDict(), "type_": CHUNK}, "opaque_value"),
        ({"value": {"choices": ({},)}, "type_": CHUNK}, "opaque_value"),
        ({"value": {"choices": [collections.OrderedDict()]}, "type_": CHUNK}, "opaque_value"),
    ],
)
def test_what_is_not_reproduced_is_declined_each_time(candidate, kwargs, reason):
    """With the reason that is counted."""
    for _ in range(2):
        with pytest.raises(Declined, match=reason):
            constructed(candidate, **kwargs)


def test_a_class_whose_fields_have_changed_is_declined(candidate, monkeypatch, chunk):
    """The plan was made for other fields."""
    constructed(candidate, value=chunk, type_=CHUNK)
    monkeypatch.setattr(CHUNK, "__pydantic_fields__", dict(CHUNK.__pydantic_fields__))

    with pytest.raises(Declined, match="model_rebuilt"):
        constructed(candidate, value=chunk, type_=CHUNK)


def test_a_patched_helper_is_declined(candidate, monkeypatch, chunk):
    """What somebody has put in place of a function of the reference, the control would use and the candidate not."""
    monkeypatch.setattr(models, "_construct_field", lambda **_: None)

    with pytest.raises(Declined, match="reference_patched"):
        constructed(candidate, value=chunk, type_=CHUNK)


@pytest.mark.parametrize("owner", [CHUNK, DELTA])
def test_a_constructor_that_one_class_was_given_is_respected(candidate, monkeypatch, chunk, owner):
    """Also when responses with that class in them were constructed before."""
    constructed(candidate, value=chunk, type_=CHUNK)
    monkeypatch.setattr(owner, "construct", classmethod(lambda *_, **__: None))
    with pytest.raises(Declined, match="reference_patched"):
        constructed(candidate, value=chunk, type_=CHUNK)
    monkeypatch.undo()

    assert difference(chunk, constructed(candidate, value=chunk, type_=CHUNK), CHUNK) is None


@pytest.mark.parametrize("place", [(models, "construct_type"), (models.BaseModel, "construct")])
def test_somebodys_own_constructor_is_declined(candidate, monkeypatch, chunk, place):
    """The control comes to it for every part of a response, though it is entered under another module's name."""
    owner, name = place
    monkeypatch.setattr(owner, name, lambda *_, **__: None)

    with pytest.raises(Declined, match="reference_patched"):
        constructed(candidate, value=chunk, type_=CHUNK)


def test_the_constructor_is_found_again_when_it_is_put_back(candidate, monkeypatch, chunk):
    """A class method is bound anew whenever it is asked for, and is the same one all the same."""
    monkeypatch.setattr(models.BaseModel, "construct", lambda *_, **__: None)
    monkeypatch.undo()

    assert difference(chunk, constructed(candidate, value=chunk, type_=CHUNK), CHUNK) is None


def test_a_response_that_is_too_deep_is_declined():
    """The walk recurses, and a thread's stack may be small."""
    value: List[Any] = []
    for _ in range(200):
        value = [value]

    with pytest.raises(Declined, match="depth"):
        native.Constructor([("list", 0, [], None, [])]).apply(value, 0)


def test_types_do_not_pile_up(monkeypatch, chunk):
    """A full table takes no more types: Python answers for those, and the known ones go on."""
    monkeypatch.setattr("fast_litellm.accel.candidates.typed._MAX_TYPES", 1)
    candidate = StreamParsingCandidate(base_client, "2")
    for _ in range(2):
        assert difference(chunk, constructed(candidate, value=chunk, type_=CHUNK), CHUNK) is None
        with pytest.raises(Declined, match="response_type"):
            constructed(candidate, value={}, type_=COMPLETION)


CALLED: List[Any] = []


class Called(models.BaseModel):
    """A class that constructs itself, so that the SDK is asked for it."""

    name: Optional[str] = None

    @classmethod
    def construct(cls, _fields_set: Any = None, **values: Any) -> Any:
        CALLED.append(values)
        if values.get("name") == "bad":
            raise KeyError("bad")
        return super().construct(_fields_set, **values)


class Calling(models.BaseModel):
    """Has objects of that class in several places."""

    one: Optional[Called] = None
    many: Optional[List[Called]] = None
    named: Optional[Dict[str, Called]] = None
    plain: str = ""


Calling.__module__ = "openai.types.calling"


def done(function, value) -> Any:
    """What constructing comes to, and what was called back, in order."""
    CALLED.clear()
    try:
        made: Any = function(value).model_dump(warnings=False)
    except Exception as error:
        made = type(error), str(error)
    return made, list(CALLED)


@pytest.mark.parametrize(
    "value",
    [
        {"one": {"name": "a"}, "plain": "x"},
        {"many": [{"name": "a"}, {"name": "b"}], "named": {"k": {"name": "c", "more": 1}}},
        {"one": {"name": "bad"}, "plain": "x"},
        {"many": [{"name": "a"}, {"name": "bad"}, {"name": "c"}]},
        {"one": 7, "many": None, "named": []},
    ],
)
def test_a_class_that_constructs_itself_is_called_as_by_the_control(candidate, value):
    """As often, with the same values, in the same order; and what it raises is what the caller sees."""
    control = done(lambda it: models.construct_type(value=it, type_=Calling), copy.deepcopy(value))
    found = done(lambda it: constructed(candidate, value=it, type_=Calling), copy.deepcopy(value))

    assert control == found
