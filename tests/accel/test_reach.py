"""Which names a reference asks for when it runs."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from fast_litellm.accel import reach
from fast_litellm.accel.fingerprint import Source

TEXT = """
import math
from dataclasses import dataclass
from functools import cached_property

LIMIT = 7
UNUSED = 8

@dataclass
class Kept:
    size: int

    def grown(self):
        return self.size + STEP

    @classmethod
    def made(cls):
        return cls(FIRST)

    @staticmethod
    def measured(kept):
        return UNIT

    @property
    def doubled(self):
        return self.size * FACTOR

    @cached_property
    def halved(self):
        return self.size / DIVISOR

STEP = FIRST = UNIT = FACTOR = DIVISOR = 1

class Apart:
    def asked(self):
        return SIDE

    def unasked(self):
        return UNUSED

SIDE = 1

def control(text):
    from helpers_of_the_reference import imported
    return [inner(piece) for piece in text] + imported(Kept(math.floor(LIMIT)))

def inner(piece):
    return far(piece)

def far(piece):
    return UNUSED

def unused():
    return UNUSED
"""
HELPERS = """
def imported(kept):
    return asked()

def asked():
    return 1

def named():
    return other()

def other():
    return 1
"""


@pytest.fixture
def modules(monkeypatch):
    """Two modules of a reference."""
    made = []
    for name, text in (("the_reference", TEXT), ("helpers_of_the_reference", HELPERS)):
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(text, f"{name}.py", "exec"), vars(module))
        made.append(module)
    return made


def found(modules, beyond=frozenset()) -> set:
    """The places as texts."""
    reference, helpers = modules
    named = ("Apart.asked", "Apart.absent", "absent.asked")
    sources = (
        Source(reference.__name__, named),
        Source(helpers.__name__, ("named",)),
        Source("absent_from_the_reference"),
    )
    owners = {id(vars(reference)): "", id(vars(helpers)): "helpers.", id(vars(reference.math)): "math."}
    owners.update({id(reference.Kept): "Kept.", id(reference.Apart): "Apart."})
    return {owners[id(owner)] + name for owner, name in reach.places(sources, "control", beyond)}


def test_everything_that_is_asked_for_is_found(modules):
    """Globals, functions of functions, methods and properties, attributes of modules, late imports, named ones."""
    assert {
        *("inner", "far", "UNUSED", "Kept", "Kept.grown", "STEP", "math", "math.floor", "LIMIT"),
        *("Kept.made", "FIRST", "Kept.measured", "UNIT", "Apart.asked", "SIDE"),
        *("Kept.doubled", "FACTOR", "Kept.halved", "DIVISOR"),
        *("helpers.imported", "helpers.asked", "helpers.named", "helpers.other"),
    } == found(modules)


def test_what_is_beyond_is_watched_and_not_followed(modules):
    """A function behind which every call is declined matters, what it calls does not."""
    assert {"inner", "far", "UNUSED"} - found(modules, frozenset({"inner"})) == {"far", "UNUSED"}


def test_a_name_is_found_once(modules):
    """However many functions ask for it."""
    places = reach.places((Source(modules[0].__name__),), "control")

    assert len({(id(owner), name) for owner, name in places}) == len(places)


def test_a_control_may_be_a_method(modules):
    """It is followed like a function, and is itself not among the places."""
    places = reach.places((Source(modules[0].__name__),), "Kept.grown")

    assert [(vars(modules[0]), "STEP")] == places


def test_a_classs_methods_are_its_own_and_those_it_inherits():
    """Whatever of them is in an instance has been put there."""

    class Base:
        limit = 7

        def asked(self):
            return self.limit

    class Owner(Base):
        def own(self):
            return self.asked()

    instance = Owner()
    before = reach.methods(Owner).isdisjoint(vars(instance))
    instance.asked = lambda: 1
    found = reach.methods(Owner)

    assert {"asked", "own"} <= found
    assert "limit" not in found
    assert (True, False) == (before, found.isdisjoint(vars(instance)))
