"""A program's own pair of implementations, with nothing of LiteLLM in it."""

from __future__ import annotations

import inspect

import pytest

import fast_litellm
from fast_litellm.accel import installation, own_pairs
from fast_litellm.errors import SeamError


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
    """One difference blocks the pair."""
    add = declare(candidate=lambda numbers: sum(numbers) + 1)
    fast_litellm.install()
    add([1, 2])
    assert installation._current._pairs["adding"].runner.drain(10)

    assert (1, "blocked") == (status()["diverged"], status()["stage"])


def test_a_name_is_declared_once():
    """Two controls for one flag are an error that names the flag."""
    declare()
    with pytest.raises(SeamError, match="'adding' is declared twice"):
        declare()


def test_asynchronous_functions_are_refused():
    """A coroutine function cannot be compared by calling it, and is said so at once."""

    async def slow(numbers):
        return sum(numbers)

    with pytest.raises(SeamError, match="asynchronous"):
        declare(candidate=slow)
