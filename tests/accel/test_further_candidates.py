"""Candidates of a seam beside its first one: served by name, and compared when the rules say so."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

import fast_litellm
from fast_litellm.accel import installation, own_pairs
from fast_litellm.accel.feature import Absent, Feature
from fast_litellm.errors import Declined, SeamError
from fast_litellm.shadow.history import History
from fast_litellm.shadow.store import Store


@pytest.fixture(autouse=True)
def clean(tmp_path, monkeypatch):
    """Pairs declared by a test are forgotten after it."""
    monkeypatch.setenv("FAST_LITELLM_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setattr(own_pairs, "_declared", {})
    yield
    fast_litellm.uninstall()


@pytest.fixture
def rules(tmp_path):
    """Writes the rules of the flag and puts them in force."""

    def write(**flag):
        path = tmp_path / "rollout.yaml"
        path.write_text(json.dumps({"version": 1, "flags": {"adding": flag}}), encoding="utf-8")
        if installation._current is None:
            fast_litellm.install(path)
        else:
            installation._current.manager.reload()

    return write


def first(numbers):
    """As the control does."""
    return float(sum(numbers)) if type(numbers) is tuple else sum(numbers)


def second(numbers):
    """As the control does, but for long lists."""
    return sum(numbers) + (len(numbers) > 3)


def declare(second=second):
    @fast_litellm.seam("adding", candidate=first, further={"second": second})
    def add(numbers):
        return sum(numbers)

    return add


def status() -> dict:
    return fast_litellm.status()["features"]["adding"]


def compare(add, *calls):
    for call in calls:
        add(call)
    assert installation._current._pairs["adding"].runner.drain(10)


def test_rules_divide_calls_between_all_of_them(rules):
    """Python, the first and another one, each for its part of the units, and each counted by its name."""
    rules(stage="canary", otherwise={"split": {"python": 40, "rust": 30, "second": 30}}, shadow={"percent": 0})
    add = declare()
    for unit in range(300):
        with fast_litellm.context(unit=f"u{unit}"):
            assert 3 == add([1, 2])

    served = status()["served"]
    assert 300 == served["python"] + served["rust"] + served["second"]
    assert 40 < min(served.values())


def test_a_name_the_seam_does_not_have_is_pythons(rules):
    """Counted with its reason, whether the rules only serve it or compare it as well."""
    rules(otherwise="third")
    add = declare()
    assert 3 == add([1, 2])
    rules(candidate="third", stage="on")
    assert 3 == add([1, 2])
    rules(candidate="third", stage="shadow")
    compare(add, [1, 2])

    found = status()
    assert (3, {"no_such_candidate": 3}) == (found["served"]["python"], found["declined"])
    assert (0, {"declined": 1}) == (found["compared"], found["shed"])


def test_the_one_that_the_rules_name_is_compared(rules):
    """The first one would differ for a tuple and is not asked; the evidence is of the other one's build."""
    rules(stage="shadow", candidate="second")
    add = declare()
    compare(add, (1, 2), (1, 2, 3))

    assert (2, 2) == (status()["compared"], status()["matched"])
    pair = installation._current._pairs["adding"]
    build = pair.pair.further["second"].build
    assert build == pair.runner.experiment.candidate.build != pair.pair.candidate.build


def test_its_difference_blocks_its_build_and_not_the_first_ones(rules, tmp_path):
    """Until the rules compare the first one again; the ledger keeps what was found for who compares it later."""
    rules(stage="shadow", candidate="second")
    add = declare()
    compare(add, [1, 2, 3, 4])
    assert ("blocked", 1) == (status()["stage"], status()["diverged"])
    installation._current.evidence._ledger.flush()
    rules(stage="on")
    assert ("on", 6) == (status()["stage"], add([1, 2, 3]))
    assert 1 == status()["served"]["rust"]
    rules(stage="on", candidate="second")

    assert ("blocked", 10) == (status()["stage"], add([1, 2, 3, 4]))
    fast_litellm.uninstall()
    evidence = History(Store(tmp_path / "ledger.db")).evidence("adding")
    assert evidence.epoch.candidate_build.startswith("second@")


def test_its_block_needs_no_ledger_to_be_remembered(rules):
    """Where the rules go to the first one and come back, before the ledger has heard of it."""
    rules(stage="shadow", candidate="second")
    add = declare()
    compare(add, [1, 2, 3, 4])
    for _ in range(3):
        rules(stage="on")
        assert ("on", 6) == (status()["stage"], add([1, 2, 3]))
        rules(stage="on", candidate="second")
        assert ("blocked", 10) == (status()["stage"], add([1, 2, 3, 4]))


def test_a_difference_that_is_found_late_blocks_nothing_but_its_own_build(rules):
    """The rules have another one compared by then."""
    rules(stage="on")
    add = declare()
    installation._current.evidence._rollouts.diverged("second@late", "adding", "fingerprint")

    assert ("on", 6) == (status()["stage"], add([1, 2, 3]))


def test_at_on_the_one_that_is_compared_answers(rules):
    """Nobody asks the first one."""
    rules(candidate="second", stage="on")

    assert 4 == declare()((1, 3))
    assert (0, 1) == (status()["served"]["rust"], status()["served"]["second"])


@pytest.mark.parametrize(("flag", "compared"), [({"candidate": "second"}, 1), ({}, 0)])
def test_only_the_one_that_is_compared_is_compared_after_it_has_answered(rules, flag, compared):
    """What another one answers would be evidence about the wrong build."""
    rules(otherwise="second", **flag)
    add = declare()
    pair = installation._current._pairs["adding"]
    pair.trust(None, 1.0)
    compare(add, [1, 2])

    assert (1, compared) == (status()["served"]["second"], status()["compared"])


def test_cells_are_certified_of_the_one_that_is_compared(rules):
    """While nothing is certified the first one answers nothing, and one that the rules name outright all the same."""
    rules(rules=[{"name": "r", "when": {"attr": "x", "equals": 1}, "serve": "second"}], otherwise="rust")
    add = declare()
    installation._current._pairs["adding"].trust(frozenset(), 0.0)
    with fast_litellm.context(attributes={"x": 1}):
        add([1, 2])
    add([1, 2])

    assert (1, 1) == (status()["served"]["second"], status()["served"]["python"])
    assert {"unproven_shape": 1} == status()["declined"]


def test_a_further_one_that_fails_is_answered_for(rules):
    """As the first one: the control answers, and the failure is counted."""

    def broken(numbers):
        raise OSError

    rules(otherwise="second")

    assert 3 == declare(broken)([1, 2])
    assert {"OSError": 1} == status()["failed"]


def test_coroutine_functions_have_further_candidates_too(rules):
    """They are counted by their names when they are awaited."""

    async def alike(numbers):
        return sum(numbers)

    rules(otherwise="second")
    add = fast_litellm.seam("adding", candidate=alike, further={"second": alike})(alike)

    assert 3 == asyncio.run(add([1, 2]))
    assert {"python": 0, "rust": 0, "second": 1} == status()["served"]


def test_all_candidates_of_a_pair_are_of_one_kind():
    """A coroutine function beside plain ones is refused, first or further."""

    async def other(numbers):
        return sum(numbers)

    with pytest.raises(SeamError, match="one is a coroutine function"):
        declare(other)


def test_what_stands_for_an_absent_candidate_says_what_is_absent():
    """Its build names it, so that no evidence of it is taken for another's."""
    absent = Absent("third")
    with pytest.raises(Declined, match="no_such_candidate"):
        absent.prepare((), {})

    assert "no third" == absent.build


def test_calls_go_on_while_the_rules_change_what_is_compared(rules):
    """Every call is answered rightly, and counted for the one that answered it."""
    rules(otherwise="second")
    add, wrong, ended = declare(), [], threading.Event()

    def caller():
        while not ended.is_set():
            if add([1, 2]) != 3:
                wrong.append("second")

    thread = threading.Thread(target=caller)
    thread.start()
    for turn in range(20):
        rules(otherwise="second", candidate="second" if turn % 2 else "rust")
    ended.set()
    thread.join()

    assert ([], 0) == (wrong, status()["served"]["rust"])


def test_a_feature_knows_its_candidates_by_name():
    """The first one is `rust`."""
    declare()
    feature: Feature = own_pairs.declared()["adding"]

    assert ["rust", "second"] == list(feature.pair.candidates)
    assert feature.candidate is feature.named("rust") is feature.pair.candidate
