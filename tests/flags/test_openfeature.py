"""
Questions asked through OpenFeature: the specification's evaluation scenarios, on a flag set of our own.

Scenarios are those of the specification's `evaluation.feature` and of its provider conformance suite; numbers in
brackets are requirements of https://openfeature.dev/specification.
"""

from __future__ import annotations

import asyncio
import threading
from collections import UserDict

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from fast_litellm.flags import FlagManager
from fast_litellm.flags.openfeature import FastLitellmProvider

HIT = "5c3d8535-f81a-4478-a6d3-afaa4d51199e"
MISS = "f20bd32d-703b-48b6-bc8e-79d53c85134a"
FLAGS = {
    "served": {"otherwise": "rust"},
    "kept": {"otherwise": "python"},
    "other": {"otherwise": "litellm_rust"},
    "killed": {"enabled": False, "otherwise": "rust"},
    "half": {"otherwise": {"split": {"rust": 50, "python": 50}}},
    "by_user": {"unit": "user", "otherwise": {"split": {"rust": 50, "python": 50}}},
    "targeted": {"rules": [{"name": "hit", "when": {"attr": "targetingKey", "equals": HIT}, "serve": "rust"}]},
    "aware": {
        "rules": [
            {
                "name": "internal",
                "when": {
                    "all": [
                        {"attr": "customer.internal", "equals": True},
                        {"attr": "name", "equals": "Świętopełk"},
                        {"attr": "age", "gte": 29},
                    ]
                },
                "serve": "rust",
            }
        ]
    },
}
ASKED = {
    "boolean": False,
    "string": "fallback",
    "integer": 13,
    "float": 0.5,
    "object": {"of": "the caller"},
}


@pytest.fixture
def manager():
    """A manager of the flags above."""
    return FlagManager.from_dict({"version": 1, "flags": FLAGS})


@pytest.fixture
def provider(manager):
    """Its provider, initialized."""
    provider = FastLitellmProvider(manager)
    api.set_provider_and_wait(provider, "test")
    yield provider
    api.shutdown()


@pytest.fixture
def client(provider):
    """A client of the provider."""
    return api.get_client("test")


def details(client, kind, flag, default, context=None):
    """Asks for details by the name of a type, and asks a second time asynchronously: the answers are the same."""
    answer = getattr(client, f"get_{kind}_details")(flag, default, context)
    assert answer == asyncio.run(getattr(client, f"get_{kind}_details_async")(flag, default, context))
    return answer


@pytest.mark.parametrize(
    ("kind", "flag", "default", "expected"),
    [
        ("boolean", "served", False, True),
        ("boolean", "other", False, True),
        ("boolean", "kept", True, False),
        ("string", "served", "fallback", "rust"),
        ("string", "other", "fallback", "litellm_rust"),
        ("string", "kept", "fallback", "python"),
    ],
)
def test_values_resolve(client, kind, flag, default, expected):
    """Basic evaluation (1.3.1.1, 2.2.3); a falsy value is a value, not an absence."""
    assert expected == getattr(client, f"get_{kind}_value")(flag, default)
    assert expected == details(client, kind, flag, default).value


@pytest.mark.parametrize(("flag", "variant"), [("served", "rust"), ("other", "litellm_rust"), ("kept", "python")])
@pytest.mark.parametrize("kind", ["boolean", "string", "object"])
def test_details_name_variant_and_reason(client, kind, flag, variant):
    """Detailed evaluation (1.4.3 to 1.4.7, 2.2.4 to 2.2.6, 2.3.2): a flag without rules is static, and no error."""
    answer = details(client, kind, flag, ASKED[kind])

    assert (flag, variant, Reason.STATIC) == (answer.flag_key, answer.variant, answer.reason)
    assert (None, None) == (answer.error_code, answer.error_message)


def test_an_object_is_the_whole_decision(client, manager):
    """Fields that do not apply are left out, because OpenFeature knows no null (1.3.1.1)."""
    decision = manager.decide("half", unit="u-1")

    value = details(client, "object", "half", {}, EvaluationContext("u-1")).value

    assert {name: field for name, field in decision._asdict().items() if field is not None} == value
    assert {"bucket", "threshold"} <= value.keys()
    assert "rule" not in value


def test_metadata_carries_the_rest_of_the_decision(client, manager):
    """Flag metadata are plain values by name (1.4.14, 2.2.9, 2.2.10), the revision also under its well-known name."""
    decision = manager.decide("half", unit="u-1")

    assert {
        "stage": "canary",
        "shadow": decision.shadow,
        "detail": "",
        "bucket": decision.bucket,
        "threshold": 500_000,
        "revision": decision.revision,
        "version": decision.revision,
    } == details(client, "boolean", "half", False, EvaluationContext("u-1")).flag_metadata


def test_a_matching_context_resolves_the_target(client):
    """Context-aware evaluation (2.2.1, 3.1.1): conditions see the targeting key as `targetingKey`."""
    hit = details(client, "string", "targeted", "fallback", EvaluationContext(HIT))
    miss = details(client, "string", "targeted", "fallback", EvaluationContext(MISS))
    none = details(client, "string", "targeted", "fallback")

    assert ("rust", Reason.TARGETING_MATCH, "hit") == (hit.value, hit.reason, hit.flag_metadata["rule"])
    assert ("python", Reason.DEFAULT, "no_rule") == (miss.value, miss.reason, miss.flag_metadata["detail"])
    assert ("python", Reason.DEFAULT, None) == (none.value, none.reason, none.error_code)


def test_attributes_may_be_nested(client):
    """Attributes are texts, numbers, booleans and structures (3.1.2)."""
    context = EvaluationContext(None, {"customer": {"internal": True}, "name": "Świętopełk", "age": 29})

    assert client.get_boolean_value("aware", False, context)
    assert not client.get_boolean_value("aware", True, EvaluationContext(None, {"customer": "internal"}))


def test_a_context_changes_nothing_where_no_rule_looks(client):
    """Supplying a context is harmless (2.2.1)."""
    context = EvaluationContext(MISS, {"list": [1, "a"], "nested": {"deep": {"er": None}}})

    assert ("rust", None) == (
        details(client, "string", "served", "bye", context).value,
        details(client, "string", "served", "bye", context).error_code,
    )


def test_a_percentage_is_the_managers(client, manager):
    """The targeting key is the unit: both ways of asking put everybody on the same side, with reason SPLIT."""
    answers = {unit: details(client, "string", "half", "", EvaluationContext(unit)) for unit in map(str, range(40))}

    assert {unit: manager.serve("half", unit) for unit in answers} == {
        unit: answer.value for unit, answer in answers.items()
    }
    assert {"rust", "python"} == {answer.variant for answer in answers.values()}
    assert {Reason.SPLIT} == {answer.reason for answer in answers.values()}


@pytest.mark.parametrize("kind", ASKED)
def test_an_unknown_flag_returns_the_callers_default(client, kind):
    """FLAG_NOT_FOUND, reason ERROR, no variant, and a hint (1.4.8, 1.4.9, 1.4.13, 2.2.7)."""
    answer = details(client, kind, "servd", ASKED[kind])

    assert (ASKED[kind], Reason.ERROR, None) == (answer.value, answer.reason, answer.variant)
    assert ErrorCode.FLAG_NOT_FOUND == answer.error_code
    assert 'no rule file declares the flag "servd"; did you mean "served"?' == answer.error_message


@pytest.mark.parametrize("kind", ["integer", "float"])
@pytest.mark.parametrize("flag", ["served", "kept", "killed", "half"])
def test_no_flag_is_a_number(client, kind, flag):
    """TYPE_MISMATCH with the caller's default (1.3.4); the metadata say what was decided."""
    answer = details(client, kind, flag, ASKED[kind], EvaluationContext("u-1"))

    assert (ASKED[kind], Reason.ERROR) == (answer.value, answer.reason)
    assert ErrorCode.TYPE_MISMATCH == answer.error_code
    assert "a flag is a boolean, a string or an object, never a number" == answer.error_message
    assert "stage" in answer.flag_metadata


@pytest.mark.parametrize(("kind", "default", "value"), [("boolean", True, False), ("string", "rust", "python")])
def test_a_killed_flag_overrules_the_callers_default(client, kind, default, value):
    """Switched off is DISABLED and no error: a default written in a program must not bring a candidate back."""
    answer = details(client, kind, "killed", default)

    assert (value, Reason.DISABLED, "killed") == (answer.value, answer.reason, answer.flag_metadata["detail"])
    assert answer.error_code is None


@pytest.mark.parametrize(
    ("flag", "context", "message"),
    [
        ("half", None, 'expected a targeting key or the attribute "call_id" in the context, came none'),
        (
            "half",
            EvaluationContext(""),
            'expected a targeting key or the attribute "call_id" in the context, came none',
        ),
        ("by_user", EvaluationContext("u-1"), 'expected the attribute "user" in the context, came none'),
    ],
)
def test_a_percentage_without_a_unit_is_an_error(client, flag, context, message):
    """TARGETING_KEY_MISSING with the caller's default: a rollout that reaches nobody must not look like a quiet no."""
    answer = details(client, "boolean", flag, False, context)

    assert (False, Reason.ERROR, None) == (answer.value, answer.reason, answer.variant)
    assert ErrorCode.TARGETING_KEY_MISSING == answer.error_code
    assert f'"{flag}" draws by a unit: {message}' == answer.error_message
    assert "missing_unit" == answer.flag_metadata["detail"]


def test_a_unit_may_be_an_attribute(client):
    """A flag that hashes an attribute needs no targeting key."""
    answer = details(client, "boolean", "by_user", False, EvaluationContext(None, {"user": "u-1"}))

    assert (Reason.SPLIT, None) == (answer.reason, answer.error_code)


class Unreadable(UserDict):
    """Attributes whose own code fails, and quotes them."""

    def __iter__(self):
        raise RuntimeError("canary-5521")


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (EvaluationContext(3.5), "expected a text as targeting key, came float"),
        (EvaluationContext(["u"]), "expected a text as targeting key, came list"),
        (EvaluationContext("u", 7), "the evaluation context could not be read (TypeError)"),
        (EvaluationContext("u", Unreadable()), "the evaluation context could not be read (RuntimeError)"),
        (object(), "the evaluation context could not be read (AttributeError)"),
    ],
)
def test_an_unusable_context_is_an_error(provider, context, message):
    """INVALID_CONTEXT; the provider itself raises nothing, and quotes nothing."""
    answer = provider.resolve_boolean_details("half", True, context)

    assert (True, Reason.ERROR, ErrorCode.INVALID_CONTEXT) == (answer.value, answer.reason, answer.error_code)
    assert message == answer.error_message


@pytest.mark.parametrize("flag", [None, 5, ["served"]])
def test_a_key_of_another_type_is_an_unknown_flag(provider, flag):
    """Even what no type checker lets through is answered."""
    answer = provider.resolve_string_details(flag, "fallback")

    assert ("fallback", ErrorCode.FLAG_NOT_FOUND) == (answer.value, answer.error_code)
    assert f"expected a text as flag key, came {type(flag).__name__}" == answer.error_message


def test_threads_may_ask_together(client):
    """Eight threads that ask while rules change get answers of one revision or the other, and no error."""
    manager = client.provider._manager
    answers, start = [], threading.Barrier(9)

    def ask():
        start.wait()
        answers.extend(client.get_string_details("half", "", EvaluationContext("u-1")) for _ in range(200))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    start.wait()
    for _ in range(50):
        manager.block("half")
        manager.unblock("half")
    for thread in threads:
        thread.join(60)

    assert 1_600 == len(answers)
    assert {None} == {answer.error_code for answer in answers}
    assert {answer.reason for answer in answers} <= {Reason.SPLIT, Reason.DISABLED}
