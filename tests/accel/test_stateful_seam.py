"""A seam with state, LiteLLM's limiter: compared on twins, promoted and taken back without forgetting a count."""

from __future__ import annotations

import asyncio
import json
import sys
from random import Random
from types import SimpleNamespace

import pytest

import fast_litellm
from fast_litellm.accel import feature, installation, references
from fast_litellm.accel.candidates import rate_limiting, window_twins
from fast_litellm.accel.candidates.rate_limiting import RateLimitingCandidate
from fast_litellm.accel.fingerprint import fingerprint
from fast_litellm.accel.patching import held
from fast_litellm.errors import Declined
from fast_litellm.shadow import machinery

utils = pytest.importorskip("litellm.proxy.utils")
reference = pytest.importorskip(rate_limiting.LIMITER)
types = pytest.importorskip("litellm.proxy._types")
dual_cache = pytest.importorskip("litellm.caching.dual_cache")
in_memory_cache = pytest.importorskip("litellm.caching.in_memory_cache")

if references.known("rate_limiting", fingerprint(rate_limiting.SOURCES)) is None:
    pytest.skip("this release's limiter is not known, so it stays Python", allow_module_level=True)

START = 1_700_000_000.5
MORE_THAN_ENOUGH = 100_000


class Clock:
    """The limiter's clock and that of its cache."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now

    def datetime(self):
        return SimpleNamespace(timestamp=self)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def a_proxy_without_a_router(monkeypatch):
    """The hook asks LiteLLM's server for its router; the server's module needs far more than the hook."""
    server = SimpleNamespace(llm_router=None, general_settings={}, prisma_client=None)
    monkeypatch.setitem(sys.modules, "litellm.proxy.proxy_server", server)


@pytest.fixture(autouse=True)
def uninstalled():
    """Every test ends uninstalled, and nothing of the machinery has failed."""
    yield
    fast_litellm.uninstall()
    assert {} == machinery.failures()


@pytest.fixture
def installed(tmp_path):
    """Installs with the limiter at a stage; in shadow every call is compared."""

    def at(stage: str, **candidates) -> None:
        flag = {"stage": stage, **({"shadow": {"percent": 100, "budget": "100%"}} if stage == "shadow" else {})}
        path = tmp_path / "rollout.yaml"
        path.write_text(json.dumps({"version": 1, "flags": {"rate_limiting": flag}}), encoding="utf-8")
        fast_litellm.install(path, candidates=candidates)

    return at


def limiter(clock, most=200):
    """LiteLLM's own, over a cache with room for so many entries."""
    memory = in_memory_cache.InMemoryCache(max_size_in_memory=most, clock=clock)
    usage = utils.InternalUsageCache(dual_cache.DualCache(in_memory_cache=memory, default_in_memory_ttl=1))
    return reference._PROXY_MaxParallelRequestsHandler_v3(
        usage, time_provider=clock.datetime, model_group_resolver=lambda model: None
    )


def user(number: int, **limits):
    found = types.UserAPIKeyAuth(**(limits or {"rpm_limit": 1}))
    found.api_key = f"key-{number}"
    return found


def ask(it, *users):
    """What the hook says to each: what it leaves in the request, or what it refuses with."""

    async def hook(who):
        data = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}], "metadata": {}}
        try:
            await it.async_pre_call_hook(who, dual_cache.DualCache(), data, "completion")
        except Exception as error:
            return type(error).__name__, getattr(error, "detail", None), getattr(error, "headers", None)
        return "admitted"

    async def everyone():
        return [await hook(who) for who in users]

    return asyncio.run(everyone())


def counters() -> dict:
    """The feature's counters once nothing is in flight."""
    for attachment in installation._current.attachments:
        if attachment.feature is not None and attachment.feature.runner:
            assert attachment.feature.runner.drain(10)
    return fast_litellm.status()["features"]["rate_limiting"]


def count(it, *names, second=int(START)):
    """One call of the function itself."""
    keys = [key for name in names for key in (f"{{{name}}}:window", f"{{{name}}}:requests")]
    return asyncio.run(it._in_memory_cache_sliding_window(keys=keys, now_int=second, window_size=60))


def test_few_keys_are_limited_alike_at_every_stage(installed, clock):
    """Within LiteLLM's 66 windows nothing is lost: the same admissions and refusals, word for word."""
    told, asked = {}, {}
    for stage in ("off", "shadow", "on"):
        installed(stage)
        it = limiter(clock)
        users = [user(number, rpm_limit=2, tpm_limit=1_000) for number in range(10)]
        told[stage] = ask(it, *users, *users, *users)
        told[f"{stage}, later"] = ask(it, *users)
        found = counters()
        asked[stage] = (found["served"]["rust"], found["matched"], found["diverged"], found["waived"])
        fast_litellm.uninstall()
        feature._tallies.clear()

    calls = asked["on"][0]
    assert calls >= 20
    assert ((0, 0, 0, 0), (0, calls, 0, 0)) == (asked["off"], asked["shadow"])
    assert told["off"] == told["shadow"] == told["on"]
    assert ["admitted"] * 20 == told["off"][:20]
    assert "admitted" not in told["off"][20:] + told["on, later"]


def test_the_windows_that_the_reference_loses_are_waived(installed, clock):
    """Beyond its 66 windows LiteLLM admits everybody again; every such difference is explained, and none blocks."""
    users = [user(number) for number in range(120)]
    expected = ask(limiter(clock), *users, *users)
    installed("shadow")

    assert expected == ask(limiter(clock), *users, *users)
    found, again = counters(), expected[120:].count("admitted")
    assert (240 - again, again, 0) == tuple(found[name] for name in ("matched", "waived", "diverged"))
    assert again > 40


def test_no_window_is_lost_when_the_candidate_serves(installed, clock):
    """Nobody is admitted twice who may come once, with 1,000 keys and LiteLLM's cache of 200 entries."""
    installed("on")
    it, users = limiter(clock), [user(number) for number in range(1_000)]

    assert ["admitted"] * 1_000 == ask(it, *users)
    assert {"ProxyRateLimitError"} == {refusal[0] for refusal in ask(it, *users)}
    assert 2_000 == counters()["served"]["rust"]


def test_random_calls_never_diverge(installed, clock):
    """Small and large caches, several windows a call, entries of others, and time that passes."""
    installed("shadow")
    dice = Random(7)
    limiters = [limiter(clock, most) for most in (3, 7, 20, MORE_THAN_ENOUGH)]
    for step in range(600):
        clock.now += dice.choice([0, 0, 0, 0.5, 1, 20, 59.5])
        it = dice.choice(limiters)
        if step % 7 == 0:
            it.internal_usage_cache.dual_cache.in_memory_cache.set_cache(f"other-{step}", object(), ttl=600)
        count(it, *dice.choices("abcdefgh", k=dice.randint(1, 4)), second=int(clock.now))
    found = counters()

    assert (600, 0) == (found["offered"], found["diverged"])
    assert min(found["matched"], found["waived"]) > 50
    assert found["compared"] > 500


def test_promotion_and_return_keep_what_was_counted(installed, clock):
    """The cache is the one place where a limit stands, whoever answers."""
    it, counts = limiter(clock), []
    for stage in ("off", "shadow", "on", "shadow", "off"):
        installed(stage)
        counts.append(count(it, "a")[1])

    assert [1, 2, 3, 4, 5] == counts


def test_what_was_compared_is_remembered_when_it_is_promoted(installed, clock):
    """Windows that the cache lost while the candidate was in shadow are there when it serves."""
    installed("shadow")
    it = limiter(clock)
    for number in range(100):
        count(it, f"key-{number}")
    installed("on")

    assert {2} == {count(it, f"key-{number}")[1] for number in range(100)}


class WrongAboutLost(RateLimitingCandidate):
    """Counts one too many wherever the cache has lost a window."""

    async def run(self, plan, args, kwargs):
        answers = await super().run(plan, args, kwargs)
        return [*answers[:-1], answers[-1] + plan.plan.has_lost]


class Wrong(RateLimitingCandidate):
    """Counts one too many, always."""

    async def run(self, plan, args, kwargs):
        answers = await super().run(plan, args, kwargs)
        return [*answers[:-1], answers[-1] + 1]


@pytest.mark.parametrize("wrong", [WrongAboutLost, Wrong])
def test_a_wrong_count_is_not_waived(installed, clock, wrong):
    """The waiver is for what the reference has lost, and only where the candidate says what a full cache would say."""
    installed("shadow", rate_limiting=wrong)
    it = limiter(clock, 3)
    for name in "aba":
        count(it, name)
    found = counters()

    assert (0, "blocked") == (found["waived"], found["stage"])
    assert 1 <= found["diverged"]


def test_served_calls_are_compared_on_twins(installed, clock):
    """What the candidate has answered is run again by the control, on the state that it found."""
    installed("on")
    for attachment in installation._current.attachments:
        if attachment.seam.feature == "rate_limiting":
            attachment.feature.trust(None, 1.0)
    it = limiter(clock, 9)
    answers = [count(it, name)[1] for name in "abcdabcd"]
    found = counters()

    assert [1, 1, 1, 1, 2, 2, 2, 2] == answers
    assert (8, 8, 0) == (found["served"]["rust"], found["compared"], found["diverged"])
    assert 2 <= found["waived"] <= 4


def test_a_call_without_a_twin_is_accounted_for(installed, clock):
    """It is declined for its own reason, and the control answers."""
    installed("shadow")
    it = limiter(clock)
    it.internal_usage_cache.dual_cache.in_memory_cache.max_size_in_memory = 0
    count(it, "a")
    found = counters()

    assert {"no_cache": 1} == found["declined"]
    assert ({"declined": 1}, 1) == (found["shed"], found["offered"])


def test_an_entry_that_expires_just_now_is_not_compared(installed, clock):
    """Which side still sees it is a matter of microseconds."""
    installed("shadow")
    it = limiter(clock)
    count(it, "a")
    clock.now += 59.9
    count(it, "a")

    assert {"expiring": 1} == counters()["declined"]


def test_a_large_full_cache_is_not_copied(installed, clock, monkeypatch):
    """Its calls are declined when they are to be compared; they can still be served."""
    monkeypatch.setattr(window_twins, "_MOST_COPIED", 5)
    installed("shadow")
    it = limiter(clock, 9)
    for name in "abcd":
        count(it, name)

    assert {"large_cache": 1} == counters()["declined"]


def test_a_candidate_that_cannot_make_twins_costs_the_caller_nothing(installed, clock):
    """What fails while a twin is made is counted."""

    class Broken(RateLimitingCandidate):
        def __init__(self, *args):
            super().__init__(*args)
            self.twins.take = lambda args, kwargs, follows: 1 / 0

    installed("shadow", rate_limiting=Broken)

    assert ["1700000000", 1] == count(limiter(clock), "a")
    assert 1 == sum(count for name, count in machinery.failures().items() if name.startswith("twin"))
    machinery.forget()


def test_redis_is_left_to_python(installed, clock):
    """With Redis behind the cache the candidate declines before it does anything."""
    installed("on")
    it = limiter(clock)
    it.internal_usage_cache.dual_cache.redis_cache = object()
    count(it, "a")
    found = counters()

    assert ({"redis": 1}, {"python": 1, "rust": 0}) == (found["declined"], found["served"])


def test_the_original_is_put_back(installed):
    """It is a method of LiteLLM's class, and stands there again afterwards."""
    before = held(reference, rate_limiting.NAME)[2]
    installed("on")
    during = held(reference, rate_limiting.NAME)[2]
    fast_litellm.uninstall()

    assert before is held(reference, rate_limiting.NAME)[2]
    assert before is not during


def test_a_twin_declines_other_calls():
    """The twins' candidate is asked only for calls on twins."""
    with pytest.raises(Declined, match="control_raises"):
        RateLimitingCandidate(reference, "3").twins.prepare((1,), {})
