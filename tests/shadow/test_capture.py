"""Calls that differed, kept whole and sealed, when somebody has asked for them."""

from __future__ import annotations

import pytest

from fast_litellm import events
from fast_litellm.accel.native import Tally
from fast_litellm.shadow import Epoch, FunctionCandidate, capture, comparators, sealing
from fast_litellm.shadow.capture import Captor, Terms
from fast_litellm.shadow.experiment import Experiment
from fast_litellm.shadow.observation import Comparison, Description
from fast_litellm.shadow.runner import ShadowRunner

CANARY = "kanarienvogel"
DEADLINE_S = 30
NOON = 1_764_158_400.0
CALL = ((CANARY,), {"user": CANARY})


class Clock:
    """Seconds that pass when told to."""

    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """A clock at noon."""
    return Clock()


@pytest.fixture
def keys():
    """A private and a public key."""
    return sealing.make_keys()


@pytest.fixture
def captor(keys, clock):
    """Captures one feature for an hour."""
    return Captor(Terms(frozenset({"feature"}), keys[1], NOON + 3_600, most=5), sealing.seal, clock)


def comparison(feature="feature", outcome="diverged", fingerprint="a1" * 16):
    """A comparison that did not match."""
    return Comparison(feature, "build-1", "exact/1", outcome, Description("value", fingerprint=fingerprint))


def test_a_call_that_differs_is_sealed_before_it_goes_anywhere(captor, keys):
    """The row holds nothing of it; the private key opens it."""
    assert captor.take(comparison(), CALL)
    (row,) = captor.pending
    assert CANARY not in repr(row)
    assert CALL == capture.call_of(sealing.unseal(keys[0], row["sealed"]))


@pytest.mark.parametrize("other", [comparison("other"), comparison(outcome="waived")], ids=["feature", "noise"])
def test_nothing_else_is_captured(captor, other):
    """Neither another feature's calls nor what counts as noise."""
    assert (False, []) == (captor.take(other, CALL), captor.pending)


def test_it_ends_by_itself(captor, clock):
    """At the moment that was said."""
    clock.now += 3_599
    assert captor.take(comparison(), CALL)
    clock.now += 1
    assert not captor.take(comparison(fingerprint="b2" * 16), CALL)


def test_there_is_a_quota(captor):
    """Three of a class, and so many of a feature as were asked for."""
    taken = [captor.take(comparison(fingerprint=f"{number % 3}" * 32), CALL) for number in range(12)]
    assert [True] * 5 + [False] * 7 == taken


@pytest.mark.parametrize(("call", "reason"), [(((object(),), {}), "no_literal"), ((("x" * 2**17,), {}), "size")])
def test_what_cannot_be_captured_is_told_once(captor, log, call, reason):
    """Without a word of its content."""
    assert [False, False] == [captor.take(comparison(), call) for _ in range(2)]
    told = [(it["event"], it["feature"], it["reason"]) for it in log]
    assert [(events.CAPTURE_REFUSED, "feature", reason)] == told


@pytest.fixture
def capturing(open_ledger, captor, clock):
    """A ledger that captures."""
    ledger = open_ledger(captor=captor)
    ledger._clock = clock
    ledger.attach(Epoch("feature", "build-1"), Tally())
    return ledger


def capture_one(ledger, number=0):
    """Records a difference and its call, and writes both."""
    found = comparison(fingerprint=f"{number:032x}")
    ledger.record(found)
    ledger.capture(found, CALL)
    assert ledger.flush()
    return found.fingerprint


def test_the_ledger_keeps_it_sealed_for_a_week(capturing, keys, clock):
    """Then it is not shown any more."""
    fingerprint = capture_one(capturing)
    (found,) = capturing.captures(fingerprint)
    assert CALL == capture.call_of(sealing.unseal(keys[0], bytes(found["sealed"])))
    assert 1 == capturing.show(fingerprint)["captured"]
    clock.now += capture.KEPT_SECONDS
    assert [] == capturing.captures(fingerprint)


def test_the_quota_is_that_of_all_processes(capturing, open_ledger, keys, clock):
    """What another process has written counts."""
    other = open_ledger(captor=Captor(capturing._captor._terms, sealing.seal, clock))
    other.attach(Epoch("feature", "build-1"), Tally())
    written = [capture_one(ledger, number) for number, ledger in enumerate([capturing, other] * 4)]
    assert 5 == sum(len(capturing.captures(fingerprint)) for fingerprint in written)


def test_without_being_asked_a_ledger_captures_nothing(open_ledger):
    """Which is the default."""
    ledger = open_ledger()
    assert (False, []) == (ledger.capture(comparison(), CALL), ledger.captures(comparison().fingerprint))


def test_a_call_of_a_program_is_captured_where_it_is_compared(capturing, keys):
    """From the caller's path to the ledger."""
    experiment = Experiment(
        "feature", lambda text, **more: 1, FunctionCandidate(lambda text, **more: 2, "build-1"), comparators.exact
    )
    runner = ShadowRunner(experiment, tally=Tally(), sink=capturing)
    runner.observe(*CALL)
    assert runner.drain(DEADLINE_S)
    runner.close()
    assert capturing.flush()
    (record,) = capturing.divergences()
    (found,) = capturing.captures(record["fingerprint"])
    assert CALL == capture.call_of(sealing.unseal(keys[0], bytes(found["sealed"])))


@pytest.mark.parametrize("data", [b"1", b"\xff", b"f()", b"(1, 2, 3)"])
def test_what_is_no_call_is_refused(data):
    """Without being run."""
    with pytest.raises(ValueError, match=r"cannot be read|malformed|unpack"):
        capture.call_of(data)
