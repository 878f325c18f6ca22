"""Kinds of calls at three stages in turn, with a switch and a clock that do nothing by themselves."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from fast_litellm.cli.bench import rotation, stages
from fast_litellm.cli.bench.race import Course
from fast_litellm.cli.bench.rotation import Kind, Rotation

COSTS = {"off": 30, "shadow": 33, "on": 10}


class World:
    """A program whose calls cost what the stage says."""

    def __init__(self):
        self.stage, self.now, self.turns, self.is_set_up = "off", 0, [], 0
        self.answers = {}

    def turn(self, stage):
        self.stage = stage
        self.turns.append(stage)

    def call(self):
        self.now += COSTS[self.stage]
        return self.answers.get(self.stage, "fine")

    @contextmanager
    def calls(self):
        self.is_set_up += 1
        yield {"chat": self.call, "stream": self.call}
        self.is_set_up -= 1


@pytest.fixture
def world(monkeypatch):
    """The rotation's stages are the world's, and nothing is compared."""
    made = World()

    @contextmanager
    def switch():
        yield made

    monkeypatch.setattr(rotation.stages, "switch", switch)
    monkeypatch.setattr(rotation.stages, "compared", lambda: (0, 0))
    return made


@pytest.fixture
def rotating(world):
    made = Rotation([Kind("chat", 3, 2), Kind("stream", 1)], world.calls, clock=lambda: world.now)
    yield made
    made.close()


def test_every_kind_has_a_row_for_on_and_one_for_shadow(rotating, world):
    """Nothing is set up before a row asks for it."""
    rows = list(rotating.rows())

    assert ["chat, on", "chat, shadow", "stream, on", "stream, shadow"] == [row.name for row in rows]
    assert (0, []) == (world.is_set_up, world.turns)


def test_both_are_measured_against_off(rotating):
    """On by how many times it is faster, shadow by what it costs."""
    on, shadow, *_ = rotating.rows()
    course = Course(rounds=12)

    assert (3.0, 1.1) == (course.follow(on).value.median, course.follow(shadow).value.median)
    assert (10, 30) == (course.follow(on).ours_ns.median, course.follow(on).theirs_ns.median)


def test_all_rows_share_their_rounds_and_the_first_stage_changes(rotating, world):
    """Twelve rounds of a race are three of a rotation."""
    for row in rotating.rows():
        row.pairs(12)

    assert ["off", "shadow", "on", "shadow", "on", "off", "on", "off", "shadow"] == world.turns


def test_answers_that_differ_are_a_difference(rotating, world):
    """Of that stage alone."""
    world.answers["on"] = "otherwise"
    on, shadow, *_ = rotating.rows()

    assert "on answers 'otherwise', LiteLLM 'fine'" == on.difference()
    assert "" == shadow.difference()


def test_what_was_set_up_is_ended(rotating, world):
    """Once, however many rows there were."""
    assert [""] * 4 == [row.difference() for row in rotating.rows()]
    assert 1 == world.is_set_up
    rotating.close()
    assert 0 == world.is_set_up


def test_the_stages_are_made_of_the_table_of_seams():
    """In shadow only what is free of effects: the rest is never run twice."""
    on, shadow = stages.features("on"), stages.features("shadow")

    assert {seam.feature for seam in stages.SEAMS} == set(on)
    assert {seam.feature for seam in stages.SEAMS if seam.effect_free} == set(shadow)
    assert {"stage": "on"} == stages.rules("on")["flags"][on[0]]
