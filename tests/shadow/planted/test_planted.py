"""
Thirty wrong candidates, each of which must be caught before a gate could let it answer one call.

A gate looks at cells: it certifies one when a divergence rate of 0.1 % is excluded at 95 %, which takes 2,995
comparisons without a difference. So a candidate counts as caught in time when it is blocked before that many.
"""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from random import Random
from threading import Event, Thread

import pytest

from fast_litellm.shadow import Budget, FunctionCandidate, comparators, synthetic

FEWEST_FOR_A_CELL = math.ceil(math.log(0.05) / math.log1p(-0.001))
BATCH = 16
PATIENCE_S = 60


def corpus(name):
    """A file of wrong candidates beside this one."""
    path = Path(__file__).with_name(f"{name}.py")
    specification = importlib.util.spec_from_file_location(f"planted_{name}", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


token_counting = corpus("token_counting")
own_pairs = corpus("own_pairs")


def chat_call(draw):
    """A made-up chat of any shape; one in twenty has nothing to count."""

    def some(*words):
        return "+".join(word for word in words if draw.random() < 0.3) or "-"

    values = {
        "family": draw.choice(("gpt-4o", "gpt-4", "gpt-3.5")),
        "provider": "none",
        "size": draw.choice(("1", "8-15", "64-127", "128-255", "1024-2047")),
        "messages": draw.choice(("0", "1", "1", "2-4")),
        "roles": some("system", "user", "assistant", "tool", "developer"),
        "content": some("text", "text", "image", "tool_call", "none", "list"),
        "tools": draw.choice(("none", "none", "some")),
        "keys": some("name", "cache_control"),
        "options": draw.choice(("-", "-", "-", "text")),
        "unicode": draw.choice(("ascii", "latin1", "rtl", "combining", "surrogate", "special_token")),
    }
    _, kwargs = synthetic.call("chat", values, draw)
    if draw.random() < 0.05:
        kwargs = {"model": kwargs["model"]}
    return (), {**kwargs, "use_default_image_token_count": True}


class Hunt:
    """Drives calls through a runner until its candidate is blocked."""

    def __init__(self, make_runner, tally):
        self.tally = tally
        self.runs = 0
        self.blocked = Event()
        self._make_runner = make_runner

    def __call__(self, control, candidate, calls):
        """Returns how many calls were compared when the candidate was blocked, or at the end."""

        def counted(*args, **kwargs):
            self.runs += 1
            return candidate(*args, **kwargs)

        runner = self._make_runner(
            control,
            FunctionCandidate(counted, "planted"),
            comparator=comparators.exact,
            budget=Budget(1),
            on_block=lambda feature, fingerprint: self.blocked.set(),
        )
        for number, (args, kwargs) in enumerate(calls, 1):
            self._call(runner, args, kwargs)
            if number % BATCH == 0:
                assert runner.drain(PATIENCE_S)
                if self.blocked.is_set():
                    break
        assert runner.drain(PATIENCE_S)
        return self.tally.reading()["compared"]

    @staticmethod
    def _call(runner, args, kwargs):
        """A caller, who deals with what the control raises."""
        try:
            runner.observe(args, kwargs)
        except (ValueError, TypeError):  # the reference refuses some calls
            return


@pytest.fixture
def hunt(make_runner, tally):
    """A hunt with the test's own counters."""
    return Hunt(make_runner, tally)


@pytest.fixture(scope="module")
def token_counter():
    """LiteLLM's own."""
    from litellm.litellm_core_utils.token_counter import token_counter

    return token_counter


def calls(make, seed=1):
    """So many calls as a cell needs, and not one more."""
    draw = Random(seed)
    return (make(draw) for _ in range(FEWEST_FOR_A_CELL))


def own_calls(make):
    """Calls with one argument."""
    return calls(lambda draw: ((make(draw),), {}))


def check(hunt, compared):
    """The candidate ran, was found to differ, and was blocked in time."""
    assert hunt.runs > 0
    assert hunt.tally.reading()["diverged"] > 0
    assert hunt.blocked.is_set()
    assert compared < FEWEST_FOR_A_CELL


@pytest.mark.parametrize("name", token_counting.MUTANTS)
def test_a_wrong_token_counter_is_blocked_in_time(name, hunt, token_counter):
    """Every mistake in counting shows on the shapes that have it."""
    compared = hunt(token_counter, token_counting.MUTANTS[name](token_counter), calls(chat_call))
    check(hunt, compared)


@pytest.mark.parametrize("name", sorted(set(own_pairs.MUTANTS) - {"shares_its_buffer_with_its_caller"}))
def test_a_wrong_candidate_of_any_function_is_blocked_in_time(name, hunt):
    """Order, signs, types, rounding, missing keys, changed arguments and what builds up over calls."""
    control, make, make_call = own_pairs.MUTANTS[name]
    check(hunt, hunt(control, make(control), own_calls(make_call)))


def test_a_candidate_that_is_wrong_during_another_call_is_blocked_in_time(hunt):
    """While one caller waits for its control, the candidate runs for another."""
    control, make, make_call = own_pairs.MUTANTS["shares_its_buffer_with_its_caller"]
    began, may_end = Event(), Event()

    def other_call():
        own_pairs.UNDER_WAY.append(1)
        began.set()
        may_end.wait(PATIENCE_S)
        own_pairs.UNDER_WAY.clear()

    caller = Thread(target=other_call)
    caller.start()
    try:
        assert began.wait(PATIENCE_S)
        check(hunt, hunt(control, make(control), own_calls(make_call)))
    finally:
        may_end.set()
        caller.join(PATIENCE_S)


def test_the_right_candidates_are_not_blocked(hunt, token_counter):
    """The reference itself passes on the same calls, or else every test above would pass as well."""
    compared = hunt(token_counter, token_counter, calls(chat_call))
    assert (FEWEST_FOR_A_CELL, False) == (compared, hunt.blocked.is_set())
    assert FEWEST_FOR_A_CELL == hunt.tally.reading()["matched"]


def test_there_are_thirty():
    """As many as are promised."""
    assert 30 == len(token_counting.MUTANTS) + len(own_pairs.MUTANTS)
