"""Replacing functions everywhere they are held, and putting the identical objects back."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from fast_litellm.accel.patching import Patch, owner_of


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
    patch.apply()

    assert (replacement, replacement) == (holders[0].function, holders[1].imported_by_name)

    patch.restore()


def test_restore_puts_back_the_identical_object(holders, patch):
    """After restore each place holds the very object it held before."""
    patch.apply()
    patch.restore()

    assert holders[0].function is original
    assert holders[1].imported_by_name is original


def test_a_module_loaded_later_is_restored_too(holders, patch, monkeypatch):
    """A module that imported the replacement after it was put in place gets the original back."""
    patch.apply()
    late = ModuleType("late_holder")
    late.function = replacement
    monkeypatch.setitem(sys.modules, "late_holder", late)
    patch.restore()

    assert late.function is original


def test_a_place_someone_else_has_taken_is_left_alone(holders, patch):
    """Restoring does not overwrite what another tool put over the replacement."""
    patch.apply()
    holders[0].function = sorted
    patch.restore()

    assert holders[0].function is sorted


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
    patch.apply()
    during = instance.method()
    patch.restore()

    assert ("replacement", "original") == (during, instance.method())
    assert vars(Base)["method"] is method


def test_a_method_that_no_class_defines_has_no_owner():
    """A method that a metaclass or `__getattr__` conjures up cannot be exchanged, and is left alone."""
    assert None is owner_of(Derived, "missing")
