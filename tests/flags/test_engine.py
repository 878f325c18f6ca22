"""The native objects as Python calls them."""

from __future__ import annotations

import threading

import pytest

from fast_litellm.flags import Decision, FlagManager, engine, rule_file

ON = {"version": 1, "flags": {"parser": {"stage": "on"}}}
OFF = {"version": 1, "flags": {"parser": {"stage": "off"}}}
THREADS = 4
SWAPS = 200


def _cell(rules=ON):
    return engine.current().SnapshotCell(rule_file.from_objects(rules), "{}", Decision)


def test_a_handle_takes_a_unit_and_attributes_by_position_only():
    """Neither a third argument nor a keyword is swallowed."""
    handle = _cell().bind("parser")

    for arguments in ((), (None,), ("user-1",), ("user-1", None), ("user-1", {"plan": "pro"})):
        assert "rust" == handle(*arguments) == handle.__call__(*arguments) == handle.serve(*arguments)
    for call in (lambda: handle("user-1", {}, None), lambda: handle(unit="user-1")):
        with pytest.raises(TypeError, match="at most a unit and attributes"):
            call()


def test_a_handle_can_be_mapped_over_units():
    """CPython's own loops call a handle like any function."""
    handle = FlagManager.from_dict({"version": 1, "flags": {"f": {"otherwise": {"split": {"rust": 50, "python": 50}}}}})
    units = [f"user-{number}" for number in range(1000)]

    assert [handle.serve("f", unit) for unit in units] == list(map(handle.bind("f"), units))


def test_a_decision_is_a_tuple_like_any_other():
    """It equals, hashes, unpacks and replaces like one that Python made."""
    decision = _cell().decide("parser", "user-1")
    twin = Decision(*decision)

    assert (decision, hash(decision)) == (twin, hash(twin))
    assert ("parser", "on") == (decision.flag, decision.stage)
    assert decision._replace(flag="other") == twin._replace(flag="other")
    assert Decision is type(decision)


def test_a_decision_type_that_is_no_tuple_is_refused():
    """Items cannot be placed in an object that has no place for them."""
    with pytest.raises(TypeError, match="expected a subclass of tuple, got <class 'dict'>"):
        engine.current().SnapshotCell(rule_file.from_objects(ON), "{}", dict)


def test_every_thread_decides_by_the_newest_rules():
    """What a thread remembers of earlier rules never outlives a swap, neither its own cell's nor another one's."""
    cell, other = _cell(), _cell(OFF)
    handle, reached = cell.bind("parser"), threading.Barrier(THREADS + 1, timeout=60)
    wrong = []

    def decide():
        for number in range(SWAPS):
            reached.wait()
            expected = "rust" if number % 2 else "python"
            answers = {handle("u"), cell.serve("parser"), cell.decide("parser").serve}
            if {expected} != answers or other.serve("parser") != "python":
                wrong.append((number, answers))
            reached.wait()

    threads = [threading.Thread(target=decide) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for number in range(SWAPS):
        cell.swap(rule_file.from_objects(ON if number % 2 else OFF), "{}")
        reached.wait()
        reached.wait()
    for thread in threads:
        thread.join(60)

    assert [] == wrong


def test_a_decision_may_swap_the_rules_it_is_made_by():
    """An attribute's own code may ask for a decision and change the rules; who asked first finishes by the old ones."""
    rule = {"name": "pro", "when": {"attr": "plan", "equals": "pro"}, "serve": "rust"}
    cell = _cell({"version": 1, "flags": {"parser": {"rules": [rule]}}})
    nested = []

    class Colliding:
        """A key that Python compares with the attribute's name."""

        def __hash__(self):
            return hash("plan")

        def __eq__(self, other):
            if deciding:
                cell.swap(rule_file.from_objects(OFF), "{}")
                nested.append(cell.serve("parser", "u"))
            return False

    deciding = False
    attributes = {Colliding(): 1, "plan": "pro"}
    deciding = True

    assert ("rust", {"python"}) == (cell.serve("parser", "u", attributes), set(nested))
    assert "python" == cell.serve("parser", "u", {"plan": "pro"})
