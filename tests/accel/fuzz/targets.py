"""
What must hold between a candidate and its reference for any input at all: a function for each target of `fuzz.py`.

Each says whether the candidate answered, so that a run which only meets declines can be told from one that compares.
The inputs kept in `corpus` are replayed by the tests.
"""

from __future__ import annotations

import collections
import importlib.util
import random
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

from hypothesis import HealthCheck, given, settings

from fast_litellm.accel import fingerprint, references
from fast_litellm.accel.candidates.request_transform import RequestTransformCandidate
from fast_litellm.accel.candidates.secret_redaction import SecretRedactionCandidate
from fast_litellm.accel.candidates.stream_parsing import StreamParsingCandidate
from fast_litellm.accel.candidates.token_counting import SOURCES, TokenCountingCandidate
from fast_litellm.errors import Declined, Unsnapshotable

MOST_CHARACTERS = 2_000
ODD = [("a",), b"x", frozenset([1]), collections.OrderedDict(a=1), collections.Counter("a"), 1 << 70, float("inf")]


def loaded(path: Path) -> Any:
    """A module that stands in no package."""
    spec = importlib.util.spec_from_file_location(f"fuzzed_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tests_of(name: str) -> Any:
    """The tests of a candidate, for what they generate and compare by."""
    return loaded(Path(__file__).parents[1] / "candidates" / f"test_{name}.py")


stateful = loaded(Path(__file__).with_name("stateful_targets.py"))

requests, responses = tests_of("request_transform"), tests_of("stream_parsing")
redaction, tokens = tests_of("secret_redaction"), tests_of("token_counting")

TRANSFORMING = RequestTransformCandidate(requests.reference, "1")
CONSTRUCTING = StreamParsingCandidate(responses.base_client, "1")
REDACTING = SecretRedactionCandidate(redaction.reference, "1")
COUNTING = TokenCountingCandidate(
    tokens.reference, references.known("token_counting", fingerprint.fingerprint(SOURCES)).semantics
)


class Dice(random.Random):
    """Thrown by bytes: who changes a byte changes a choice. After the last one every choice is the plainest."""

    def __init__(self, data: bytes) -> None:
        super().__init__(0)
        self.left = iter(data)

    def getrandbits(self, k: int) -> int:
        taken = 0
        for _ in range((k + 7) // 8):
            taken = taken << 8 | next(self.left, 0)
        return taken & ((1 << k) - 1)

    def random(self) -> float:
        return next(self.left, 255) / 256

    def sample(self, population: List[Any], k: int) -> List[Any]:
        start = self.randrange(
            len(population) or 1
        )  # some that stand together: two bytes choose them, and none are enough
        return [*population[start:], *population[:start]][:k]


class OddBodies(requests.Bodies):
    """Bodies with a value now and then that no JSON has."""

    def scalar(self) -> Any:
        return self.random.choice(ODD) if self.random.random() < 0.02 else super().scalar()


class OddValues(responses.Values):
    """The same of responses."""

    def scalar(self) -> Any:
        return self.random.choice(ODD) if self.random.random() < 0.02 else super().scalar()


def body(data: bytes) -> Tuple[Any, Any]:
    """A parameter type of the SDK and a body for it; the same at each call, of parts of its own."""
    dice = Dice(data)
    expected = dice.choice(requests.PARAMS)
    return expected, OddBodies(dice).of(expected)


def response(data: bytes) -> Tuple[Any, Any]:
    """A response class of the SDK, mostly a chunk's, and a value for it."""
    dice = Dice(data)
    cls = dice.choice(responses.RESPONSES) if dice.random() < 0.6 else responses.CHUNK
    return cls, OddValues(dice).of(cls)


def outcome(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Tuple[Any, Any]:
    """What a call returns, and what it raises. A decline is no outcome."""
    try:
        return function(*args, **kwargs), None
    except Declined:
        raise
    except Exception as error:
        return None, (type(error), str(error))


def transforms_bodies(data: bytes) -> bool:
    """A body of any parameter type is transformed alike, the same parts shared, or declined; it stays as it was."""
    (expected, given_body), (_, untouched) = body(data), body(data)
    try:
        answer, raised = outcome(requests.transformed, TRANSFORMING, given_body, expected)
    except Declined:
        assert requests.same(untouched, given_body), (expected, untouched)
        return False
    control = outcome(requests.reference.maybe_transform, given_body, expected)
    assert control[1] == raised, (expected, untouched, control, raised)
    assert requests.same(control[0], answer), (expected, untouched, control, answer)
    assert requests.shared(given_body, control[0]) == requests.shared(given_body, answer), (expected, untouched)
    assert requests.same(untouched, given_body), (expected, untouched)
    return True


def differs(control: Any, answer: Any) -> Any:
    """What tells two responses apart, if they hold values that no snapshot does, in print."""
    try:
        return responses.comparators.models(control, answer)
    except Unsnapshotable:
        return None if repr(control) == repr(answer) else "print"


def constructs_responses(data: bytes) -> bool:
    """A value of any response class is constructed alike, the same parts shared, or declined; it stays as it was."""
    (cls, value), (_, untouched) = response(data), response(data)
    try:
        answer, raised = outcome(responses.constructed, CONSTRUCTING, value=value, type_=cls)
    except Declined:
        return False
    control = outcome(responses.models.construct_type, value=value, type_=cls)
    assert control[1] == raised, (cls, untouched, control, raised)
    assert differs(control[0], answer) is None, (cls, untouched, control, answer)
    assert responses.shared(value, control[0]) == responses.shared(value, answer), (cls, untouched)
    assert requests.same(untouched, value), (cls, untouched)
    return True


def redacts_texts(data: bytes) -> bool:
    """A text is redacted alike, or declined."""
    text = data.decode("utf-8", "surrogateescape")[:MOST_CHARACTERS]
    try:
        answer = redaction.redacted(REDACTING, text)
    except Declined:
        return False
    assert redaction.reference.python_redact_string(text) == answer, text
    return True


ANSWERED: Dict[str, Optional[bool]] = {}


@settings(database=None, suppress_health_check=list(HealthCheck))
@given(call=tokens.calls)
def _counts(call: Dict[str, Any]) -> None:
    ANSWERED["call"] = tokens.agree(COUNTING, **call)


def counts_calls(data: bytes) -> Optional[bool]:
    """
    A call is counted alike, or declined. What the bytes stand for is each release of Hypothesis's to say: for some they
    stand for no call, and then nobody was asked.
    """
    ANSWERED["call"] = None
    _counts.hypothesis.fuzz_one_input(data)
    return ANSWERED["call"]


TARGETS = {
    **{target.__name__: target for target in (transforms_bodies, constructs_responses, redacts_texts, counts_calls)},
    **stateful.made(tests_of, Dice),
}
