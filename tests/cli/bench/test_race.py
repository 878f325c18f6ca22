"""Timing the two sides of a row, on a clock that moves only when a statement moves it."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest

from fast_litellm.cli.bench.race import Course, compiled
from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement


class FakeClock:
    """A clock in nanoseconds that stands still until it is told to advance."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def advance(self, nanoseconds: int) -> None:
        self.now += nanoseconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def course(clock: FakeClock, rounds: int = 5) -> Course:
    return Course(clock=clock, rounds=rounds, slower_ns=10_000, faster_ns=1_000)


def row(clock: FakeClock, ours_ns: int, theirs_ns: int, measure: Measure = Measure.SPEEDUP) -> Row:
    names = {"advance": clock.advance}
    return Row(
        "sample",
        theirs=Statement(f"advance({theirs_ns})", names),
        ours=Statement(f"advance({ours_ns})", names),
        goal=Goal(measure, 10),
    )


@pytest.mark.parametrize(
    ("measure", "expected"), [(Measure.SPEEDUP, 20.0), (Measure.COST, 0.05), (Measure.ADDED_NS, -1900.0)]
)
def test_a_race_measures_both_sides_and_their_ratio(clock: FakeClock, measure: Measure, expected: float) -> None:
    """Nanoseconds a call of both sides and the row's measure come out of the clock."""
    result = course(clock).run(row(clock, 100, 2_000, measure))

    assert expected == result.value.median
    assert 100 == result.ours_ns.median
    assert 2_000 == result.theirs_ns.median


def test_batches_are_long_enough_for_both_sides(clock: FakeClock) -> None:
    """The number of calls doubles until the slower and the faster side both last long enough."""
    result = course(clock).run(row(clock, 100, 2_000))

    assert 16 == result.calls


def test_a_row_can_limit_its_batches(clock: FakeClock) -> None:
    """Where calls queue work for later, a batch stays short, whatever it lasts."""
    limited = replace(row(clock, 1, 1), most_calls=50)

    assert course(clock).run(limited).calls == 32


def test_the_first_side_changes_every_round(clock: FakeClock) -> None:
    """Neither side always runs first: whatever the first batch of a round warms up helps both alike."""
    order: list[str] = []

    def note(side: str) -> None:
        order.append(side)
        clock.advance(20_000)

    names = {"note": note}
    sides = Row("order", Statement("note('theirs')", names), Statement("note('ours')", names), Goal(Measure.COST, 1))

    course(clock, rounds=2).run(sides)

    assert ["theirs", "ours", "ours", "theirs"] == order[-4:]


def test_each_side_gets_items_of_its_own_in_every_round(clock: FakeClock) -> None:
    """No item is ever used twice, so a text is fresh for whoever meets it."""
    seen: list[object] = []
    made = iter(range(10_000))

    def use(item: object) -> None:
        seen.append(item)
        clock.advance(500)

    names = {"use": use}
    fresh = Row(
        "fresh",
        Statement("use(item)", names),
        Statement("use(item)", names),
        Goal(Measure.SPEEDUP, 1),
        items=lambda count: [next(made) for _ in range(count)],
    )

    course(clock).run(fresh)

    assert len(set(seen)) == len(seen)


def test_the_loop_is_taken_off_both_sides(clock: FakeClock) -> None:
    """What iterating costs is not counted as anybody's work."""

    class CostlyItems(list):  # type: ignore[type-arg]
        def __iter__(self):  # type: ignore[no-untyped-def]
            for item in super().__iter__():
                clock.advance(7)
                yield item

    loop, line = compiled(Statement("pass")), compiled(Statement("advance(50)", {"advance": clock.advance}))

    assert 70 == loop(CostlyItems(range(10)), clock)
    assert 570 == line(CostlyItems(range(10)), clock)


def test_names_of_a_statement_are_local_to_it() -> None:
    """A statement reads its names as local variables, which the loop would otherwise look up in its globals."""
    batch = compiled(Statement("call(item)", {"call": print}))

    assert ("items", "clock", "call") == batch.__code__.co_varnames[:3]


def test_garbage_collection_is_off_while_racing_and_on_afterwards(clock: FakeClock) -> None:
    """A collection cannot fall into one side's batch, and the setting is put back."""
    during: list[bool] = []

    def work() -> None:
        during.append(gc.isenabled())
        clock.advance(20_000)

    side = Statement("work()", {"work": work})

    course(clock).run(Row("collection", side, side, Goal(Measure.COST, 1)))

    assert {False} == set(during)
    assert gc.isenabled()


def test_a_side_that_costs_nothing_still_makes_a_ratio(clock: FakeClock) -> None:
    """A batch no longer than the empty loop does not divide by zero."""
    names = {"advance": clock.advance}
    free = Row("free", Statement("advance(1000)", names), Statement("pass"), Goal(Measure.SPEEDUP, 1))

    result = Course(clock=clock, rounds=3, slower_ns=1_000, faster_ns=0).run(free)

    assert 1_000_000 == pytest.approx(result.value.median)
