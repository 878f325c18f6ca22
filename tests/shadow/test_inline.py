"""Both sides on the caller's thread."""

from __future__ import annotations

import threading
import time

import pytest

from fast_litellm.errors import Declined
from fast_litellm.shadow import Epoch, Gate, Limits, machinery
from fast_litellm.shadow.checks import Step
from fast_litellm.shadow.inline import Inline

DEADLINE_S = 30
LIMITS = Limits(mode="inline", deadline_ms=60_000)
PROOF = 100


class Sides:
    """Two functions that write down when and where they ran."""

    def __init__(self):
        self.ran = []
        self.answers = {"control": lambda value: value, "candidate": lambda value: value}

    def control(self, value):
        self.ran.append(("control", threading.current_thread()))
        return self.answers["control"](value)

    def candidate(self, value):
        self.ran.append(("candidate", threading.current_thread()))
        return self.answers["candidate"](value)

    def here(self):
        """What ran on the test's thread, in order."""
        return [name for name, thread in self.ran if thread is threading.current_thread()]


class Passing:
    """Stands in for `time`: only what takes time makes it pass, whatever else the machine does."""

    def __init__(self):
        self.now = 0
        self.perf_counter_ns = self.thread_time_ns = lambda: self.now

    def taking(self, nanoseconds):
        """A function that takes so long, and returns what it is given."""

        def take(value):
            self.now += nanoseconds
            return value

        return take


@pytest.fixture
def sides():
    return Sides()


@pytest.fixture
def make_inline(make_runner, sides):
    """Makes an observer of a candidate that has proved itself. `draws` are given in turn, then 0 for ever."""

    def make(draws=(), proof=PROOF):
        runner = make_runner(sides.control, sides.candidate, limits=LIMITS)
        for _ in range(proof):
            runner.observe((0,), {})
        assert runner.drain(DEADLINE_S)
        sides.ran.clear()
        remaining = list(draws)
        inline = Inline(runner, lambda: remaining.pop(0) if remaining else 0.0)
        inline.runner = runner
        return inline

    return make


def test_both_sides_run_on_the_callers_thread_in_random_order(make_inline, sides, balanced, sink):
    """The candidate runs first at a draw below a half."""
    inline = make_inline([0, 0.49, 0, 0.51])
    orders = []
    for number in (1, 2):
        sides.ran.clear()
        assert number == inline.observe((number,), {})
        assert inline.runner.drain(DEADLINE_S)
        orders.append(sides.here())
    assert [["candidate", "control"], ["control", "candidate"]] == orders
    assert (PROOF + 2, 2) == (balanced()["matched"], len(sink.times))


def test_only_a_share_is_run_so(make_inline, sides, sink):
    """At a draw of 1 % or more, the call is compared as always."""
    inline = make_inline([0.01])
    inline.observe((1,), {})
    assert inline.runner.drain(DEADLINE_S)
    assert (["control"], []) == (sides.here(), sink.times)


def test_a_candidate_that_has_not_proved_itself_is_kept_off_the_caller(make_inline, sides):
    """One match too few, and it runs on the worker."""
    inline = make_inline(proof=PROOF - 1)
    inline.observe((1,), {})
    assert ["control"] == sides.here()


def test_a_candidate_that_panicked_once_is_kept_off_the_caller(make_inline, sides):
    """However often it has matched."""
    inline = make_inline()

    def panic(_value):
        raise type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})

    sides.answers["candidate"] = panic
    inline.runner.observe((1,), {})
    assert inline.runner.drain(DEADLINE_S)
    sides.ran.clear()
    inline.observe((1,), {})
    assert ["control"] == sides.here()


def test_times_are_those_of_each_side(make_inline, sides, sink):
    """On the wall and on the processor, whichever ran first."""

    def spin(_value):
        until = time.thread_time_ns() + 5_000_000
        while time.thread_time_ns() < until:
            pass

    inline = make_inline([0, 0, 0, 1])
    sides.answers["control"] = spin
    sides.answers["candidate"] = lambda _value: None
    for _ in range(2):
        inline.observe((1,), {})
    assert inline.runner.drain(DEADLINE_S)
    for times in sink.times:
        assert min(times.control_ns, times.control_cpu_ns) >= 5_000_000 > times.candidate_cpu_ns
        assert times.candidate_ns > 0
    assert 2 == len(sink.times)


@pytest.mark.parametrize("order", [0, 1])
def test_the_caller_gets_the_controls_own_object(make_inline, sides, sink, order):
    """And a difference is found as always; it is no timing."""
    inline, value = make_inline([0, order]), ["the control's"]
    sides.answers = {"control": lambda _value: value, "candidate": lambda _value: ["the candidate's"]}
    assert value is inline.observe((1,), {})
    assert inline.runner.drain(DEADLINE_S)
    assert ([("value", True)], []) == (
        [(it.description.kind, it.confirmed_on_rerun) for it in sink.comparisons],
        sink.times,
    )


@pytest.mark.parametrize("order", [0, 1])
def test_the_caller_gets_the_controls_own_exception(make_inline, sides, balanced, sink, order):
    """The candidate then is tried on the worker, and an equal exception matches."""
    inline, error = make_inline([0, order]), ValueError("x")

    def fail(_value):
        raise error

    sides.answers = {"control": fail, "candidate": fail}
    with pytest.raises(ValueError, match="x") as caught:
        inline.observe((1,), {})
    assert (error, None, None) == (caught.value, error.__context__, error.__cause__)
    assert inline.runner.drain(DEADLINE_S)
    assert (PROOF + 1, []) == (balanced()["matched"], sink.times)


def test_an_interrupted_control_is_not_compared(make_inline, sides, balanced):
    """The interrupt is the caller's."""
    inline, error = make_inline(), KeyboardInterrupt()

    def fail(_value):
        raise error

    sides.answers["control"] = fail
    with pytest.raises(KeyboardInterrupt) as caught:
        inline.observe((1,), {})
    assert error is caught.value
    assert {"control_interrupted": 1} == balanced()["shed"]


@pytest.mark.parametrize("order", [0, 1])
def test_the_candidate_works_on_a_copy(make_inline, sides, sink, order):
    """What it does to its arguments is a difference, and nothing of it is seen by the caller or by the control."""
    inline, mine = make_inline([0, order]), ["original"]
    sides.answers["candidate"] = lambda value: value.append("added")
    sides.answers["control"] = lambda value: None if value == ["original"] else value
    assert None is inline.observe((mine,), {})
    assert ["original"] == mine
    assert inline.runner.drain(DEADLINE_S)
    assert ["mutation"] == [it.description.kind for it in sink.comparisons]


def test_the_gate_judges_speed_by_these_pairs(make_runner, sides, tally, open_ledger, monkeypatch):
    """From the caller's thread through the ledger to the checks: without pairs they do not hold, with them they do."""
    clock = Passing()
    monkeypatch.setattr("fast_litellm.shadow.inline.time", clock)
    ledger = open_ledger()
    ledger.attach(Epoch("feature", "build-1"), tally)
    runner = make_runner(sides.control, sides.candidate, limits=LIMITS, sink=ledger)
    inline = Inline(runner, lambda: 0.0)
    sides.answers = {"control": clock.taking(40_000), "candidate": clock.taking(2_000)}
    verdicts = []
    for pairs in (PROOF, 1_000):
        for number in range(pairs):
            inline.observe((number,), {})
            assert runner.drain(DEADLINE_S)  # a worker that is busy would take turns of the interpreter
        assert ledger.flush()
        verdicts.append(Gate().judge(ledger.evidence("feature"), Step("shadow"), time.time()))
    speed = [[(it.name, it.holds) for it in verdict.checks if it.name in {"latency", "tail"}] for verdict in verdicts]
    assert [[("latency", holds), ("tail", holds)] for holds in (False, True)] == speed
    assert 1_000 == ledger.evidence("feature").timings.pairs


def test_a_late_decline_is_met_on_the_worker(make_inline, sides, balanced):
    """It is counted once."""
    inline = make_inline()

    def decline(_value):
        raise Declined("too_long")

    sides.answers["candidate"] = decline
    assert 1 == inline.observe((1,), {})
    assert inline.runner.drain(DEADLINE_S)
    assert ({"too_long": 1}, {"declined": 1}) == (balanced()["declined"], balanced()["shed"])


def test_a_value_that_cannot_be_copied_is_met_on_the_worker(make_inline, sides, balanced):
    """The failure of the machinery is counted, and the call is compared as always."""
    inline = make_inline()
    sides.answers["candidate"] = lambda _value: object()
    assert 1 == inline.observe((1,), {})
    assert inline.runner.drain(DEADLINE_S)
    assert (1, {"inline: Unsnapshotable": 1}) == (balanced()["diverged"], machinery.failures())


def test_a_call_from_within_the_candidate_is_shed(make_inline, sides, balanced):
    """A candidate that comes back to its seam on the caller's thread is not compared inside its comparison."""
    inline = make_inline()
    sides.answers["candidate"] = lambda value: inline.runner.observe((value,), {}) if value else value
    assert 1 == inline.observe((1,), {})
    assert inline.runner.drain(DEADLINE_S)
    assert {"nested": 1} == balanced()["shed"]
