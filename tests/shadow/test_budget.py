"""How much processor time the shadow may use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.shadow import Budget

MS = 1_000_000


class Clock:
    """A clock that is moved by hand."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """A clock that is moved by hand."""
    return Clock()


def work(budget, cost_ns):
    """One comparison, if the budget allows it."""
    if not budget.allows():
        return False
    budget.settle(budget.reserve(), cost_ns)
    return True


def test_a_burst_is_allowed_and_then_nothing(clock):
    """After 250 ms of work in no time, nothing more is allowed."""
    budget = Budget(0.05, 250, clock=clock)
    assert 25 == sum(work(budget, 10 * MS) for _ in range(100))


def test_time_fills_the_bucket_by_the_share(clock):
    """Five percent of a second are fifty milliseconds."""
    budget = Budget(0.05, 250, clock=clock)
    while work(budget, 10 * MS):
        pass
    clock.now += 1_000 * MS
    assert 5 == sum(work(budget, 10 * MS) for _ in range(100))


def test_a_debt_is_paid_before_the_next_comparison(clock):
    """A single comparison of ten seconds is paid off by two hundred seconds, less the burst."""
    budget = Budget(0.05, 250, clock=clock)
    assert work(budget, 10_000 * MS)
    clock.now += 194_000 * MS
    assert not budget.allows()
    clock.now += 2_000 * MS
    assert budget.allows()


def test_waiting_comparisons_count_before_they_cost(clock):
    """Many comparisons accepted at once are limited by what earlier ones cost, though none of them has run."""
    budget = Budget(0.05, 250, clock=clock)
    for _ in range(50):
        budget.settle(budget.reserve(), 10 * MS)
        clock.now += 1_000 * MS
    accepted = 0
    while budget.allows():
        budget.reserve()
        accepted += 1
    assert 25 <= accepted <= 26


def test_what_is_given_up_costs_nothing(clock):
    """A call that is shed after it was accepted gives its reservation back."""
    budget = Budget(0.05, 250, clock=clock)
    for _ in range(100_000):
        budget.settle(budget.reserve(), 0)
    assert budget.allows()


@given(st.floats(0.01, 0.9), st.lists(st.tuples(st.integers(0, 500), st.integers(1, 400)), min_size=1))
def test_the_share_is_never_exceeded_for_long(share, steps):
    """Work done never exceeds burst and share of the time, but for the one comparison that overdraws."""
    clock = Clock()
    budget = Budget(share, 250, clock=clock)
    spent, dearest = 0, 0
    for pause_ms, cost_ms in steps:
        clock.now += pause_ms * MS
        if work(budget, cost_ms * MS):
            spent, dearest = spent + cost_ms, max(dearest, cost_ms)
    assert spent <= 250 + share * clock.now / MS + dearest + 1e-6


def test_the_whole_core_needs_no_accounts(clock):
    """A share of one allows everything, for tests and for whoever has a core to spare."""
    budget = Budget(1, 250, clock=clock)
    assert all(work(budget, 1_000 * MS) for _ in range(100))


@pytest.mark.parametrize(("share", "burst_ms"), [(0, 250), (1.01, 250), (-1, 250), (float("nan"), 250), (0.5, 0)])
def test_impossible_budgets_are_refused(share, burst_ms):
    """A share is above nothing and at most one core."""
    with pytest.raises(ValueError, match="must be above 0"):
        Budget(share, burst_ms)
