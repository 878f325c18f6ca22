"""Evaluation events: which are emitted, and what is in them."""

from __future__ import annotations

import math

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.semconv._incubating.attributes import error_attributes, feature_flag_attributes

from fast_litellm import events as log_events
from fast_litellm.flags import FlagManager
from fast_litellm.flags.evaluation import Evaluation
from fast_litellm.flags.openfeature import EvaluationHook, FastLitellmProvider
from fast_litellm.flags.telemetry import EvaluationEvents

CALLS = 10_000
FLAGS = {
    "parser": {"otherwise": {"split": {"rust": 50, "python": 50}}},
    "served": {"otherwise": "rust"},
}
EVALUATED = Evaluation("parser", "rust", "SPLIT", "r-1")


class Collector:
    """Keeps what would have been sent."""

    def __init__(self):
        self.exporter = InMemoryLogRecordExporter()
        self.provider = LoggerProvider(shutdown_on_exit=False)
        self.provider.add_log_record_processor(SimpleLogRecordProcessor(self.exporter))

    @property
    def records(self):
        """Every record, as the exporter got it."""
        return [exported.log_record for exported in self.exporter.get_finished_logs()]

    @property
    def attributes(self):
        """The attributes of each record."""
        return [dict(record.attributes) for record in self.records]


@pytest.fixture
def collector():
    """A collector in memory."""
    collector = Collector()
    yield collector
    collector.provider.shutdown()


@pytest.fixture
def tell(collector):
    """Makes events of a share that go to the collector."""
    return lambda share, **options: EvaluationEvents(share, logger_provider=collector.provider, **options)


@pytest.fixture
def manager():
    """A manager of the flags above."""
    return FlagManager.from_dict({"version": 1, "flags": FLAGS})


def test_an_event_follows_the_conventions(collector, manager, tell):
    """Name and attributes; the decision is the manager's."""
    decision = tell(100, flag_set="production").decide(manager, "parser", unit="u-1")
    [record] = collector.records

    assert manager.decide("parser", unit="u-1") == decision
    assert ("feature_flag.evaluation", None) == (record.event_name, record.body)
    assert {
        "feature_flag.key": "parser",
        "feature_flag.result.variant": decision.serve,
        "feature_flag.result.reason": "split",
        "feature_flag.provider.name": "fast-litellm",
        "feature_flag.set.id": "production",
        "feature_flag.version": decision.revision,
    } == dict(record.attributes)


def test_an_error_is_told_by_its_class(collector, manager, tell):
    """`error.type` in lower case, and a message of our own."""
    tell(100).decide(manager, "missing")

    assert {
        "feature_flag.key": "missing",
        "feature_flag.result.variant": "python",
        "feature_flag.result.reason": "error",
        "feature_flag.provider.name": "fast-litellm",
        "feature_flag.version": manager.cell.revision,
        "error.type": "flag_not_found",
        "feature_flag.error.message": "no rules declare the flag",
    } == collector.attributes[0]


def test_every_attribute_is_one_of_the_conventions(collector, tell):
    """The names are those that OpenTelemetry publishes, and none of its deprecated ones."""
    tell(100, flag_set="s", context_key=b"k").record(EVALUATED._replace(error_code="FLAG_NOT_FOUND"), "u-1")
    published = {value for name, value in vars(feature_flag_attributes).items() if name.startswith("FEATURE_FLAG_")} | {
        error_attributes.ERROR_TYPE
    }

    assert 9 == len(collector.attributes[0])
    assert collector.attributes[0].keys() <= published
    assert not any(".evaluation." in name for name in collector.attributes[0])


@pytest.mark.parametrize("unit", [None, "u-1", 7])
def test_nothing_is_told_of_a_share_of_nothing(collector, manager, tell, unit):
    """0 emits nothing, 100 everything."""
    none, every = tell(0), tell(100)
    for _ in range(50):
        none.decide(manager, "parser", unit=unit)
    before = len(collector.records)
    for _ in range(50):
        every.decide(manager, "parser", unit=unit)

    assert (0, 50) == (before, len(collector.records))


@pytest.mark.parametrize("share", [0.5, 10, 62.5])
def test_the_share_of_units_is_the_share_that_was_asked_for(collector, tell, share):
    """Within four standard deviations of a binomial."""
    events = tell(share)
    for number in range(CALLS):
        events.record(EVALUATED, f"u-{number}")

    deviation = math.sqrt(CALLS * share / 100 * (1 - share / 100))
    assert abs(len(collector.records) - CALLS * share / 100) <= 4 * deviation


@pytest.mark.parametrize("share", [0.5, 10, 62.5])
@pytest.mark.parametrize("flags", [1, 2, 3])
def test_calls_without_a_unit_are_told_evenly(collector, tell, share, flags):
    """The share is kept to a few calls, also for each of several flags that are asked in turn."""
    events = tell(share)
    for number in range(CALLS):
        events.record(EVALUATED._replace(flag=f"flag-{number % flags}"))

    for index in range(flags):
        told = sum(attributes["feature_flag.key"] == f"flag-{index}" for attributes in collector.attributes)
        assert abs(told - CALLS / flags * share / 100) <= 8


def test_a_unit_is_told_of_always_or_never(collector, tell):
    """In every process alike: the choice depends on the flag and the unit alone."""
    rounds = []
    for events in (tell(30), tell(30)):
        for number in range(200):
            events.record(EVALUATED._replace(version=f"u-{number}"), f"u-{number}")
        rounds.append([attributes["feature_flag.version"] for attributes in collector.attributes])
        collector.exporter.clear()

    assert 0 < len(rounds[0]) < 200
    assert rounds[0] == rounds[1]


def test_flags_are_chosen_independently(collector, tell):
    """Two tenths of the same units overlap by a hundredth, within four standard deviations."""
    events = tell(10)
    told = []
    for flag in ("parser", "lexer"):
        for number in range(CALLS):
            events.record(EVALUATED._replace(flag=flag, version=str(number)), f"u-{number}")
        told.append({attributes["feature_flag.version"] for attributes in collector.attributes})
        collector.exporter.clear()

    assert abs(len(told[0] & told[1]) - CALLS / 100) <= 4 * math.sqrt(CALLS * 0.01 * 0.99)


def test_a_unit_that_is_no_valid_unicode_is_told_of(collector, tell):
    """JSON can smuggle in half of a surrogate pair."""
    tell(100).record(EVALUATED, "\ud800")

    assert 1 == len(collector.records)


def test_the_choice_is_independent_of_the_rollout(collector, manager, tell):
    """Among those told of, both sides of a split appear as often as among all."""
    events = tell(20)
    for number in range(CALLS):
        events.decide(manager, "parser", unit=f"u-{number}")
    told = collector.attributes
    served = sum(attributes["feature_flag.result.variant"] == "rust" for attributes in told)

    assert abs(served - len(told) / 2) <= 4 * math.sqrt(len(told) / 4)


@pytest.mark.parametrize("by", ["directly", "through OpenFeature"])
def test_no_unit_and_no_attribute_is_ever_told(collector, manager, tell, by):
    """A canary in the unit, the attributes, the default and the errors' own texts appears in no record."""
    canary = "canary-7731"
    events = tell(100, context_key=b"secret")
    attributes = {"email": canary, "nested": {canary: canary}}
    if by == "directly":
        for flag in ("parser", "served", "missing"):
            events.decide(manager, flag, unit=canary, attributes=attributes)
    else:
        api.set_provider_and_wait(FastLitellmProvider(manager, hooks=[EvaluationHook(events)]), "canary")
        client = api.get_client("canary")
        for flag in ("parser", "served", "missing"):
            client.get_string_value(flag, canary, EvaluationContext(canary, attributes))
            client.get_integer_value(flag, 1, EvaluationContext(canary, attributes))
        client.get_boolean_value("parser", True, EvaluationContext([canary], attributes))
        api.shutdown()
    told = [exported.to_json() for exported in collector.exporter.get_finished_logs()]

    assert {"directly": 3, "through OpenFeature": 7}[by] == len(told)
    assert [] == [text for text in told if canary in text]


def test_a_digest_of_the_unit_is_told_only_on_demand(collector, tell):
    """Under a key it is the same for the same unit, another for another unit or key; without a key there is none."""
    for key in (None, b"one", b"two"):
        for unit in ("u-1", "u-1", "u-2"):
            tell(100, context_key=key).record(EVALUATED, unit)
    tell(100, context_key=b"one").record(EVALUATED)
    told = [attributes.get("feature_flag.context.id") for attributes in collector.attributes]

    assert [None] * 3 == told[:3]
    assert (told[3], told[6]) == (told[4], told[7])
    assert 4 == len(set(told[3:9]))
    assert {32} == {len(digest) for digest in told[3:9]}
    assert [None] == told[9:]


class Rude(str):
    """A text whose own code fails."""

    def encode(self, *_, **__):
        raise RuntimeError("canary-5521")


@pytest.mark.parametrize(
    "unit",
    [pytest.param(10**5000, id="long"), pytest.param(Rude("u"), id="rude"), "\ud800", True, 3.5, object(), b"u", ""],
)
def test_no_unit_makes_telemetry_fail(manager, tell, unit):
    """The caller gets his decision whatever the unit is."""
    assert manager.decide("parser", unit=unit) == tell(50).decide(manager, "parser", unit=unit)


@given(
    flag=st.text() | st.none() | st.integers(), unit=st.none() | st.text() | st.integers() | st.binary() | st.floats()
)
def test_recording_never_raises(flag, unit):
    """For every flag and unit there is a record or none."""
    collector = Collector()
    events = EvaluationEvents(100, logger_provider=collector.provider)
    events.record(EVALUATED._replace(flag=flag), unit)
    collector.provider.shutdown()

    assert 1 == len(collector.records)


def test_a_failing_exporter_is_logged_by_its_class(manager):
    """The decision is made; the log names the class, not the text."""

    class Failing:
        """A provider whose logger raises."""

        def get_logger(self, *_, **__):
            return self

        def emit(self, **_):
            raise OSError("canary-5521")

    structlog.configure(processors=[capture := structlog.testing.LogCapture()])
    decision = EvaluationEvents(100, logger_provider=Failing()).decide(manager, "served")

    assert "rust" == decision.serve
    assert [{"event": log_events.RULES_STEP_FAILED, "exception_class": "OSError"}] == [
        {name: entry[name] for name in ("event", "exception_class")} for entry in capture.entries
    ]


@pytest.mark.parametrize("share", [-1, 100.0001, 0.00001, 33.33333, math.nan, math.inf])
def test_a_share_is_a_percentage(share):
    """The steps are those of rule files; nothing is rounded."""
    with pytest.raises(
        ValueError, match=f"share: expected a percentage from 0 to 100, came {share}\n    hint: 0.0001 is"
    ):
        EvaluationEvents(share)


@pytest.mark.parametrize("share", [0, 0.0001, 0.3, 33.3333, 99.9999, 100])
def test_every_step_of_a_share_is_exact(share):
    """Also those that binary numbers cannot hold."""
    assert round(share * 10_000) == EvaluationEvents(share)._threshold


@pytest.mark.parametrize("key", [b"", b"k" * 65])
def test_a_key_has_a_length(key):
    """The hash takes 1 to 64 bytes; an empty key would be none."""
    with pytest.raises(ValueError, match=f"context_key: expected 1 to 64 bytes, came {len(key)}"):
        EvaluationEvents(1, context_key=key)
