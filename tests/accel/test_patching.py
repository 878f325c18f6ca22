"""Replacing functions everywhere they are held, and putting the identical objects back."""

from __future__ import annotations

import functools
import sys
from types import ModuleType

import pytest

from fast_litellm.accel.patching import Patch, apply, held, owner_of, restore


def original() -> str:
    return "original"


def replacement() -> str:
    return "replacement"


@pytest.fixture
def holders(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, ModuleType]:
    """Two loaded modules that hold the same function, one of them under another name."""
    first, second = ModuleType("first_holder"), ModuleType("second_holder")
    first.function = original
    second.imported_by_name = original
    monkeypatch.setitem(sys.modules, "first_holder", first)
    monkeypatch.setitem(sys.modules, "second_holder", second)
    return first, second


@pytest.fixture
def patch() -> Patch:
    """A patch whose objects no other module holds."""
    return Patch(original, replacement)


def test_every_module_that_holds_the_function_is_changed(holders, patch):
    """A module that imported the function by name gets the replacement too."""
    apply([patch])

    assert (replacement, replacement) == (holders[0].function, holders[1].imported_by_name)

    restore([patch])


def test_restore_puts_back_the_identical_object(holders, patch):
    """After restore each place holds the very object it held before."""
    apply([patch])
    restore([patch])

    assert holders[0].function is original
    assert holders[1].imported_by_name is original


def test_a_module_loaded_later_is_restored_too(holders, patch, monkeypatch):
    """A module that imported the replacement after it was put in place gets the original back."""
    apply([patch])
    late = ModuleType("late_holder")
    late.function = replacement
    monkeypatch.setitem(sys.modules, "late_holder", late)
    restore([patch])

    assert late.function is original


def test_a_place_someone_else_has_taken_is_left_alone(holders, patch):
    """Restoring does not overwrite what another tool put over the replacement."""
    apply([patch])
    holders[0].function = sorted
    restore([patch])

    assert holders[0].function is sorted


def test_a_replacement_that_somebody_has_put_back_stands_for_its_original(holders):
    """As a mock does at its end that stood there while the replacement was taken away; another one takes its place."""
    genuine = original  # this module is searched as well
    first, second = functools.wraps(genuine)(lambda: "first"), functools.wraps(genuine)(lambda: "second")
    apply([Patch(genuine, first)])
    restore([Patch(genuine, first)])
    holders[0].function = first
    stood = held(holders[0], "function")[2]
    apply([Patch(genuine, second)])
    during = holders[0].function, holders[1].imported_by_name
    restore([Patch(genuine, second)])

    assert (genuine, (second, second), genuine) == (stood, during, holders[0].function)


def test_a_replacement_in_force_stands_for_itself(holders):
    """Also when it was taken away before."""
    wrapper = functools.wraps(original)(lambda: "wrapper")
    patch = Patch(original, wrapper)
    for act in (apply, restore, apply):
        act([patch])
    stood = held(holders[0], "function")[2]
    restore([patch])

    assert wrapper is stood


class Base:
    def method(self) -> str:
        return "original"


class Derived(Base):
    pass


def test_a_method_is_exchanged_in_the_class_that_defines_it():
    """The class object stays the same, and instances made before see the replacement."""
    instance = Derived()
    method = vars(Base)["method"]
    patch = Patch(method, lambda _self: "replacement", owner_of(Derived, "method"), "method")
    apply([patch])
    during = instance.method()
    restore([patch])

    assert ("replacement", "original") == (during, instance.method())
    assert vars(Base)["method"] is method


def test_a_method_that_no_class_defines_has_no_owner():
    """A method that a metaclass or `__getattr__` conjures up cannot be exchanged, and is left alone."""
    assert None is owner_of(Derived, "missing")


def test_what_stands_under_a_dotted_name_is_found_where_it_is_held():
    """A method belongs to the class that defines it, and to no other."""
    module = ModuleType("held_in")
    vars(module).update(Base=Base, Derived=Derived, function=len)
    found = [held(module, name) for name in ("function", "Base.method", "Derived.method", "Missing.method")]

    assert (None, "function", len) == found[0]
    assert (Base, "method", vars(Base)["method"]) == found[1]
    assert [None, None] == [standing for _, _, standing in found[2:]]
    assert (None, "function", None) == held(None, "function")
