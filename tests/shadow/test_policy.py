"""What the gate asks for."""

from __future__ import annotations

import pytest

from fast_litellm.shadow import engine
from fast_litellm.shadow.policy import Bound, Latency, Policy


@pytest.mark.parametrize(("rate", "alpha", "needed"), [(1e-2, 0.05, 303), (1e-3, 0.05, 3_041), (1e-5, 0.01, 466_116)])
def test_a_bound_says_how_many_clean_inputs_it_takes(rate, alpha, needed):
    """Little more than ln(alpha) / ln(1 - rate), the least number that could do."""
    bound = Bound(rate, alpha)

    assert needed == bound.further(0, 0)
    assert (1, 0) == (bound.further(0, needed - 1), bound.further(0, needed))


def test_a_bad_one_asks_for_more():
    """An accepted difference does not reset anything, and it is not forgotten either."""
    bound = Bound(1e-3, 0.05)

    assert bound.further(1, 3_041) > 0
    assert not bound.is_exceeded(1, 3_041)


def test_too_many_are_too_many():
    """The same counts prove a rate to lie above the bound, which three tests that share a level find harder."""
    bound = Bound(1e-3, 0.05)
    first = next(bad for bad in range(100) if bound.is_exceeded(bad, 1_000))

    assert 4 < first < 15
    assert bound.is_exceeded(first + 3, 1_000, tests=3)
    assert not bound.is_exceeded(first - 1, 1_000, tests=3)


def test_the_upper_bound_is_the_least_rate_that_is_excluded():
    """What is shown agrees with what is decided."""
    counts = (2, 50_000)
    upper = Bound(1e-3, 0.05).upper(*counts)

    assert 0 == Bound(upper * 1.001, 0.05).further(*counts)
    assert Bound(upper * 0.999, 0.05).further(*counts) > 0
    assert 1.0 == Bound(1e-3, 0.05).upper(0, 0)


def test_impossible_counts_are_bounded():
    """Evidence from a broken ledger is judged too."""
    bound = Bound(1e-3, 0.05)

    assert bound.further(0, 0) == bound.further(-5, -7)
    assert bound.further(10**30, 10**30) > 0


def test_a_rule_files_mapping_is_completed():
    """What is left out has its default, inside a bound too."""
    policy = Policy.of({"cells": {"rate": 0.002}, "bake": 60.0, "latency": "none", "hosts": 2})

    assert Policy(cells=Bound(0.002, 0.05), bake=60.0, latency=None, hosts=2) == policy
    assert Policy() == Policy.of({})
    assert Latency(tail=0.05) == Policy.of({"latency": {"tail": 0.05}}).latency


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"cell": {}}, "gate has divergence, cells"),
        ({"cells": {"rates": 0.1}}, "cells has rate, alpha, not rates"),
        ({"pairs": {"rate": 0}}, "rate must be between 0 and 1, not 0"),
        ({"pairs": {"alpha": float("nan")}}, "alpha must be between 0 and 1, not nan"),
        ({"latency": {"median_ratio": 1.5}}, "median_ratio must be above 0 and at most 1, not 1.5"),
        ({"not_compared": 2}, "not_compared must be between 0 and 1, not 2"),
        ({"bake": -1.0}, "bake must be seconds, not -1.0"),
        ({"hosts": 0}, "hosts must be at least 1, not 0"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(mapping, said):
    """The message says what was expected, and what came."""
    with pytest.raises(ValueError, match=said):
        Policy.of(mapping)


def test_the_border_refuses_impossible_rates_and_levels():
    """A rate and a level lie strictly between 0 and 1, whoever asks."""
    native = engine.current()

    with pytest.raises(ValueError, match="rate must be between 0 and 1, not 1"):
        native.RateLimit(1.0)
    for ask in (native.RateLimit(0.5).further, native.rate_upper_bound, native.sign_interval):
        with pytest.raises(ValueError, match="alpha must be between 0 and 1, not 0"):
            ask(0.0, 1, 2)


def test_a_divergence_is_told_from_noise_by_who_disagrees():
    """As often on both sides is noise; much more often on the candidate's is evidence, at any level one likes."""
    native = engine.current()

    assert native.sign_excess(50, 50) < 0
    assert native.sign_excess(30, 5) > 5 > native.sign_excess(5, 30)
    low, high = native.sign_interval(0.01, 30, 5)
    assert 0.5 < low < 30 / 35 < high < 1
