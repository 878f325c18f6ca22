"""Kinds of calls at three stages in turn, with sides that only say what they are asked."""

from __future__ import annotations

import pytest

from fast_litellm.cli.bench import stages
from fast_litellm.cli.bench.race import Course
from fast_litellm.cli.bench.rotation import CALLER, Kind, Rotation

COSTS = {"off": (30.0, 20.0), "shadow": (33.0, 20.0), "on": (10.0, 8.0)}
RESIDENT = {"off": 100 << 20, "shadow": 102 << 20, "on": 99 << 20}


class World:
    """Programs whose calls cost what the stage says, and what was asked of them."""

    def __init__(self):
        self.asked, self.answers, self.running = [], {}, []

    def start(self, stage):
        self.running.append(stage)
        return Side(self, stage)


class Side:
    """One of them."""

    installing_ns = 2_500_000.0

    def __init__(self, world, stage):
        self.world, self.stage = world, stage

    def ask(self, what, kind="", *rest):
        self.world.asked.append((what, kind, self.stage, *rest))
        if what == "resident":
            return RESIDENT[self.stage]
        return COSTS[self.stage] if what == "batch" else self.world.answers.get(self.stage, "fine")

    def close(self):
        self.world.running.remove(self.stage)


@pytest.fixture
def world():
    return World()


@pytest.fixture
def rotating(world):
    made = Rotation([Kind("chat", 3, 2), Kind("stream", 1)], [], start=world.start)
    yield made
    made.close()


def test_every_kind_has_a_row_for_on_for_shadow_and_for_the_caller(rotating, world):
    """Nothing is started before a row asks for it."""
    rows = list(rotating.rows())

    assert ["chat, on", "chat, shadow", "chat, caller"] == [row.name for row in rows[:3]]
    assert (6, []) == (len(rows), world.running)


def test_both_are_measured_against_off(rotating):
    """On by how many times it is faster, shadow by what it costs, in the whole process and on the calling thread."""
    on, shadow, caller, *_ = rotating.rows()
    course = Course(rounds=5)

    assert [3.0, 1.1, 1.0] == [course.follow(row).value.median for row in (on, shadow, caller)]
    assert (10, 30) == (course.follow(on).ours_ns.median, course.follow(on).theirs_ns.median)


def test_all_rows_of_a_kind_share_their_rounds(rotating, world):
    """Every side is warmed up once, and each round has all of them in an order of its own."""
    for row in rotating.rows():
        row.pairs(12)
    batches = [stage for what, kind, stage, *_ in world.asked if (what, kind) == ("batch", "chat")]
    rounds = [tuple(batches[start : start + 3]) for start in range(0, len(batches), 3)]

    assert [("off", "on", "shadow")] * 12 == [tuple(sorted(each)) for each in rounds]
    assert len(set(rounds)) > 1
    assert [("warm_up", "chat", stage) for stage in ("off", "on", "shadow")] == world.asked[:3]
    assert {3} == {count for what, kind, _, *rest in world.asked if kind == "chat" for count in rest}


def test_some_rows_need_no_shadow_and_only_the_calling_thread(world):
    """Then no side is started for it."""
    rotation = Rotation([Kind("pick", 1, 2)], [], sides=(stages.ON,), part=CALLER, start=world.start)
    (row,) = rotation.rows()

    assert 2.5 == Course(rounds=3).follow(row).value.median
    assert ["off", "on"] == world.running
    rotation.close()


def test_answers_that_differ_are_a_difference(rotating, world):
    """Of that stage alone."""
    world.answers["on"] = "otherwise"
    on, shadow, *_ = rotating.rows()

    assert "on answers 'otherwise', LiteLLM 'fine'" == on.difference()
    assert "" == shadow.difference()


def test_installing_is_a_figure_of_its_own(rotating):
    """In milliseconds."""
    assert [("installing, everything on", [2.5]), ("installing, everything shadow", [2.5])] == [
        (figure.name, figure.values(9)) for figure in list(rotating.figures())[:2]
    ]


def test_what_is_resident_is_told_of_processes_that_have_done_everything(rotating, world):
    figures = list(rotating.figures())[2:]

    assert [("resident, everything on", [-1.0]), ("resident, everything shadow", [2.0])] == [
        (figure.name, figure.values(9)) for figure in figures
    ]
    assert ["chat", "stream"] == [kind for what, kind, stage in world.asked if (what, stage) == ("warm_up", "on")]


def test_what_was_started_is_ended(rotating, world):
    """Once, however many rows there were."""
    assert [""] * 6 == [row.difference() for row in rotating.rows()]
    assert ["off", "on", "shadow"] == world.running
    rotating.close()
    assert [] == world.running


def test_the_stages_are_made_of_the_table_of_seams():
    """In shadow only what is free of effects: the rest is never run twice."""
    on, shadow = stages.features("on"), stages.features("shadow")

    assert {seam.feature for seam in stages.SEAMS} == set(on)
    assert {seam.feature for seam in stages.SEAMS if seam.effect_free} == set(shadow)
    assert {"stage": "on"} == stages.rules("on")["flags"][on[0]]
