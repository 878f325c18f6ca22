"""
Wrong candidates, each of which must be caught before the gate would let it answer one call.

The gate here asks for less than the real one, so that the right candidate is promoted on the same calls: otherwise it
would prove nothing that no wrong one is.
"""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from random import Random
from threading import Event, Thread

import pytest

from fast_litellm.shadow import Budget, Epoch, FunctionCandidate, Gate, Ledger, Policy, comparators, synthetic
from fast_litellm.shadow.gate import Step

CALLS = 4_500
BATCH = 16
BATCHES_BETWEEN_LOOKS = 32
PATIENCE_S = 60
CELL = {"rate": 0.05, "alpha": 0.05}
LENIENT = {"divergence": {"rate": 1e-3, "alpha": 0.05}, "cells": CELL, "pairs": CELL, "timeouts": CELL}
GATE = Gate(Policy.of({**LENIENT, "latency": "none", "bake": 0.0}))


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
    """Drives calls through a runner, a ledger and the gate until its candidate is blocked."""

    def __init__(self, make_runner, tally, ledger):
        self.tally = tally
        self.runs = 0
        self.compared = 0
        self.words = []
        self.blocked = Event()
        self._make_runner = make_runner
        self._ledger = ledger

    def __call__(self, name, control, candidate, calls, comparator=comparators.exact):
        """Makes the calls."""

        def counted(*args, **kwargs):
            self.runs += 1
            return candidate(*args, **kwargs)

        self._ledger.attach(Epoch("feature", name), self.tally)
        runner = self._make_runner(
            control,
            FunctionCandidate(counted, name),
            comparator=comparator,
            budget=Budget(1),
            sink=self._ledger,
            on_block=lambda feature, fingerprint: self.blocked.set(),
        )
        for number, (args, kwargs) in enumerate(calls, 1):
            self._call(runner, args, kwargs)
            if number % BATCH == 0:
                assert runner.drain(PATIENCE_S)
                if self.blocked.is_set():
                    break
            if number % (BATCH * BATCHES_BETWEEN_LOOKS) == 0:
                self._look(name)
        assert runner.drain(PATIENCE_S)
        self._look(name)
        self.compared = self.tally.reading()["compared"]

    def _look(self, name):
        """Asks the gate."""
        assert self._ledger.flush()
        evidence = self._ledger.evidence("feature")
        assert name == evidence.epoch.candidate_build
        self.words.append(GATE.judge(evidence, Step(), time.time()).decision)

    @staticmethod
    def _call(runner, args, kwargs):
        """A caller, who deals with what the control raises."""
        try:
            runner.observe(args, kwargs)
        except (ValueError, TypeError):  # the reference refuses some calls
            return


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """A ledger that is written when told to."""
    opened = Ledger.open(f"sqlite:///{tmp_path_factory.mktemp('planted') / 'ledger.db'}", flush_seconds=None)
    yield opened
    opened.close()


@pytest.fixture
def hunt(make_runner, tally, ledger):
    """A hunt with the test's own counters."""
    return Hunt(make_runner, tally, ledger)


@pytest.fixture(scope="module")
def token_counter():
    """LiteLLM's own."""
    from litellm.litellm_core_utils.token_counter import token_counter

    return token_counter


def calls(make, seed=1):
    """Made-up calls."""
    draw = Random(seed)
    return (make(draw) for _ in range(CALLS))


def own_calls(make):
    """Calls with one argument."""
    return calls(lambda draw: ((make(draw),), {}))


def check(hunt):
    """The candidate ran, was found to differ, and was blocked before the gate would have promoted it."""
    assert hunt.runs > 0
    assert hunt.tally.reading()["diverged"] > 0
    assert hunt.blocked.is_set()
    assert hunt.compared < CALLS
    assert ["hold"] * (len(hunt.words) - 1) + ["roll_back"] == hunt.words


@pytest.mark.parametrize("name", token_counting.MUTANTS)
def test_a_wrong_token_counter_is_caught(name, hunt, token_counter):
    """Every mistake in counting shows on the shapes that have it."""
    hunt(name, token_counter, token_counting.MUTANTS[name](token_counter), calls(chat_call))
    check(hunt)


@pytest.mark.parametrize("name", sorted(set(own_pairs.MUTANTS) - {"shares_its_buffer_with_its_caller"}))
def test_a_wrong_candidate_of_any_function_is_caught(name, hunt):
    """Order, signs, types, rounding, missing keys, changed arguments and what builds up over calls."""
    control, make, make_call, comparator = own_pairs.MUTANTS[name]
    hunt(name, control, make(control), own_calls(make_call), comparator)
    check(hunt)


def test_a_candidate_that_is_wrong_during_another_call_is_caught(hunt):
    """While one caller waits for its control, the candidate runs for another."""
    name = "shares_its_buffer_with_its_caller"
    control, make, make_call, _ = own_pairs.MUTANTS[name]
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
        hunt(name, control, make(control), own_calls(make_call))
        check(hunt)
    finally:
        may_end.set()
        caller.join(PATIENCE_S)


def test_the_right_candidate_is_promoted(hunt, token_counter):
    """The reference itself passes on the same calls, or else every test above would pass as well."""
    hunt("reference", token_counter, token_counter, calls(chat_call))
    assert (CALLS, False) == (hunt.compared, hunt.blocked.is_set())
    assert CALLS == hunt.tally.reading()["matched"] == hunt.runs
    assert ("hold", "promote") == (hunt.words[0], hunt.words[-1])


def test_there_are_thirty():
    """As many as are promised, and more."""
    assert (20, 21) == (len(token_counting.MUTANTS), len(own_pairs.MUTANTS))
