"""Layers: flags that never serve candidates to the same unit."""

from __future__ import annotations

import pytest


def _file(layers: str, flags: str = "a: {}, b: {}") -> str:
    return f"version: 1\nlayers: {layers}\nflags: {{{flags}}}\n"


@pytest.mark.parametrize(
    ("layers", "problem"),
    [
        ("{l: {}}", '2:13: layers.l: expected the key "slots", got none'),
        ("{l: {slots: {a: 5}}}", "2:25: layers.l.slots.a: expected buckets such as 0-499999, or percentages such as"),
        ("{l: {slots: {a: 9-5}}}", "2:25: layers.l.slots.a: expected buckets"),
        ("{l: {slots: {a: 0-1000000}}}", "2:25: layers.l.slots.a: expected buckets"),
        ("{l: {slots: {a: 0%-0.00001%}}}", "2:25: layers.l.slots.a: expected buckets"),
        (
            "{l: {slots: {a: 0-5, b: 5-9}}}",
            "2:33: layers.l.slots.b: expected slots that do not overlap, got buckets",
        ),
        ("{l: {slots: {b: 10%-90%, a: 0%-100%}}}", "2:37: layers.l.slots.a: expected slots that do not overlap"),
        ("{l: {slots: {c: 0-5}}}", '2:22: layers.l.slots: expected a flag of this file, got "c"'),
        (
            "{l: {slots: {a: 0-5}}, m: {slots: {a: 0-5}}}",
            '2:44: layers.m.slots: expected each flag in one layer, got "a" again (first in l)',
        ),
        ("{l: {slots: {a: 0-5}, sale: x}}", "2:31: layers.l: expected one of salt, unit, slots, got the key"),
    ],
)
def test_each_mistake_is_told(problems, layers, problem):
    """With its place, what was expected and what came."""
    told = problems(_file(layers))

    assert [f"r.yaml:{problem}"] == [line[: len(problem) + 7] for line in told]


@pytest.mark.parametrize(
    ("layer", "problem"),
    [
        ("m", 'expected a layer of this file, got "m"'),
        ("other", 'expected the layer in which the flag has its slot (l), got "other"'),
    ],
)
def test_a_flag_may_name_its_layer_and_must_be_right(problems, layer, problem):
    """The slots decide; the flag's own word is checked against them."""
    told = problems(_file("{l: {slots: {a: 0-5}}, other: {slots: {b: 0-5}}}", f"a: {{layer: {layer}}}, b: {{}}"))

    assert [f"flags.a.layer: {problem}"] == [line.split(" ", 1)[1] for line in told]


def test_a_flag_without_a_slot_is_in_no_layer(problems):
    """Naming a layer does not make a slot."""
    (problem,) = problems(_file("{l: {slots: {a: 0-5}}}", "a: {}, b: {layer: l}"))

    assert problem.endswith('flags.b.layer: expected a slot for "b" in the layer "l", got none')


@pytest.mark.parametrize("slots", ["{a: 0-499999, b: 500000-999999}", "{a: 0%-50%, b: 50%-100%}", "{b: 7-7, a: 0 - 6}"])
def test_neighbours_do_not_overlap(problems, slots):
    """Buckets include their last one, percentages end before it."""
    assert [] == problems(_file(f"{{l: {{salt: s, unit: user, slots: {slots}}}}}", "a: {layer: l}, b: {}"))
