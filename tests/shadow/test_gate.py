"""The judge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.shadow import Gate
from fast_litellm.shadow.counts import unflatten


def reading(**counts):
    """A reading with these counts; every comparison is offered unless something else is said."""
    counts = {"compared": counts.get("matched", 0) + counts.get("diverged", 0) + counts.get("waived", 0), **counts}
    return unflatten({"offered": counts["compared"], **counts})


@pytest.mark.parametrize(
    ("max_rate", "alpha", "needed"),
    [(1e-3, 0.05, 2_995), (1e-3, 0.01, 4_603), (1e-4, 0.05, 29_956), (1e-5, 0.01, 460_515), (1e-6, 0.001, 6_907_752)],
)
def test_the_bound_is_exact(max_rate, alpha, needed):
    """The number of clean comparisons is the smallest n with (1 - p0)^n <= alpha."""
    assert needed == Gate(max_rate, alpha).needed


def test_enough_clean_comparisons_promote():
    """The verdict changes at the exact number, and what is missing is said until then."""
    gate = Gate(1e-3, 0.05)
    assert "promote" == gate.judge(reading(matched=2_995)).decision
    almost = gate.judge(reading(matched=2_994))
    assert ("hold", ("1 more comparisons without a divergence",)) == (almost.decision, almost.missing)


def test_no_data_never_promotes():
    """Nothing compared is nothing proven, however much was offered."""
    nothing = Gate(0.99, 0.99).judge(reading(offered=10**9, sampled_out=10**9))
    assert "hold" == nothing.decision
    assert nothing.missing


@given(st.integers(0, 10**9))
def test_a_single_divergence_is_terminal(matched):
    """No number of clean comparisons outweighs one divergence."""
    assert "roll_back" == Gate().judge(reading(matched=matched, diverged=1)).decision


def test_waived_comparisons_prove_nothing():
    """A difference that was accepted, or that is the control's own noise, is not a clean comparison."""
    assert "hold" == Gate(1e-3, 0.05).judge(reading(waived=10**6)).decision


def test_calls_that_are_not_accounted_for_hold():
    """Counters that do not add up are no evidence."""
    assert "hold" == Gate(1e-3, 0.05).judge(reading(matched=10**6, offered=10**6 + 1)).decision


@pytest.mark.parametrize("arguments", [{"max_rate": 0}, {"max_rate": 1}, {"alpha": 0}, {"alpha": float("nan")}])
def test_impossible_gates_are_refused(arguments):
    """A rate and a level lie strictly between 0 and 1."""
    with pytest.raises(ValueError, match="must be between 0 and 1"):
        Gate(**arguments)
