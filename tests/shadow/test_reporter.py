"""What is told of a difference: to whom, in which order, and with what."""

from __future__ import annotations

import contextlib
import json
import os

import pytest

from fast_litellm import events
from fast_litellm.shadow import Limits, comparators, engine, machinery

CANARY = "kanarienvogel"
DEADLINE_S = 30
SIDES = ("outcome", "type", "length", "digest", "safe_value", "frame")


def refuse(*_args, **_kwargs):
    """Quotes its input."""
    raise LookupError(f"no such user: {CANARY}")


def answer(*_args, **_kwargs):
    """Answers with its input."""
    return {CANARY: [CANARY, 1]}


def change(*args, **_kwargs):
    """Leaves its input behind in its arguments."""
    args[0][CANARY].append(CANARY + "x")
    return {CANARY: [CANARY, 1]}


class Broken:
    """An engine whose digests and shapes fail."""

    def __init__(self, sound):
        self._sound = sound

    def __getattr__(self, name):
        return getattr(self._sound, name)

    def digest(self, *_):
        """Fails."""
        raise ValueError

    def shape_values(self, *_):
        """Fails."""
        raise ValueError


@pytest.fixture
def report(make_runner, sink):
    """Runs one call; returns what the sink was told."""

    def run(control, candidate, *args, comparator=comparators.exact, limits=None, **kwargs):
        options = {"limits": limits} if limits else {}
        runner = make_runner(control, candidate, comparator=comparator, **options)
        with contextlib.suppress(LookupError):
            runner.observe(args, kwargs)
        assert runner.drain(DEADLINE_S)
        return sink.comparisons[-1]

    return run


def told(log):
    """The event of the divergence."""
    return next(each for each in log if each["event"] == events.DIVERGENCE)


def test_an_event_has_every_field(report, log):
    """Which input, shape, path and process it was, what differs, by which rule, and how sure it is."""
    comparison = report(lambda text: 1, lambda text: 2, "hello")
    event = told(log)
    assert 2 == event["schema_version"]
    assert ("diverged", "value", "$", True, False) == tuple(
        event[name] for name in ("outcome", "kind", "path", "confirmed_on_rerun", "control_rerun_differs")
    )
    assert ("control", "control_first", "off_path", "blocked") == tuple(
        event[name] for name in ("served", "order", "exec_path", "action")
    )
    assert (os.getpid(), 16, comparators.exact.name) == (event["pid"], len(event["input_digest"]), event["rule"])
    assert {"ascii"} == {event["shape"]["unicode"]}
    assert event["host"]
    assert event.items() >= comparison.as_event().items()


def test_equal_inputs_have_equal_digests(report):
    """So that ten divergences of one input are told from ten of ten."""
    first, again, other = (report(lambda text: 1, lambda text: 2, text) for text in ("a", "a", "b"))
    assert first.input_digest == again.input_digest != other.input_digest


def test_an_exception_is_told_by_class_and_frame(report, log):
    """What it says is content, where it was raised is not."""
    report(answer, refuse)
    assert ("exception", "LookupError", "refuse") == tuple(
        told(log)["candidate"][name] for name in ("outcome", "type", "frame")
    )


def test_the_controls_exception_has_its_frame_too(report, log):
    """It was raised on the caller's path."""
    report(refuse, answer)
    assert ("exception_against_value", "refuse") == (told(log)["kind"], told(log)["control"]["frame"])


@pytest.mark.parametrize(
    ("control", "candidate", "delta"),
    [
        (7, 9, {"absolute": 2.0, "relative": 2 / 9, "ulp": None}),
        (2.0, 4.0, {"absolute": 2.0, "relative": 0.5, "ulp": 2**52}),
        (7, "9", None),
        (float("nan"), 1.0, None),
        (10**400, 1, {"absolute": None, "relative": 1.0, "ulp": None}),
    ],
)
def test_numbers_that_are_no_content_have_a_distance(report, log, control, candidate, delta):
    """Absolute, relative and in steps of floats."""
    numbers = comparators.Exact(safe_types=(int, float))
    report(lambda: control, lambda: candidate, comparator=numbers)
    assert delta == told(log)["delta"]


def test_the_distance_of_other_numbers_is_not_told(report, log):
    """From one of them it would tell the other."""
    report(lambda: 7, lambda: 9)
    assert told(log)["delta"] is None


@pytest.mark.parametrize(
    ("control", "candidate"), [(answer, refuse), (refuse, answer), (answer, change), (refuse, change)]
)
def test_nothing_told_holds_content(report, log, control, candidate):
    """A canary in every argument, key, user name, answer and message is in no event and no stored sample."""
    message = {"role": "user", "name": CANARY, "content": [{"type": "text", "text": CANARY}]}
    comparison = report(control, candidate, {CANARY: [CANARY]}, messages=[message], user=CANARY, **{CANARY: {CANARY}})
    assert {events.DIVERGENCE, events.FEATURE_BLOCKED} == {each["event"] for each in log}
    assert CANARY not in json.dumps([log, comparison.as_event()]).lower()
    assert CANARY not in repr(comparison).lower()


def test_what_can_be_stored_comes_back_as_it_was(report):
    """The ledger keeps events as JSON."""
    event = report(answer, refuse, {CANARY: [CANARY]}).as_event()
    assert event == json.loads(json.dumps(event))


def test_a_difference_that_cannot_be_told_of_still_blocks(report, log, monkeypatch):
    """What is not known is left out, and the failure counted."""
    monkeypatch.setattr(engine, "_engine", Broken(engine.current()))
    comparison = report(lambda text: 1, lambda text: 2, "hello")
    assert ("blocked", "", {}) == (comparison.action, comparison.input_digest, comparison.shape)
    assert {"digest: ValueError", "shape: ValueError"} <= set(machinery.failures())


def test_the_way_it_was_run_is_told(report):
    """A process of its own finds other faults than a thread does."""
    comparison = report(os.path.basename, os.path.dirname, "a/b", limits=Limits(mode="isolated", deadline_ms=10_000))
    assert "isolated" == comparison.exec_path
