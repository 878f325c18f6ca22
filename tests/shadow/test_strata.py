"""Which calls are compared when there is not time enough for all."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.accel.native import Shaper
from fast_litellm.shadow import Budget, engine
from fast_litellm.shadow.cells import cells, proportional
from fast_litellm.shadow.evidence import Account, ShapeEvidence
from fast_litellm.shadow.strata import FULL, Strata

MS = 1_000_000
COMMON, RARE = (Shaper("plain").shape((text,)) for text in ("word", "a much longer text"))


def taken(strata, shapes, ease):
    """How many calls of each shape are taken."""
    found = {}
    for shape in shapes:
        found[shape] = found.get(shape, 0) + strata.takes(shape, ease)
    return found


def skewed(calls, draw):
    """One call in a hundred is of the rare shape."""
    return [RARE if draw.random() < 0.01 else COMMON for _ in range(calls)]


def test_with_time_enough_every_call_is_taken():
    """However common."""
    assert {COMMON: 5_000} == taken(Strata(), [COMMON] * 5_000, 0.5)


def test_the_first_calls_of_a_shape_are_taken_under_any_pressure():
    """They are the ones that evidence is missing of."""
    assert {COMMON: FULL, RARE: FULL} == taken(Strata(), [COMMON, RARE] * FULL, 0.0)


def test_common_shapes_give_way_to_rare_ones():
    """Of a hundred thousand calls, almost all of the rare ones are taken and few of the others."""
    shapes = skewed(100_000, Random(1))
    found = taken(Strata(), shapes, 0.1)
    assert found[RARE] > 0.9 * shapes.count(RARE)
    assert found[COMMON] < 0.1 * shapes.count(COMMON)


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_more_time_the_more_is_taken(one, other):
    """A share is one of all calls, and grows with what is left."""
    strata = Strata()
    taken(strata, skewed(500, Random(2)), 0.1)
    low, high = sorted((one, other))
    for shape in (COMMON, RARE):
        assert 0 <= strata.share(shape, low) <= strata.share(shape, high) <= 1
        assert strata.share(COMMON, low) <= strata.share(RARE, low)


def test_two_salts_choose_different_calls():
    """And the same salt the same ones."""

    def chosen(salt):
        strata = Strata(salt)
        return [strata.takes(COMMON, 0.25) for _ in range(2_000)]

    assert chosen(b"one") == chosen(b"one")
    assert 500 < sum(a != b for a, b in zip(chosen(b"one")[FULL:], chosen(b"two")[FULL:])) < 1_200


def test_shapes_without_end_are_all_rare():
    """They are taken while there is a budget, and not remembered."""
    strata = Strata()
    assert all(strata.takes(shape, 0.01) for shape in range(6_000))
    assert 1_024 == len(strata._seen)


def test_under_load_rare_calls_are_compared_and_none_is_shed():
    """Ten times the calls that the budget pays for: what is left out was chosen, and the budget holds."""
    now, spent, counts = 0, 0, {COMMON: 0, RARE: 0}
    budget, strata, shed = Budget(0.05, 250, clock=lambda: now), Strata(), 0
    shapes = skewed(200_000, Random(3))
    for shape in shapes:
        now += MS // 5  # 5,000 calls a second, of 100 us each: half a core
        ease = budget.ease()
        if ease <= 0:
            shed += 1
        elif strata.takes(shape, ease):
            budget.settle(budget.reserve(), 100_000)
            spent += 100_000
            counts[shape] += 1
    assert spent <= 0.05 * now + 250 * MS
    assert spent > 0.04 * now
    assert (0, True) == (shed, counts[RARE] > 0.95 * shapes.count(RARE))


def test_a_runner_leaves_common_calls_out_of_its_sample(make_runner, balanced):
    """They are counted as such, and not as lost."""
    budget = Budget(0.05, 250, clock=lambda: 0, cpu_clock=lambda: 0)
    budget.settle(0.0, 200 * MS)  # a fifth is left
    runner = make_runner(len, len, budget=budget)
    for _ in range(1_000):
        assert 4 == runner.observe(("word",), {})
        assert runner.drain(30)
    reading = balanced()
    assert (1_000, {}, 0) == (reading["offered"], reading["shed"], reading["diverged"])
    assert FULL < reading["compared"] < FULL + 600


def evidence(text, offered, left_out, distinct):
    """Of one shape, whose calls either were left out or matched."""
    native = engine.current()
    before = Shaper("plain").shape((text,))
    after = native.shape_with_outcome("plain", before, raised=False)
    values = native.shape_values("plain", after)
    return [
        ShapeEvidence(before, values, Account(left_out, left_out), 0),
        ShapeEvidence(after, values, Account(offered - left_out, 0, offered - left_out), distinct),
    ]


@pytest.mark.parametrize(
    ("common", "rare", "expected"),
    [
        ((1_000, 0, 900), (10, 0, 9), 909),  # nothing left out
        ((1_000, 900, 100), (100, 90, 10), 110),  # both alike
        ((1_000, 900, 100), (10, 0, 10), 101),  # a tenth of the one: one of the other ten
        ((1_000, 1_000, 0), (10, 5, 4), 4),  # of the one there is no evidence at all
    ],
)
def test_inputs_count_as_if_all_were_sampled_alike(common, rare, expected):
    """A bound on calls as they come must not rest on rare ones alone."""
    shapes = [*evidence("word", *common), *evidence("a much longer text", *rare)]
    assert expected == proportional("plain", shapes)
    found = cells("plain", shapes)
    assert (expected, rare[2]) == (found["arguments=1"].distinct, found["size=16-31"].distinct)


def test_who_was_left_out_before_the_shape_was_known_weighs_nothing():
    """A percentage in the rules is the same for every shape."""
    unknown = ShapeEvidence(0, {}, Account(5_000, 5_000), 0)
    assert 110 == proportional(
        "plain", [unknown, *evidence("word", 100, 0, 100), *evidence("a much longer", 10, 0, 10)]
    )
