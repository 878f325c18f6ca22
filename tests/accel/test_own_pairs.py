"""A program's own pair of implementations, with nothing of LiteLLM in it."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import os
import random

import pytest
from structlog.testing import capture_logs

import fast_litellm
from fast_litellm import events
from fast_litellm.accel import installation, own_pairs
from fast_litellm.errors import Declined, SeamError
from fast_litellm.shadow import Ledger, Pause, comparators
from fast_litellm.shadow.history import History
from fast_litellm.shadow.store import Store


@pytest.fixture(autouse=True)
def clean(tmp_path, monkeypatch):
    """Pairs declared by a test are forgotten after it."""
    monkeypatch.setenv("FAST_LITELLM_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setattr(own_pairs, "_declared", {})
    yield
    fast_litellm.uninstall()


def fast_sum(numbers):
    """Adds up quickly."""
    return sum(numbers)


def declare(candidate=fast_sum):
    @fast_litellm.seam("adding", candidate=candidate)
    def add(numbers):
        """Adds up slowly."""
        total = 0
        for number in numbers:
            total += number
        return total

    return add


def status() -> dict:
    return fast_litellm.status()["features"]["adding"]


def test_before_installing_the_control_answers():
    """A declared pair works without any rules."""
    assert 6 == declare()([1, 2, 3])


def test_the_decorated_function_keeps_its_face():
    """Name, documentation and signature stay."""
    add = declare()

    assert ("add", "Adds up slowly.", "(numbers)") == (add.__name__, add.__doc__, str(inspect.signature(add)))


RULES = '{"version": 1, "flags": {"adding": {"stage": "shadow"}}}'


@pytest.mark.parametrize("installed_first", [True, False])
def test_a_pair_is_compared_in_shadow(installed_first, tmp_path):
    """Declared before or after installing, its calls are compared and the control answers."""
    (tmp_path / "rollout.yaml").write_text(RULES, encoding="utf-8")
    steps = [lambda: fast_litellm.install(tmp_path / "rollout.yaml"), declare]
    found = [step() for step in (steps if installed_first else reversed(steps))]
    add = next(function for function in found if function is not None)
    answers = [add([1, 2]) for _ in range(5)]
    assert installation._current._pairs["adding"].runner.drain(10)

    assert [3] * 5 == answers
    assert (5, 5, 0) == (status()["served"]["python"], status()["matched"], status()["diverged"])


def test_a_wrong_candidate_is_caught():
    """One difference blocks the pair; the event says which control's source it was found against."""
    add = declare(candidate=lambda numbers: sum(numbers) + 1)
    fast_litellm.install()
    with capture_logs() as log:
        add([1, 2])
        assert installation._current._pairs["adding"].runner.drain(10)

    assert (1, "blocked") == (status()["diverged"], status()["stage"])
    reference = own_pairs.declared()["adding"].pair.reference
    assert reference
    assert [reference] == [entry["reference"] for entry in log if entry["event"] == events.DIVERGENCE]


def test_a_name_is_declared_once():
    """Two controls for one flag are an error that names the flag."""
    declare()
    with pytest.raises(SeamError, match="'adding' is declared twice"):
        declare()


async def slow_sum(numbers):
    """Adds up with a pause."""
    await asyncio.sleep(0)
    return sum(numbers)


async def values(numbers):
    """Yields one by one."""
    for number in numbers:
        yield number


def declare_async(candidate=slow_sum, **options):
    @fast_litellm.seam("adding", candidate=candidate, **options)
    async def add(numbers):
        """Adds up later."""
        await asyncio.sleep(0)
        total = 0
        for number in numbers:
            total += number
        return total

    return add


def test_a_coroutine_function_stays_one():
    """Whoever asks, in whichever way, is told the truth; name and signature stay."""
    add = declare_async()

    assert (True, False) == (inspect.iscoroutinefunction(add), inspect.iscoroutinefunction(declare_other()))
    assert asyncio.iscoroutinefunction(add)
    assert ("add", "Adds up later.", "(numbers)") == (add.__name__, add.__doc__, str(inspect.signature(add)))
    assert 6 == asyncio.run(add([1, 2, 3]))


def declare_other():
    @fast_litellm.seam("other", candidate=fast_sum)
    def other(numbers):
        return sum(numbers)

    return other


def rules(tmp_path, rule):
    path = tmp_path / "rollout.yaml"
    path.write_text(json.dumps({"version": 1, "flags": {"adding": rule}}), encoding="utf-8")
    return path


def test_coroutine_functions_are_compared_in_shadow(tmp_path):
    """The control answers in the caller's task; the candidate is awaited elsewhere."""
    add = declare_async()
    fast_litellm.install(rules(tmp_path, {"stage": "shadow"}))

    async def main():
        return await asyncio.gather(*(add([1, number]) for number in range(5)))

    assert [1, 2, 3, 4, 5] == asyncio.run(main())
    assert installation._current._pairs["adding"].runner.drain(10)
    assert (5, 5, 0) == (status()["served"]["python"], status()["matched"], status()["diverged"])


def test_a_wrong_coroutine_is_caught():
    """One difference blocks the pair."""

    async def wrong(numbers):
        return sum(numbers) + 1

    add = declare_async(wrong)
    fast_litellm.install()
    assert 3 == asyncio.run(add([1, 2]))
    assert installation._current._pairs["adding"].runner.drain(10)

    assert (1, "blocked") == (status()["diverged"], status()["stage"])


def test_a_coroutine_can_serve(tmp_path):
    """The candidate's answer is awaited by the caller."""

    async def other(numbers):
        return "the candidate's"

    add = declare_async(other)
    fast_litellm.install(rules(tmp_path, {"stage": "on"}))
    assert "the candidate's" == asyncio.run(add([1, 2]))
    assert 1 == status()["served"]["rust"]


def test_python_answers_for_a_coroutine_that_fails(tmp_path):
    """A failure that comes out while awaiting is contained like one that comes out at once."""

    async def failing(numbers):
        await asyncio.sleep(0)
        raise ValueError

    add = declare_async(failing)
    fast_litellm.install(rules(tmp_path, {"stage": "on"}))
    assert 3 == asyncio.run(add([1, 2]))
    assert {"ValueError": 1} == status()["failed"]


def test_a_coroutine_with_effects_is_not_followed_by_the_control(tmp_path):
    """What it raises is the caller's, because running the control too could do everything twice."""

    async def failing(numbers):
        raise ValueError("the candidate's")

    add = declare_async(failing, effect_free=False)
    fast_litellm.install(rules(tmp_path, {"stage": "on"}))
    with pytest.raises(ValueError, match="the candidate's"):
        asyncio.run(add([1, 2]))


def test_a_coroutine_may_decline(tmp_path):
    """While it is awaited as before; Python answers, and the reason is counted."""

    async def declining(numbers):
        raise Declined("too_long")

    add = declare_async(declining)
    fast_litellm.install(rules(tmp_path, {"stage": "on"}))
    assert 3 == asyncio.run(add([1, 2]))
    assert {"too_long": 1} == status()["declined"]


def test_one_of_a_kind_is_refused():
    """A coroutine function and a plain one are no pair."""
    with pytest.raises(SeamError, match="one is a coroutine function"):
        declare(candidate=slow_sum)
    with pytest.raises(SeamError, match="one is a coroutine function"):
        declare_async(candidate=fast_sum)


def test_asynchronous_generators_are_refused():
    """What comes one at a time is no answer that could be compared, and is said so at once."""
    with pytest.raises(SeamError, match="values is an asynchronous generator"):
        declare(candidate=values)


@pytest.mark.parametrize("name", ["Bad Name!", "1st", "", None, "adding\n"])
def test_what_rules_could_not_name_is_refused(name):
    """Where it is declared, and not when everything is installed."""
    with pytest.raises(SeamError, match="expected a name of lower-case letters"):
        fast_litellm.seam(name, candidate=fast_sum)(fast_sum)


def test_a_feature_of_the_package_is_nobodys_own():
    """A pair under its name would count as evidence for or against the shipped candidate."""
    with pytest.raises(SeamError, match="'token_counting' is a feature of this package"):
        fast_litellm.seam("token_counting", candidate=fast_sum)(fast_sum)


def one_by_one(numbers):
    yield from numbers


NO_FUNCTIONS = [None, 3, staticmethod(fast_sum), property(fast_sum)]


@pytest.mark.parametrize("thing", NO_FUNCTIONS)
def test_what_is_no_function_is_refused_on_either_side(thing):
    """It would fail, or be compared never, without a word."""
    with pytest.raises(SeamError, match="expected a function, got"):
        declare(candidate=thing)
    with pytest.raises(SeamError, match="expected a function, got"):
        fast_litellm.seam("adding", candidate=fast_sum)(thing)


def test_a_control_has_a_name():
    """Rules, counters and people call it by that; a partial has none."""
    with pytest.raises(SeamError, match=r"expected a function, got functools\.partial"):
        fast_litellm.seam("adding", candidate=fast_sum)(functools.partial(fast_sum))


def test_generators_are_refused_where_they_would_be_compared():
    """What has effects is routed alone, and may give its values one at a time."""
    with pytest.raises(SeamError, match="one_by_one is a generator, whose values come one at a time"):
        fast_litellm.seam("adding", candidate=one_by_one)(one_by_one)
    routed = fast_litellm.seam("adding", candidate=one_by_one, effect_free=False)(one_by_one)

    assert [1, 2] == list(routed([1, 2]))


def two(numbers, more):
    return sum(numbers) + more


def keyword(numbers, *, more):
    return sum(numbers) + more


def anything(*args, **kwargs):
    return fast_sum(*args, **kwargs)


def another_default(numbers, start=0):
    return sum(numbers, start)


def test_a_candidate_that_takes_other_arguments_is_refused():
    """Its first call would fail, and block it."""
    with pytest.raises(SeamError, match=r"two\(numbers, more\) cannot be called as .*add\(numbers\) is: missing"):
        declare(candidate=two)
    with pytest.raises(SeamError, match=r"two\(numbers, more\) is: "):
        fast_litellm.seam("adding", candidate=keyword)(two)


@pytest.mark.parametrize("candidate", [anything, max, functools.partial(two, more=0), another_default])
def test_a_candidate_that_may_take_them_is_not(candidate):
    """Whatever it is called with, or what is written in C and does not say."""
    assert 2 == declare(candidate)([2])


class Negatives:
    """A candidate object that covers only lists without negative numbers."""

    build = "negatives-7"

    def prepare(self, args, kwargs):
        if min(args[0]) < 0:
            raise Declined("negative")

    def run(self, plan, args, kwargs):
        return sum(args[0])


def test_a_candidate_may_be_an_object():
    """It decides which calls are its own, and names its build."""
    add = declare(candidate=Negatives())
    fast_litellm.install()
    assert [3, -3] == [add([1, 2]), add([-1, -2])]
    assert installation._current._pairs["adding"].runner.drain(10)

    assert (1, {"negative": 1}) == (status()["matched"], status()["declined"])
    assert "negatives-7" == installation._current._pairs["adding"].pair.candidate.build


def test_rules_that_compare_otherwise_hold_from_their_loading_on(tmp_path):
    """Mode, deadline, memory and budget; a file that changes something else leaves what is being compared alone."""
    add = declare()
    shadow = {"stage": "shadow", "shadow": {"percent": 100}}
    fast_litellm.install(rules(tmp_path, shadow))
    feature, manager = installation._current._pairs["adding"], installation._current.manager
    first = feature.runner
    rules(tmp_path, {**shadow, "owner": "somebody"})
    assert manager.reload()
    assert first is feature.runner
    rules(tmp_path, {**shadow, "shadow": {"mode": "inline", "deadline": "2s", "memory": "1MiB", "budget": "50%"}})
    assert manager.reload()
    assert first is not feature.runner
    assert "inline" == feature.runner.mode
    before = status()["matched"]
    assert 3 == add([1, 2])
    assert feature.runner.drain(10)
    assert 1 == status()["matched"] - before


def declare_dice(noise, offset=0):
    """Two implementations of a function that answers differently each time."""

    @fast_litellm.seam("adding", candidate=lambda sides: offset + random.randrange(sides), noise=noise)
    def roll(sides):
        return random.randrange(sides)

    return roll


@pytest.mark.parametrize(("offset", "matched", "diverged"), [(0, 5, 0), (1, 0, 5)])
def test_a_pair_that_draws_can_be_compared(offset, matched, diverged):
    """On a tape both sides draw the same, so that what remains is the candidate's difference."""
    roll = declare_dice("tape", offset)
    fast_litellm.install()
    assert all(0 <= roll(10**9) < 10**9 for _ in range(5))
    assert installation._current._pairs["adding"].runner.drain(10)

    assert (5, matched, diverged) == (status()["compared"], status()["matched"], status()["diverged"])


def test_without_a_word_on_noise_it_is_waived():
    """The control that differs from itself excuses its candidate, and proves nothing for it."""
    roll = declare_dice("none", 1)
    fast_litellm.install()
    roll(10**9)
    assert installation._current._pairs["adding"].runner.drain(10)

    assert (1, 0) == (status()["waived"], status()["diverged"])


def test_evidence_names_what_is_done_about_noise(tmp_path):
    """Another way of comparing begins an epoch of its own."""
    roll = declare_dice("paired")
    fast_litellm.install()
    roll(2)
    assert installation._current._pairs["adding"].runner.drain(10)
    fast_litellm.uninstall()

    epochs = History(Store(tmp_path / "ledger.db")).epochs("adding")
    assert [f"{comparators.exact.name};noise=paired/1"] == [epoch["comparator"] for epoch in epochs]


def test_an_unknown_noise_is_refused():
    """The error names what there is."""
    with pytest.raises(SeamError, match="one of none, tape, paired, not 'loud'"):
        declare_dice("loud")


def test_a_tape_takes_no_coroutine_functions():
    """Their event loop would read its clocks."""
    with pytest.raises(SeamError, match="noise='paired'"):
        declare_async(noise="tape")


def test_a_pause_is_a_stage(tmp_path):
    """Of a pair as of a seam; a block outweighs it, and so does a flag that is off."""
    rules = tmp_path / "rollout.yaml"
    rules.write_text('{"version": 1, "flags": {"adding": {"stage": "shadow"}, "token_counting": {"stage": "off"}}}')
    declare()
    fast_litellm.install(rules)
    manager, stages = installation._current.manager, [status()["stage"]]
    for change in (manager.pause, manager.block, manager.unblock, manager.resume):
        change("adding")
        stages.append(status()["stage"])
    manager.pause("token_counting")
    off = fast_litellm.status()["features"]["token_counting"]["stage"]
    manager.resume("token_counting")

    assert (["shadow", "paused", "blocked", "paused", "shadow"], "off") == (stages, off)


@pytest.mark.parametrize("scope", ["host", "fleet"])
def test_a_pause_that_no_process_saw_end_is_over_in_the_ledger(tmp_path, scope):
    """The last one stopped while it was paused; the stage is what the rules say from then on."""
    rules, stages = tmp_path / "rollout.yaml", []
    rules.write_text('{"version": 1, "flags": {"adding": {"stage": "on"}}}')
    ledger, add = Ledger.open(os.environ["FAST_LITELLM_LEDGER"], flush_seconds=None), declare()
    ledger.record_pause(Pause("adding", "paused", scope, "ada", ""))
    fast_litellm.install(rules)
    if scope == "host":
        installation._current.manager.pause("adding")
    add([1])
    fast_litellm.uninstall()
    stages.append(ledger.status()["features"]["adding"]["stage"])
    ledger.record_pause(Pause("adding", "running", scope, "ada", ""))
    stages.append(ledger.status()["features"]["adding"]["stage"])
    ledger.close()

    assert ["paused", "on"] == stages
