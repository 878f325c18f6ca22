"""Paired timings, summed, written and read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.accel.native import Tally
from fast_litellm.shadow import Epoch, timing
from fast_litellm.shadow.evidence import Latency, Timings
from fast_litellm.shadow.timing import PairedTimes, Spent, Times

MS = 1_000_000
EPOCH = Epoch("feature", "build-1")


def summed(*pairs):
    """The sum of pairs of control and candidate; processor time is half of the time on the wall."""
    times = PairedTimes()
    for control, candidate in pairs:
        times.add(Times(control, candidate, control // 2, candidate // 4))
    return times


def read(*parts):
    """What is read of several processes."""
    return timing.total(json.dumps(part.as_json()) for part in parts)


def test_without_pairs_nothing_is_known():
    """No ratio is made up."""
    assert Timings(0, 0, 0, None, None) == read()
    assert Timings(0, 0, 0, None, None) == read(summed())


@pytest.mark.parametrize(
    ("control", "candidate", "faster", "tail"),
    [
        (10 * MS, 10 * MS - 1, 1, 0),
        (10 * MS, 10 * MS, 0, 0),
        (10 * MS, 20 * MS, 0, 0),
        (10 * MS, 20 * MS + 1, 0, 1),
        (1_000, 1_001_000, 0, 0),
        (1_000, 1_001_001, 0, 1),
        (0, 0, 0, 0),
    ],
)
def test_a_pair_is_faster_or_in_the_tail_or_neither(control, candidate, faster, tail):
    """A tie is not faster; the tail begins beyond twice the time and a millisecond more, whichever is later."""
    found = read(summed((control, candidate)))
    assert (1, faster, tail) == (found.pairs, found.faster, found.tail)


def test_equal_times_have_a_ratio_of_one():
    """So that a candidate that is as fast as the control is at the limit and not beyond it."""
    assert (1.0, 0.5) == (read(summed((100, 100))).ratio, read(summed((1_000, 1_000))).cpu_ratio)


@given(st.lists(st.tuples(st.integers(1, 10**12), st.integers(1, 10**12)), min_size=1, max_size=50))
def test_the_median_is_at_most_a_step_above_the_true_one(pairs):
    """It is rounded against the candidate, by no more than 2.2 %, as long as the ratio is one that can be kept."""
    ratios = sorted(max(2.0**-20, min(2.0**20, candidate / control)) for control, candidate in pairs)
    median = ratios[(len(ratios) - 1) // 2]
    found = read(summed(*pairs)).ratio
    assert median * 0.999999 <= found <= median * 2 ** (1 / 32) * 1.000001


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)), max_size=30), st.integers(0, 30))
def test_processes_add_up(pairs, cut):
    """Two processes that saw a part each have seen what one that saw all has."""
    assert read(summed(*pairs)) == read(summed(*pairs[:cut]), summed(*pairs[cut:]))


def test_a_ledger_keeps_them_by_epoch(open_ledger):
    """Two processes' pairs are summed; what was timed under an earlier build is not evidence for the next."""
    for _ in range(2):
        ledger = open_ledger()
        ledger.attach(EPOCH, Tally())
        ledger.record_times("feature", Times(100, 50, 100, 50))
        ledger.record_times("unknown", Times(1, 1, 1, 1))
        assert ledger.flush()
        ledger.record_times("feature", Times(100, 200, 100, 200))
        assert ledger.flush()
    evidence = ledger.evidence("feature")
    assert (4, 2, 0) == (evidence.timings.pairs, evidence.timings.faster, evidence.timings.tail)
    ledger.attach(Epoch("feature", "build-2"), Tally())
    assert ledger.flush()
    assert Timings() == ledger.evidence("feature").timings


def test_what_the_sides_took_is_summed_over_processes():
    """Quantiles are up to 2 % too high, and what comparing took is exact."""
    times = PairedTimes()
    for micros in range(1, 101):
        times.spend(Spent(micros * 1_000, micros * 100, 7))
    found = timing.latency([json.dumps(times.as_json())] * 2)

    assert (200, 1_400) == (found.control.calls, found.cpu_ns)
    assert [50_000, 90_000, 99_000] == [
        pytest.approx(it, rel=0.022) for it in (found.control.p50, found.control.p90, found.control.p99)
    ]
    assert found.control.p99 >= 99_000
    assert found.candidate.p50 == pytest.approx(5_000, rel=0.022)


def test_a_ledger_of_an_earlier_version_says_nothing_of_latency():
    """Nor does one without comparisons."""
    assert Latency() == timing.latency(['{"pairs": 1, "faster": 1, "tail": 0, "ratios": {"0": 1}, "cpu_ratios": {}}'])
    assert Latency() == timing.latency([])


def test_what_a_comparison_took_is_in_the_ledger_and_in_its_process(open_ledger):
    """Of the present epoch; an unknown feature has none."""
    ledger = open_ledger()
    ledger.attach(EPOCH, Tally())
    ledger.record_spent("feature", Spent(2_000, 1_000, 5_000))
    ledger.record_spent("unknown", Spent(1, 1, 1))
    assert ledger.flush()
    own, shown = ledger.latency("feature"), ledger.status()["features"]["feature"]["latency"]

    assert own == ledger.evidence("feature").latency
    assert (1, 5_000, own.control.p50) == (own.control.calls, shown["cpu_ns"], shown["control"]["p50"])
    assert Latency() == ledger.latency("unknown")
